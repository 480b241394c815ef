"""Who begins what, and when: fresh duties at once, others when they are due."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType

from paydesk.desk import Desk
from paydesk.duties.dead import Failed, Parked
from paydesk.duties.failures import is_retryable, reason_of
from paydesk.duties.lease import LeaseLost, TakeLease
from paydesk.duties.places import Places
from paydesk.errors import Refusal
from paydesk.store import Duty, Key, Row, StorageFault, table_of
from paydesk.store.work import LEASE_MS

Handler = Callable[[Duty, object], Awaitable[None]]
"""Does the duty and submits the command that finishes it or puts it off; the second argument is what was carried."""

SWEEP = 64  # Due duties taken over at a time.
RETRY_SECONDS = 1.0  # After a look, or a taking, that the database refused.

_COLUMNS = ", ".join(f'"{column}"' for column in table_of(Duty).columns)
# The duties that are due, the longest due first.
DUE = f'SELECT {_COLUMNS} FROM "duties" WHERE "due_ms" <= ? ORDER BY "due_ms", "account", "id" LIMIT ?'  # noqa: S608
# When the next duty is due.
NEXT = 'SELECT min("due_ms") FROM "duties"'


class Runner:
    """One per process. `carry` before the commit is published; `run` as a task; `stop` begins nothing more."""

    def __init__(
        self,
        desk: Desk,
        process: str,
        handlers: Mapping[str, Handler],
        parked: Mapping[str, Parked] = MappingProxyType({}),
    ) -> None:
        self._desk = desk
        self._process = process
        self._handlers = handlers
        self._parked = parked
        self._carried: dict[str, object] = {}
        self._running: dict[str, Duty] = {}
        self._places: defaultdict[str, Places] = defaultdict(Places)
        self._wake_ms = sys.maxsize
        self._rung = asyncio.Event()
        self._stopped = False
        self._idle = asyncio.Event()
        desk.published.listen(Duty, self._changed)

    def carry(self, duty: Duty, thing: object) -> None:
        """Hand `thing` to the duty when it begins, which it does as soon as its commit is published."""
        self._carried[duty.id] = thing

    def running(self, kind: str = "", account: str = "") -> int:
        """How many duties are under way here: of one kind or of all, of one account or of all."""
        return sum(
            1
            for duty in self._running.values()
            if (not kind or duty.kind == kind) and (not account or duty.account == account)
        )

    def waiting(self, kind: str) -> int:
        """How many fresh duties of a kind wait for a place."""
        return self._places[kind].waiting if kind in self._places else 0

    @property
    def kinds(self) -> Iterable[str]:
        """What somebody here knows how to do."""
        return self._handlers

    def stop(self) -> None:
        """Begin nothing more. What is owed stays in the database."""
        self._stopped = True
        self._rung.set()
        self._look_whether_idle()

    async def drain(self, seconds: float) -> None:
        """Stop, and wait for what is under way; so long at most."""
        self.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    async def run(self) -> None:
        """Take over what is due, sleep until the next due time, be woken by commits that make it earlier."""
        while not self._stopped:
            self._rung.clear()
            self._wake_ms = sys.maxsize  # Whatever is owed while we look rings.
            try:
                await self._take_due()
                self._wake_ms = min(await self._next_due_ms(), self._wake_ms)
            except (StorageFault, Refusal) as why:
                self._desk.log.error("duties_unreadable", reason=str(why))
                self._wake_ms = self._desk.world.now_ms() + int(RETRY_SECONDS * 1000)
            await self._sleep()

    async def _sleep(self) -> None:
        """Until it is time, or somebody rings."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max((self._wake_ms - self._desk.world.now_ms()) / 1000, 0.001)):
                await self._rung.wait()

    async def _next_due_ms(self) -> int:
        """A lease from now at the latest: duties that begin here meanwhile are due then, and what another process owes
        is nowhere told.
        """
        far = self._desk.world.now_ms() + LEASE_MS
        return min(await self._desk.reader.number(NEXT, ()) or far, far)

    async def _take_due(self) -> None:
        due = await self._desk.reader.query(Duty, DUE, (self._desk.world.now_ms(), SWEEP))
        refused: list[Refusal] = []
        taking = [self._desk.world.spawn(self._take(duty, refused), f"take {duty.id}") for duty in due]
        if taking:
            await asyncio.wait(taking)
        if refused:  # They are due still: without a pause we would look again at once, and again.
            raise refused[0]

    async def _take(self, duty: Duty, refused: list[Refusal]) -> None:
        running_here = duty.id in self._running
        try:
            taken = await self._desk.submit(TakeLease(duty=duty, running_here=running_here))
        except Refusal as why:
            refused.append(why)
            return
        if taken and not running_here:
            self._begin(taken)

    def _changed(self, key: Key, row: Row | None) -> None:
        """A commit touched a duty: begin it if it is ours and fresh, and see that we are awake when it is due."""
        if not isinstance(row, Duty):
            return
        if row.owner == self._process and row.version == 1:
            self._begin(row)
            self._wake_ms = min(self._wake_ms, row.due_ms)  # Its lease may run out, or it may fail.
        elif row.due_ms < self._wake_ms:
            self._rung.set()

    def _begin(self, duty: Duty) -> None:
        thing = self._carried.pop(duty.id, None)
        if self._stopped or duty.id in self._running:
            return
        if thing is None and not self._places[duty.kind].take(duty):
            return
        self._running[duty.id] = duty
        self._desk.world.spawn(self._do(duty, thing), duty.id)

    async def _do(self, duty: Duty, thing: object) -> None:
        try:
            await self._handlers[duty.kind](duty, thing)
        except LeaseLost:
            self._desk.log.warning("lease_lost", duty=duty.id)
        except Exception as why:
            await self._failed(duty, why)
        finally:
            del self._running[duty.id]
            self._look_whether_idle()
            if thing is None:
                self._places[duty.kind].leave(duty)
                self._begin_waiting(self._places[duty.kind])

    def _look_whether_idle(self) -> None:
        if self._stopped and not self._running:
            self._idle.set()

    async def _failed(self, duty: Duty, why: Exception) -> None:
        """Put it off or park it. What can't be stored now is found again when its lease runs out."""
        desk, retryable, reason = self._desk, is_retryable(why), reason_of(why)
        if retryable:
            desk.log.warning("duty_put_off", duty=duty.id, reason=reason)
        else:
            desk.log.error("duty_failed", duty=duty.id, exc_info=why)
        desk.metrics.duties_failed.labels(duty.kind, "retryable" if retryable else "final").inc()
        chance = int.from_bytes(desk.world.random(4), "big") / 2**32
        failed = Failed(
            duty=duty, retryable=retryable, reason=reason, chance=chance, parked=self._parked.get(duty.kind)
        )
        try:
            dead = await desk.submit(failed)
        except Refusal as refused:  # The lease is gone, or nothing can be stored.
            desk.log.warning("failure_not_stored", duty=duty.id, reason=str(refused))
            return
        if dead:
            desk.log.error("duty_parked", duty=duty.id, reason=dead.reason, tries=dead.tries + dead.failures)
            desk.metrics.duties_parked.labels(duty.kind).inc()

    def _begin_waiting(self, places: Places) -> None:
        now_ms = self._desk.world.now_ms()
        for duty in places.next():
            if duty.due_ms > now_ms:  # Its lease still holds; else the clock finds it.
                self._begin(duty)
