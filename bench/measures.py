"""How each figure is measured. Each function takes the running bench and gives plain numbers."""

import socket
import time
from statistics import median

from msgspec import Struct

from bench.machine import percentile
from bench.orders import Order
from bench.stage import Bench, Measured
from tests.stage.processes import Process

AT_ONCE = 64
ALONE_PAUSE_SECONDS = 0.05  # Longer than anything that follows from an answer, so that a lone payment is alone.
COMMITS = 3  # On the shopper's way: the creation, the attempt, its outcome.


class Sizes(Struct, frozen=True, kw_only=True):
    """How many of each."""

    rounds: int = 6
    pings: int = 4000
    creations: int = 1500
    statuses: int = 4000
    alone: int = 150
    chunk: int = 500
    chunks: int = 5
    per_second: int = 50
    lags: int = 1000
    starts: int = 5
    payments: int = 4000
    """In all, before memory is read."""


class Rounds(Struct, kw_only=True):
    """No-ops and creations in turn."""

    pings: list[Measured]
    creations: list[Measured]

    @property
    def ratio(self) -> float:
        """CPU of a creation by that of the no-op beside it; the median of the rounds."""
        pairs = zip(self.pings, self.creations, strict=True)
        return median(creation.cpu_ms / ping.cpu_ms for ping, creation in pairs)


class Payments(Struct, kw_only=True):
    """Whole payments."""

    count: int
    cpu_ms: float
    """Per payment: its creation, its confirmation, and all that follows."""
    per_second: float
    latencies_us: list[int]
    """Creation and confirmation together; sealing the card between them is the shopper's time."""


class Lag(Struct, kw_only=True):
    """From the PSP's answer, as it logged it, in milliseconds."""

    webhook_ms: list[float]
    stream_ms: list[float]


def warm_up(bench: Bench, sizes: Sizes) -> Measured:
    """A few payments that nobody measures, and status reads of their intents, which are measured.

    And a list, since what only lists load belongs into the memory that is read later.
    """
    bench.measure(Order(what="create", count=AT_ONCE, at_once=AT_ONCE))
    bench.measure(Order(what="list", count=1))
    bench.measure(Order(what="ping", count=AT_ONCE * 4, at_once=AT_ONCE))
    statuses = bench.measure(Order(what="status", count=sizes.statuses, at_once=AT_ONCE))
    bench.measure(Order(what="confirm", count=AT_ONCE, at_once=AT_ONCE))
    return statuses


def in_turn(bench: Bench, sizes: Sizes) -> Rounds:
    """A round of no-ops, a round of creations, and again."""
    rounds = Rounds(pings=[], creations=[])
    for _ in range(sizes.rounds):
        rounds.pings.append(bench.measure(Order(what="ping", count=sizes.pings, at_once=AT_ONCE)))
        creations = Order(what="create", count=sizes.creations, at_once=AT_ONCE, keep=False)
        rounds.creations.append(bench.measure(creations))
    return rounds


def pay(bench: Bench, count: int, *, at_once: int, pause_seconds: float = 0) -> Payments:
    """Open so many intents, then confirm them: cards can be sealed only when intents are known."""
    create = Order(what="create", count=count, at_once=at_once, pause_seconds=pause_seconds)
    created = bench.measure(create)
    confirmed = bench.measure(Order(what="confirm", count=count, at_once=at_once, pause_seconds=pause_seconds))
    return Payments(
        count=count,
        cpu_ms=created.cpu_ms + confirmed.cpu_ms,
        per_second=count / (created.seconds + confirmed.seconds),
        latencies_us=[sum(pair) for pair in zip(created.latencies_us, confirmed.latencies_us, strict=True)],
    )


def psp_alone(bench: Bench, count: int) -> list[int]:
    """How long the PSP itself takes: the same charge, asked from here, one at a time. Microseconds."""
    order = Order(what="charge", count=count, pause_seconds=ALONE_PAUSE_SECONDS)
    return bench.measure(order).latencies_us


def lag(bench: Bench, sizes: Sizes) -> Lag:
    """So many payments a second, each with a live stream open; intents for them are opened before."""
    bench.measure(Order(what="create", count=sizes.lags, at_once=AT_ONCE))
    before = len(bench.received(0))
    paid = bench.measure(Order(what="pay", count=sizes.lags, per_second=sizes.per_second))
    answered, received = bench.answered_us(), bench.received(before)
    attempts = {one.intent: one.attempt or "" for one in received}
    return Lag(
        webhook_ms=[(one.received_us - answered[one.attempt or ""]) / 1000 for one in received],
        stream_ms=[(read - answered[attempts[intent]]) / 1000 for intent, read in paid.read_us.items()],
    )


def memory(bench: Bench, sizes: Sizes) -> list[tuple[int, float]]:
    """(payments so far, resident MB), chunk by chunk, until enough was paid."""
    course = [(bench.paid, bench.memory_mb())]
    while bench.paid < sizes.payments:
        pay(bench, min(sizes.chunk, sizes.payments - bench.paid), at_once=AT_ONCE)
        course.append((bench.paid, bench.memory_mb()))
    return course


def grown_mb(course: list[tuple[int, float]]) -> float:
    """How much memory grew over the last half of the payments: its last fifth beside its first, medians."""
    half = [mb for paid, mb in course if paid >= course[-1][0] / 2]
    fifth = max(len(half) // 5, 1)
    return median(half[-fifth:]) - median(half[:fifth])


def start_up(bench: Bench, times: int) -> list[float]:
    """Stop `serve` and start it on its database: seconds from there to its first answer."""
    stage, port = bench.stage, bench.stage.port
    arguments = ["paydesk", "serve", "--port", str(port), "--data", str(stage.data), "--json"]
    taken: list[float] = []
    for _ in range(times):
        assert stage.server
        stage.server.stop()
        began = time.perf_counter()
        stage.server = Process(arguments, log=stage.folder / "paydesk", environment=stage.environment)
        await_answer(port)
        taken.append(time.perf_counter() - began)
    return taken


def await_answer(port: int) -> None:
    """Knock until `/readyz` is answered with 200."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
                wire.sendall(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n")
                if wire.recv(4096).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            pass
        time.sleep(0.002)
    raise RuntimeError("serve did not answer within 30 s")


def p50_ms(latencies_us: list[int]) -> float:
    return percentile(latencies_us, 0.5) / 1000


def p99_ms(latencies_us: list[int]) -> float:
    return percentile(latencies_us, 0.99) / 1000
