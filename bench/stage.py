"""The processes of a bench: Paydesk, the sandbox PSP, a webhook receiver, the load generator."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
from msgspec import Struct

from bench.machine import cpu_seconds, memory_mb
from bench.orders import Done, Order, Setting
from bench.receiver import Received
from bench.requests import SHOP
from tests.stage.processes import running
from tests.stage.stage import Stage, staged

SETTLE_SECONDS = 60.0
LOOK_SECONDS = 0.02


class Load:
    """The generator's process."""

    def __init__(self, setting: Setting) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.generator"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._say(msgspec.json.encode(setting))

    def prepare(self, order: Order) -> None:
        """Have the requests made; returns when they are."""
        self._say(msgspec.json.encode(order))
        assert self._hear() == b"ready"

    def go(self) -> Done:
        """Have them sent; returns when all are answered."""
        self._say(b"go")
        return msgspec.json.decode(self._hear(), type=Done)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _say(self, line: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def _hear(self) -> bytes:
        assert self._process.stdout
        if not (line := self._process.stdout.readline()):
            raise RuntimeError("the load generator failed; see above")
        return line.strip()


class Measured(Struct, kw_only=True):
    """One order, with the CPU that all of Paydesk took for it until nothing was left to do."""

    count: int
    seconds: float
    """From the first request to the last answer."""
    cpu_ms: float
    """Per request."""
    latencies_us: list[int]
    read_us: dict[str, int]

    @property
    def per_second(self) -> float:
        return self.count / self.seconds


class Bench:
    """A stage with a merchant, a receiver and a generator."""

    def __init__(self, stage: Stage, load: Load, receiver: str) -> None:
        self.stage = stage
        self.load = load
        self.paid = 0
        self._receiver = receiver
        self._database = sqlite3.connect(f"{(stage.data / 'paydesk.db').absolute().as_uri()}?mode=ro", uri=True)

    @property
    def pid(self) -> int:
        """Paydesk is one process."""
        assert self.stage.server
        return self.stage.server.pid

    def memory_mb(self) -> float:
        return memory_mb(self.pid)

    def measure(self, order: Order) -> Measured:
        """Make the requests, then send them and see what that takes, with all that follows from them."""
        self.load.prepare(order)
        before = cpu_seconds(self.pid)
        done = self.load.go()
        self.settle()
        cpu_ms = (cpu_seconds(self.pid) - before) * 1000 / order.count
        self.paid += order.count if order.what in ("confirm", "pay") else 0
        return Measured(
            count=order.count, seconds=done.seconds, cpu_ms=cpu_ms, latencies_us=done.latencies_us, read_us=done.read_us
        )

    def settle(self) -> None:
        """Wait until nothing is owed: every event dispatched, every delivery recorded."""
        until = time.monotonic() + SETTLE_SECONDS
        while self._number('SELECT count(*) FROM "duties" WHERE "kind" <> \'mature\''):
            if time.monotonic() > until:
                raise RuntimeError(f"there are still duties after {SETTLE_SECONDS} s")
            time.sleep(LOOK_SECONDS)

    def received(self, since: int) -> list[Received]:
        """What the merchant received after the first `since` webhooks."""
        return msgspec.json.decode(fetch(f"{self._receiver}/received?since={since}"), type=list[Received])

    def answered_us(self) -> dict[str, int]:
        """When the PSP's answer about each attempt was written, by its own books."""
        charges = msgspec.json.decode(fetch(f"{self.stage.psp}/books"))["charges"]
        return {charge["reference"]: charge["answered_us"] for charge in charges}

    def check_books(self) -> None:
        """Every payment is one charge at the PSP, one delivery recorded and one webhook received."""
        delivered = self._number('SELECT count(*) FROM "deliveries" WHERE "status" = \'succeeded\' AND attempts = 1')
        posted = self._number('SELECT count(*) FROM "ledger_transactions" WHERE "kind" = \'capture\'')
        received = len({one.intent for one in self.received(0)})
        if not self.paid == delivered == posted == received:
            raise RuntimeError(f"{self.paid} paid, {posted} posted, {delivered} delivered, {received} received")

    def _number(self, statement: str) -> int:
        return self._database.execute(statement).fetchone()[0]


@contextmanager
def playing(folder: Path) -> Generator[Bench]:
    """Everything started, one merchant made, whose endpoint subscribes to `payment_intent.succeeded` alone."""
    receiver = running(["bench.receiver"], log=folder / "receiver", ready="listening on")
    with staged(folder) as stage, receiver as (_, line):
        url = line.split()[-1]
        merchant: dict[str, Any] = stage.command(
            "merchants", "create", "Bench", "--origin", SHOP, "--psp-url", stage.psp
        )
        add = ("webhooks", "add", merchant["merchant_id"], f"{url}/webhooks", "--events", "payment_intent.succeeded")
        stage.command(*add)
        begin_again(stage)
        load = Load(Setting(paydesk=stage.paydesk, psp=stage.psp, key_id=merchant["key_id"], secret=merchant["secret"]))
        try:
            yield Bench(stage, load, url)
        finally:
            load.close()


def begin_again(stage: Stage) -> None:
    """Start `serve` again: from now on it is one on a migrated database, as it is from its second day on."""
    assert stage.server
    stage.server.stop()
    stage.start(stage.port)


def fetch(url: str) -> bytes:
    with urlopen(url, timeout=60) as answer:
        return answer.read()
