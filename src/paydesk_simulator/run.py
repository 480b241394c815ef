"""One seed from beginning to end: a phase with faults, one without, and then everything is compared."""

import asyncio
import gc
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from msgspec import Struct

from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.shopper import Shopper
from paydesk_simulator.stage import Stage
from paydesk_simulator.storage import cloned
from paydesk_simulator.till import Till

ARRIVE_SECONDS = 3.0  # In the mean between two payments: many are under way at once, and outlive a crash.
FAULTS_SECONDS = 120.0  # How long things go wrong after the last payment arrived.


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
    with cloned(template, f"{os.getpid()}-seed-{seed}") as data, uncollected():
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


@contextmanager
def uncollected() -> Generator[None]:
    """No garbage is looked for meanwhile: a run is short, and its end throws all of it away at once."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Run(Stage):
    """The acts of a storm."""

    def __init__(self, loop: VirtualLoop, data: Path, seed: int, payments: int) -> None:
        super().__init__(loop, data, seed)
        self._payments = payments

    async def acts(self) -> None:
        """Everybody comes, the storm comes and goes, and everything settles."""
        clients = [self.loop.create_task(self._client(number)) for number in range(self._payments)]
        await self._storm()
        await self.calm(clients)

    async def _storm(self) -> None:
        """Safety: whatever goes wrong, nothing wrong is done."""
        self.server.begin_storm()
        self.psp.begin_storm()
        await asyncio.sleep(self._payments * ARRIVE_SECONDS + FAULTS_SECONDS * self.dice.random())

    async def _client(self, number: int) -> None:
        await asyncio.sleep(self.dice.random() * self._payments * ARRIVE_SECONDS)
        merchant = self.dice.choice(self.merchants)
        if (intent := await merchant.open(f"order-{number}")) is None:
            return
        everybody = {"server": self.server, "dice": self.dice, "told": self.told, "journal": self.journal}
        till = Till(merchant, f"order-{number}", intent, database=self.database, **everybody)
        shopper = Shopper(merchant.account, intent, bank=self.bank, **everybody)
        async with asyncio.TaskGroup() as group:
            group.create_task(till.work())
            await asyncio.sleep(self.dice.uniform(0, 20))
            await shopper.pay()
