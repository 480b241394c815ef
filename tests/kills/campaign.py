"""A run: load, kills, restarts on the same data and port, calm, and what is found then."""

import random
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from tests.kills.audit import audit
from tests.kills.client import Client, GivenUp, Shop
from tests.kills.promises import Promise, broken_promises
from tests.kills.served import Served
from tests.stage.processes import running
from tests.stage.stage import SHOP, Merchant, Stage

FAULTS = {
    "late": 0.03,
    "lands_late": 0.05,
    "lost_after": 0.03,
    "lost_before": 0.02,
    "status": 0.02,
    "status_after": 0.02,
    "garbage": 0.01,
    "wrong_amount": 0.01,
    "reset": 0.02,
}
"""The share of charges that meets each; see `paydesk_sandbox/psp/faults.py`."""
EARLY = 0.15  # The share of kills that hit a server before it is ready.
START_SECONDS = 0.3
CALM_SECONDS = 120.0


class Plan(Struct, frozen=True, kw_only=True):
    """How a run goes."""

    kills: int
    seed: int
    seconds: float = 0.5
    """How long a server lives after it was ready, on average: at every moment it is as likely to be killed."""
    clients: int = 6
    refusals: bool = True
    """Whether the receivers refuse an event now and then; it comes again after five seconds."""
    in_flight_seconds: int = 5
    """The longest that a charge can be under way, as the server is told."""

    @property
    def settings(self) -> dict[str, str]:
        in_flight = str(self.in_flight_seconds)
        return {"PAYDESK_PSP_TIMEOUT_SECONDS": "1", "PAYDESK_PSP_MAX_IN_FLIGHT_SECONDS": in_flight}

    @property
    def late_ms(self) -> tuple[int, ...]:
        """How late the PSP is: within the server's patience, and beyond it, but not beyond what it was told. A charge
        that lands after the next start is what a restart must not overlook.
        """
        return 50, 300, 750 * self.in_flight_seconds


class Report(Struct, frozen=True, kw_only=True):
    """What became of it."""

    violations: list[str]
    counts: dict[str, int]
    """In the order in which they are shown."""


class Campaign:
    """One run in a folder of its own. `say` hears of the progress."""

    def __init__(self, folder: Path, plan: Plan, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._plan = plan
        self._say = say
        self._dice = random.Random(f"{plan.seed}:kills")
        self._stop = threading.Event()
        self._clients: list[Client] = []
        self._server: Served | None = None
        self._slowest_start = 0.0
        self._early = 0

    def run(self) -> Report:
        began = time.monotonic()
        with self._stage() as (stage, port):
            merchants = self._open(stage, port)
            with self._load(stage, merchants):
                for number in range(1, self._plan.kills + 1):
                    self._kill(stage, port, merchants, number)
                self._start(stage, port)
                httpx.delete(f"{stage.psp}/faults", trust_env=False)
            self._settle(stage)
            self._repeat_all()
            books, faults = (httpx.get(f"{stage.psp}/{what}", trust_env=False).json() for what in ("books", "faults"))
            assert self._server
            assert self._server.stop() == 0
        received = [one.event for merchant in merchants for one in merchant.receiver.received if one.answered == 200]
        violations = self._violations(stage, books, received, merchants)
        counts = self._counts(books, faults, received) | {"seconds": round(time.monotonic() - began)}
        return Report(violations=violations, counts=counts)

    @contextmanager
    def _stage(self) -> Generator[tuple[Stage, int]]:
        psp = ["paydesk_sandbox", "psp", "--port", "0"]
        self._folder.mkdir(parents=True, exist_ok=True)
        with running(psp, log=self._folder / "psp", ready="listening on") as (_, line), reserved_port() as port:
            stage = Stage(self._folder, line.split()[-1], self._plan.settings)
            try:
                yield stage, port
            finally:
                if self._server:
                    self._server.kill()
                stage.close()

    def _open(self, stage: Stage, port: int) -> list[Merchant]:
        self._start(stage, port)
        merchants = [stage.merchant("Tea House", fee="1.5%+25"), stage.merchant("Pot House")]
        for merchant in merchants:  # A killed server resets its connections; that is no news.
            merchant.receiver._server.handle_error = lambda *_: None
        self._plan_faults(stage)
        return merchants

    def _plan_faults(self, stage: Stage) -> None:
        plan = {"seed": self._dice.getrandbits(32), "rates": FAULTS, "delay_ms": self._dice.choice(self._plan.late_ms)}
        assert httpx.post(f"{stage.psp}/faults/plan", json=plan, trust_env=False).status_code == 200

    @contextmanager
    def _load(self, stage: Stage, merchants: list[Merchant]) -> Generator[None]:
        """Clients at work for as long as the block runs, and until each has ended its payment."""
        for number in range(self._plan.clients):
            facts = merchants[number % len(merchants)].facts
            shop = Shop(paydesk=stage.paydesk, origin=SHOP, key_id=facts["key_id"], secret=facts["secret"])
            self._clients.append(Client(f"client-{number}", self._plan.seed, shop, self._stop))
        threads = [threading.Thread(target=client.run) for client in self._clients]
        for thread in threads:
            thread.start()
        try:
            yield
        except BaseException:
            self._stop.set()
            for client in self._clients:
                client.give_up()
            raise
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _kill(self, stage: Stage, port: int, merchants: list[Merchant], number: int) -> None:
        if self._plan.refusals and self._dice.random() < 0.3:
            self._dice.choice(merchants).receiver.answers.append(self._dice.choice([500, 503]))
        self._plan_faults(stage)
        assert self._server
        lived = self._dice.expovariate(1 / self._plan.seconds)
        time.sleep(lived)
        self._server.kill()
        if early := self._dice.random() < EARLY:
            self._early += 1
            self._server = self._begin(stage, port)
            time.sleep(self._dice.uniform(0, START_SECONDS))
            self._server.kill()
        if number < self._plan.kills:
            self._start(stage, port)
        counts = self._added_up()
        again = ", and again before it was up" if early else ""
        self._say(f"kill {number:3} after {lived:4.2f} s: {counts['opened']} opened, {counts['paid']} paid{again}")

    def _begin(self, stage: Stage, port: int) -> Served:
        return Served(stage.data, self._folder / "paydesk", port=port, environment=stage.environment)

    def _start(self, stage: Stage, port: int) -> None:
        began = time.monotonic()
        self._server = self._begin(stage, port)
        stage.paydesk = self._server.wait()
        self._slowest_start = max(self._slowest_start, time.monotonic() - began)

    def _settle(self, stage: Stage) -> None:
        """Nothing is owed any more. Looked at from outside, as a backup would."""
        until = time.monotonic() + CALM_SECONDS
        uri = f"{(stage.data / 'paydesk.db').absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            while database.execute("SELECT count(*) FROM duties WHERE kind <> 'mature'").fetchone()[0]:
                if time.monotonic() > until:
                    return  # The audit tells what is still owed.
                time.sleep(0.05)

    def _repeat_all(self) -> None:
        for client in self._clients:
            for promise in client.promises:
                try:
                    if promise.answer:
                        client.repeat(promise)
                except GivenUp as why:
                    client.wrong.append(str(why))
            client.close()

    def _violations(
        self, stage: Stage, books: dict[str, Any], received: list[dict[str, Any]], merchants: list[Merchant]
    ) -> list[str]:
        database = stage.data / "paydesk.db"
        violations = [wrong for client in self._clients for wrong in client.wrong]
        violations += [f"a receiver refused: {why}" for merchant in merchants for why in merchant.receiver.refused]
        violations += [f"the PSP charged {reference} twice" for reference in books["charged_twice"]]
        violations += broken_promises(database, self._promises())
        violations += audit(database, books["charges"], received)
        violations += [f"the server logged {line}" for line in _errors(self._folder / "paydesk.err")]
        return violations

    def _promises(self) -> list[Promise]:
        return [promise for client in self._clients for promise in client.promises]

    def _added_up(self) -> Counter[str]:
        return sum((client.counts.copy() for client in self._clients), Counter())

    def _counts(self, books: dict[str, Any], faults: dict[str, Any], received: list[dict[str, Any]]) -> dict[str, int]:
        added = self._added_up()
        charged = Counter(charge["status"] for charge in books["charges"])
        return {
            "kills": self._plan.kills + self._early,
            "before it was ready": self._early,
            "slowest start, ms": round(self._slowest_start * 1000),
            "intents opened": added["opened"],
            "told as paid": added["paid"],
            "told as declined": added["declined"],
            "double clicks": added["double clicks"],
            "requests without an answer": added["no answer"],
            "outcomes waited for": added["unknown or running"],
            "repeats": added["repeats"],
            "captured by the PSP": charged["captured"],
            "declined by the PSP": charged["declined"],
            "faults of the PSP": sum(faults["hits"].values()),
            "events taken": len(received),
            "of these again": len(received) - len({event["id"] for event in received}),
        }


@contextmanager
def reserved_port() -> Generator[int]:
    """A port for `serve` alone. While nobody listens there, it is no other connection's, and no client's own."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def _errors(log: Path) -> Iterator[str]:
    """What is worse than a warning, or no line of a log at all. A kill may cut the last line of a life short."""
    for line in log.read_text(errors="replace").splitlines():
        if '"level":"error"' in line or not line.startswith("{"):
            yield line[:500]
