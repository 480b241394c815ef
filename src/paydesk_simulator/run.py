"""One seed from beginning to end: a phase with faults, one without, and then everything is compared."""

import asyncio
import traceback
from functools import partial
from pathlib import Path
from time import perf_counter

from msgspec import Struct

from paydesk.assembly import operator
from paydesk.assembly.house import House
from paydesk.events.endpoints import add_endpoint
from paydesk_simulator import checks
from paydesk_simulator.bank import Bank
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.dice import dice_of
from paydesk_simulator.facts import Database, Told
from paydesk_simulator.gathered import gather
from paydesk_simulator.journal import Journal
from paydesk_simulator.merchant import Merchant
from paydesk_simulator.network import Network
from paydesk_simulator.process import Server
from paydesk_simulator.psp import ORIGIN, PspPeer
from paydesk_simulator.receiver import Receiver
from paydesk_simulator.shopper import Shopper
from paydesk_simulator.storage import cloned
from paydesk_simulator.till import Till

ARRIVE_SECONDS = 3.0  # In the mean between two payments: many are under way at once, and outlive a crash.
FAULTS_SECONDS = 120.0  # How long things go wrong after the last payment arrived.
SETTLE_SECONDS = 30 * 3600.0  # A look-up may be put off for a day; after that something is lost.
LOOK_SECONDS = 20.0
MERCHANTS = ((("*",), ("payment_intent.succeeded", "payment_intent.payment_failed")), (("*",),), ())
"""The events that each merchant's endpoints ask for. The first endpoint of the second merchant is strict."""

LATE_PAYMENTS = ("refund", "hold", "keep")
"""What each merchant wants done with late payments."""
OWED = """SELECT (SELECT count(*) FROM duties WHERE kind NOT IN ('mature', 'watch_refund') OR due_ms <= ?)
    + (SELECT count(*) FROM payment_intents WHERE status IN ('processing', 'requires_action', 'requires_capture'))"""
"""What is to be done before the run is over; pending money waits for its day, and so do looks after refunds."""


class Result(Struct, frozen=True, kw_only=True):
    """What became of a seed."""

    seed: int
    payments: int
    counts: dict[str, int]
    violations: list[str]
    log: list[str]
    digest: str
    """SHA-256 of the log."""
    virtual_seconds: float
    seconds: float


def simulate(template: Path, seed: int, *, payments: int, keep_log: bool = False) -> Result:
    """Run a seed on a copy of the migrated database. Never raises for what the run does: that is a violation too."""
    began = perf_counter()
    loop = VirtualLoop()
    with cloned(template, f"seed-{seed}") as data:
        run = Run(loop, data, seed, payments)
        run.play()
    journal = run.journal
    return Result(
        seed=seed,
        payments=payments,
        counts=dict(journal.counts),
        violations=journal.violations,
        log=journal.lines if keep_log or journal.violations else [],
        digest=journal.digest(),
        virtual_seconds=loop.time(),
        seconds=perf_counter() - began,
    )


class Run:
    """The cast of one seed, and the order of its acts."""

    def __init__(self, loop: VirtualLoop, data: Path, seed: int, payments: int) -> None:
        self._loop = loop
        self._seed = seed
        self._payments = payments
        self._dice = dice_of(seed, "clients")
        self.journal = Journal(loop)
        self._network = Network(loop, dice_of(seed, "network"))
        self._server = Server(seed, data, loop, self._network, self.journal)
        self._database = Database(data / "paydesk.db")
        self._told = Told()
        self._psp = PspPeer(loop, dice_of(seed, "psp"), self._server.weather, self.journal, seed)
        self._network.peers[ORIGIN] = self._psp
        self._bank = Bank(
            self._psp.psp,
            loop=loop,
            dice=dice_of(seed, "bank"),
            weather=self._server.weather,
            journal=self.journal,
            database=self._database,
        )
        self._receivers: dict[str, Receiver] = {}
        self._merchants: list[Merchant] = []

    def play(self) -> None:
        """All acts, and the clearing away. What nobody caught is a violation."""
        self._loop.set_exception_handler(lambda _, context: self.journal.violated(f"loop: {context}"))
        try:
            self._loop.run_until_complete(self._whole())
        except Exception:
            self.journal.violated(f"the run ended: {traceback.format_exc()}")
        self._loop.set_exception_handler(lambda _, context: None)  # Tasks that stood still are thrown away now.
        self._server.bury()
        self._database.close()
        self._loop.close()

    async def _whole(self) -> None:
        going_on = [self._loop.create_task(one.run()) for one in (self._server, self._psp, self._bank)]
        await asyncio.sleep(1)
        for number, endpoints in enumerate(MERCHANTS):
            await self._settle_in(number, endpoints)
        clients = [self._loop.create_task(self._client(number)) for number in range(self._payments)]
        await self._storm()
        await self._calm(clients)
        await self._server.stop()
        for task in going_on:
            task.cancel()
        self._compare()

    async def _storm(self) -> None:
        """Safety: whatever goes wrong, nothing wrong is done."""
        self._server.weather.calm = self._server.crashes.calm = False
        self._server.crashes.arm()
        await asyncio.sleep(self._payments * ARRIVE_SECONDS + FAULTS_SECONDS * self._dice.random())

    async def _calm(self, clients: list[asyncio.Task[None]]) -> None:
        """Liveness: with nothing going wrong any more, everything settles."""
        self._server.weather.calm = True
        self._server.crashes.disarm()
        self._psp.psp.faults.clear()
        self.journal.tell("calm")
        until = self._loop.time() + SETTLE_SECONDS
        for client in clients:
            await client
        while self._owed() and self._loop.time() < until and not self.journal.violations:  # noqa: ASYNC110 (from outside)
            await asyncio.sleep(LOOK_SECONDS)

    def _owed(self) -> int:
        return self._database.number(OWED, self._loop.now_ms())

    async def _client(self, number: int) -> None:
        await asyncio.sleep(self._dice.random() * self._payments * ARRIVE_SECONDS)
        merchant = self._dice.choice(self._merchants)
        if (intent := await merchant.open(f"order-{number}")) is None:
            return
        everybody = {"server": self._server, "dice": self._dice, "told": self._told, "journal": self.journal}
        till = Till(merchant, f"order-{number}", intent, database=self._database, **everybody)
        shopper = Shopper(merchant.account, intent, bank=self._bank, **everybody)
        async with asyncio.TaskGroup() as group:
            group.create_task(till.work())
            await asyncio.sleep(self._dice.uniform(0, 20))
            await shopper.pay()

    async def _settle_in(self, number: int, endpoints: tuple[tuple[str, ...], ...]) -> None:
        """A merchant, as the operator makes it, with its endpoints."""
        create = partial(
            operator.merchants_create,
            name=f"Shop {number}",
            origins=[],
            psp_url=ORIGIN,
            psp_key=None,
            fee="1.5%+25" if number else "0",
            refund_fee="25" if number else "0",
            late_payments=LATE_PAYMENTS[number],
            settlement_delay_days=1 + number,
        )
        made = await self._server.ask(create)  # type: ignore[arg-type]
        account, key = made["account_id"], made["key_id"]
        for events in endpoints:
            await self._listen(account, list(events), strict=bool(number))
        self._merchants.append(
            Merchant(
                account,
                key,
                server=self._server,
                dice=self._dice,
                told=self._told,
                journal=self.journal,
                loop=self._loop,
            )
        )

    async def _listen(self, account: str, events: list[str], *, strict: bool) -> None:
        origin = f"https://receiver-{len(self._receivers)}.example"
        receiver = Receiver(
            origin,
            loop=self._loop,
            dice=dice_of(self._seed, origin),
            weather=self._server.weather,
            journal=self.journal,
            database=self._database,
        )

        async def add(house: House) -> str:
            command, receiver.secret = add_endpoint(
                house.world,
                house.sealer,
                account=account,
                url=f"{origin}/hook",
                events=events,
                ordering="strict" if strict else "default",
                added_by="merchant",
            )
            return (await house.submit(command)).id

        receiver.strict = strict
        self._receivers[await self._server.ask(add)] = receiver
        self._network.peers[origin] = receiver

    def _compare(self) -> None:
        facts = gather(self._database, self._psp.psp.books, self._told, self._receivers, self._loop.now_ms())
        for sentence in checks.violations(facts):
            self.journal.violated(sentence)
