"""A cast on a stage: one server, one PSP with its banks, merchants with their receivers, on one virtual clock.

What is played, a subclass says (`Stage.acts`): a storm (`run.py`), a flow that is crashed at each of its points
(`crash_points.py`), operations at once (`schedules.py`).
"""

import asyncio
import traceback
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from paydesk.assembly import operator
from paydesk.assembly.house import House
from paydesk.events.endpoints import add_endpoint
from paydesk_sandbox.psp.notices import NoticeEndpoint
from paydesk_sandbox.psp.rules import merchant_fingerprint
from paydesk_simulator import checks
from paydesk_simulator.bank import Bank
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.dice import dice_of
from paydesk_simulator.facts import Database, Told
from paydesk_simulator.gathered import gather
from paydesk_simulator.journal import Journal
from paydesk_simulator.merchant import Merchant
from paydesk_simulator.network import Network
from paydesk_simulator.psp import ORIGIN, PspPeer
from paydesk_simulator.receiver import Receiver
from paydesk_simulator.server import Server

SETTLE_SECONDS = 30 * 3600.0  # A look-up may be put off for a day; after that something is lost.
LOOK_SECONDS = 20.0
MERCHANTS = ((("*",), ("payment_intent.succeeded", "payment_intent.payment_failed")), (("*",),), ())
"""The events that each merchant's endpoints ask for. The first endpoint of the second merchant is strict."""

LATE_PAYMENTS = ("refund", "hold", "keep")
"""What each merchant wants done with late payments."""
OWED = """SELECT (SELECT count(*) FROM duties WHERE due_ms <= ? OR kind NOT IN ('mature', 'watch_refund') AND id NOT IN
    (SELECT 'notice:' || account || '/' || psp || '/' || id FROM notices WHERE status = 'parked'))
    + (SELECT count(*) FROM payment_intents WHERE status IN ('processing', 'requires_action', 'requires_capture'))"""
"""What is to be done before the run is over; pending money waits for its day, and so do looks after refunds;
notices about nothing are looked at for a day."""


class Stage:
    """The cast of one seed. `hasty`: holds and challenges end soon, so that a storm sees it."""

    def __init__(self, loop: VirtualLoop, data: Path, seed: int, *, hasty: bool = True) -> None:
        self.loop = loop
        self.seed = seed
        self.dice = dice_of(seed, "clients")
        self.journal = Journal(loop)
        self.network = Network(loop, dice_of(seed, "network"))
        self.server = Server(seed, data, loop, self.network, self.journal, hasty=hasty)
        self.database = Database(data / "paydesk.db")
        self.told = Told()
        self.psp = PspPeer(loop, dice_of(seed, "psp"), self.server.weather, self.journal, seed, hasty=hasty)
        self.psp.server = self.server
        self.told.broken = self.psp.broken
        self.network.peers[ORIGIN] = self.psp
        self.bank = Bank(
            self.psp.psp,
            loop=loop,
            dice=dice_of(seed, "bank"),
            weather=self.server.weather,
            journal=self.journal,
            database=self.database,
        )
        self.receivers: dict[str, Receiver] = {}
        self.merchants: list[Merchant] = []

    def play(self) -> None:
        """All acts, and the clearing away. What nobody caught is a violation."""
        self.loop.set_exception_handler(lambda _, context: self.journal.violated(f"loop: {context}"))
        try:
            self.loop.run_until_complete(self._all_acts())
        except Exception:
            self.journal.violated(f"the run ended: {traceback.format_exc()}")
        self.loop.set_exception_handler(lambda _, context: None)  # Tasks that stood still are thrown away now.
        self.server.bury()
        self.database.close()
        self.loop.close()

    async def acts(self) -> None:
        """What is played; the merchants are there."""
        raise NotImplementedError

    async def calm(self, clients: Sequence["asyncio.Task[None]"] = ()) -> None:
        """Liveness: with nothing going wrong any more, everything settles."""
        self.server.end_storm()
        self.psp.end_storm()
        self.journal.tell("calm")
        until = self.loop.time() + SETTLE_SECONDS
        for client in clients:
            await client
        while self._owed() and self.loop.time() < until and not self.journal.violations:  # noqa: ASYNC110 (from outside)
            await asyncio.sleep(LOOK_SECONDS)

    def _owed(self) -> bool:
        return self.psp.busy or self.database.number(OWED, self.loop.now_ms()) > 0

    async def _all_acts(self) -> None:
        going_on = [self.loop.create_task(one.run()) for one in (self.server, self.psp, self.bank)]
        await asyncio.sleep(1)
        for number, endpoints in enumerate(MERCHANTS):
            await self._settle_in(number, endpoints)
        await self.acts()
        await self.server.stop()
        for task in going_on:
            task.cancel()
        self._compare()

    async def _settle_in(self, number: int, endpoints: tuple[tuple[str, ...], ...]) -> None:
        """A merchant, as the operator makes it, with its endpoints."""
        create = partial(
            operator.merchants_create,
            name=f"Shop {number}",
            origins=[],
            psp_url=ORIGIN,
            psp_key=f"key-of-{number}",
            fee="1.5%+25" if number else "0",
            refund_fee="25" if number else "0",
            dispute_fee="1500" if number else "0",
            late_payments=LATE_PAYMENTS[number],
            settlement_delay_days=1 + number,
        )
        made = await self.server.ask(create)  # type: ignore[arg-type]
        account, key = made["account_id"], made["key_id"]
        told_at = NoticeEndpoint(url=made["notice_url"], secret=made["notice_secret"])
        self.psp.psp.notices.send_to(merchant_fingerprint(f"key-of-{number}"), told_at)
        for events in endpoints:
            await self._listen(account, list(events), strict=bool(number))
        self.merchants.append(
            Merchant(
                account,
                key,
                server=self.server,
                dice=self.dice,
                told=self.told,
                journal=self.journal,
                loop=self.loop,
            )
        )

    async def _listen(self, account: str, events: list[str], *, strict: bool) -> None:
        origin = f"https://receiver-{len(self.receivers)}.example"
        receiver = Receiver(
            origin,
            loop=self.loop,
            dice=dice_of(self.seed, origin),
            weather=self.server.weather,
            journal=self.journal,
            database=self.database,
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
        self.receivers[await self.server.ask(add)] = receiver
        self.network.peers[origin] = receiver

    def _compare(self) -> None:
        facts = gather(self.database, self.psp.psp, self.told, self.receivers, self.loop.now_ms())
        for sentence in checks.violations(facts):
            self.journal.violated(sentence)
