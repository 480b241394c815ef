"""A run: load, kills, restarts on the same data and port, calm, and what is found then."""

import random
import socket
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from msgspec import Struct

from tests.kills.client import Client
from tests.kills.line import GivenUp, Shop
from tests.kills.lives import live
from tests.kills.report import Ended, Report, counts, violations
from tests.kills.served import Served
from tests.kills.tables import hasten, owed
from tests.stage.processes import running
from tests.stage.stage import SHOP, Merchant, Stage

FAULTS = {
    "late": 0.06,
    "lands_late": 0.04,
    "lost_after": 0.02,
    "lost_before": 0.02,
    "status": 0.02,
    "status_after": 0.02,
    "garbage": 0.01,
    "reset": 0.02,
    "notice_early": 0.02,
    "notice_twice": 0.05,
    "notice_late": 0.05,
    "notice_reordered": 0.05,
    "notice_forged": 0.05,
}
"""The share of requests to the PSP, or of its notices, that meets each; see `paydesk_sandbox/psp/faults.py`."""
AIMS = ("any", "charges", "captures", "releases", "refunds")
AIMED = 3
"""In a life in which but one kind of request, and notices about it, go wrong, they do so that much more often."""
ORDERED = (
    {"fault": "notice_lost", "on": "charges"},
    {"fault": "wrong_amount", "on": "charges"},
    {"fault": "wrong_amount", "on": "captures"},
    {"fault": "wrong_amount", "on": "refunds"},
)
"""One of these follows each kill. Of disputes, and refunds that banks send back, only the PSP can tell: it has to."""
MUST_HIT = ("captures", "cancels", "refunds", "disputes", "notices", "double clicks", "repeats")
ALL_HIT_KILLS = 50
"""From so many kills on a run must have met all of these, and every fault: what was not hit is not tried."""
EARLY = 0.15  # The share of kills that hit a server before it is ready.
START_SECONDS = 0.3
CALM_SECONDS = 180.0
LATER_SECONDS = 0.3  # Until a bank disputes a charge, or sends a refund back.
NOTICES_AGAIN_SECONDS = 0.5


class Plan(Struct, frozen=True, kw_only=True):
    """How a run goes."""

    kills: int
    seed: int
    seconds: float = 0.5
    """How long a server lives after it was ready, on average: at every moment it is as likely to be killed."""
    clients: int = 16
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
        with self._stage() as (stage, port), httpx.Client(base_url=stage.psp, trust_env=False, timeout=30) as psp:
            merchants = self._open(stage, port)
            with self._load(stage, merchants) as threads:
                for number in range(1, self._plan.kills + 1):
                    self._plan_faults(psp)
                    self._kill(stage, port, merchants, number)
                self._start(stage, port)
                psp.delete("faults")
                self._settle(stage, port, threads, psp)
            self._repeat_all()
            books, faults = psp.get("books").json(), psp.get("faults").json()
            assert self._server
            assert self._server.stop() == 0
        ended = Ended(
            data=stage.data,
            log=self._folder / "paydesk.err",
            books=books,
            faults=faults["hits"],
            clients=self._clients,
            merchants=merchants,
        )
        found, happened = violations(ended), self._counts() | counts(ended)
        if self._plan.kills >= ALL_HIT_KILLS:
            found += [f"there was none of: {kind}" for kind in MUST_HIT if not happened[kind]]
            kinds = {*FAULTS, *(order["fault"] for order in ORDERED)}
            found += [f"the PSP met no fault of the kind {kind}" for kind in kinds if not ended.faults.get(kind)]
        return Report(violations=found, counts=happened | {"seconds": round(time.monotonic() - began)})

    @contextmanager
    def _stage(self) -> Generator[tuple[Stage, int]]:
        later, again = str(LATER_SECONDS), str(NOTICES_AGAIN_SECONDS)
        psp = ["paydesk_sandbox", "psp", "--port", "0", "--later-seconds", later, "--notices-again-seconds", again]
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
        merchants = [
            stage.merchant("Tea House", fee="1.5%+25", notices=True),
            stage.merchant("Pot House", notices=True),
        ]
        for merchant in merchants:  # A killed server resets its connections; that is no news.
            merchant.receiver._server.handle_error = lambda *_: None
        return merchants

    def _plan_faults(self, psp: httpx.Client) -> None:
        late_ms, aim = self._dice.choice(self._plan.late_ms), self._dice.choice(AIMS)
        rates = {kind: rate if aim == "any" else rate * AIMED for kind, rate in FAULTS.items()}
        plan = {"seed": self._dice.getrandbits(32), "rates": rates, "on": aim, "delay_ms": late_ms}
        for path, wanted in (("faults/plan", plan), ("faults", self._dice.choice(ORDERED))):
            psp.post(path, json=wanted).raise_for_status()

    @contextmanager
    def _load(self, stage: Stage, merchants: list[Merchant]) -> Generator[list[threading.Thread]]:
        """Clients at work for as long as the block runs, and until each has ended its payment."""
        for number in range(self._plan.clients):
            facts = merchants[number % len(merchants)].facts
            key_id, secret = facts["key_id"], facts["secret"]
            shop = Shop(paydesk=stage.paydesk, psp=stage.psp, origin=SHOP, key_id=key_id, secret=secret)
            self._clients.append(Client(f"client-{number}", self._plan.seed, shop, self._stop))
        threads = [threading.Thread(target=client.run, args=(live,)) for client in self._clients]
        for thread in threads:
            thread.start()
        try:
            yield threads
        except BaseException:
            self._stop.set()
            for client in self._clients:
                client.line.over.set()
            raise
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _kill(self, stage: Stage, port: int, merchants: list[Merchant], number: int) -> None:
        if self._plan.refusals and self._dice.random() < 0.3:
            self._dice.choice(merchants).receiver.answers.append(self._dice.choice([500, 503]))
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
        opened = sum(client.counts["opened"] for client in self._clients)
        again = ", and again before it was up" if early else ""
        self._say(f"kill {number:3} after {lived:4.2f} s: {opened} opened{again}")

    def _begin(self, stage: Stage, port: int) -> Served:
        return Served(stage.data, self._folder / "paydesk", port=port, environment=stage.environment)

    def _start(self, stage: Stage, port: int) -> None:
        began = time.monotonic()
        self._server = self._begin(stage, port)
        stage.paydesk = self._server.wait()
        self._slowest_start = max(self._slowest_start, time.monotonic() - began)

    def _settle(self, stage: Stage, port: int, threads: Sequence[threading.Thread], psp: httpx.Client) -> None:
        """Each client ends its payment; then nothing is owed any more, and no notice under way. What still is after
        that, the audit tells. Between two looks at an open outcome lie minutes, so the server is now and then started
        on a clock that has gone on, as far as duties go.
        """
        self._stop.set()
        database = stage.data / "paydesk.db"
        until = time.monotonic() + CALM_SECONDS
        while (now := time.monotonic()) < until:
            while time.monotonic() < now + self._plan.in_flight_seconds + 2:
                if not any(thread.is_alive() for thread in threads) and not owed(database) and not _untold(psp):
                    return
                time.sleep(0.1)
            assert self._server
            self._server.stop()
            hasten(database)
            self._start(stage, port)

    def _counts(self) -> dict[str, int]:
        return {
            "kills": self._plan.kills + self._early,
            "before it was ready": self._early,
            "slowest start, ms": round(self._slowest_start * 1000),
        }

    def _repeat_all(self) -> None:
        for client in self._clients:
            for promise in client.promises:
                try:
                    client.repeat(promise)
                except GivenUp as why:
                    client.wrong.append(str(why))
            client.line.close()


def _untold(psp: httpx.Client) -> bool:
    """Whether a notice is under way, or the PSP about to begin what comes by itself."""
    records = psp.get("books").json()["notices"]
    young_ms = (time.time() - 2 * LATER_SECONDS) * 1000
    return any(notice["state"] in ("waiting", "held") or notice["created_ms"] > young_ms for notice in records)


@contextmanager
def reserved_port() -> Generator[int]:
    """A port for `serve` alone. While nobody listens there, it is no other connection's, and no client's own."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
