"""What may go wrong between a committer and any engine's session, injected on top of it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum, auto

from paydesk.store import Conflict, DatabaseBroken, Row, StorageFault, UnknownCommit
from paydesk.store.committer import Change, Session


class Fate(Enum):
    """What becomes of one COMMIT."""

    STORED = auto()
    UNKNOWN_STORED = auto()
    UNKNOWN_LOST = auto()
    FULL = auto()
    BROKEN = auto()


class Gate:
    """Holds whoever comes until it is opened; `reached` tells that somebody did."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._open = asyncio.Event()

    async def pass_through(self) -> None:
        self.reached.set()
        await self._open.wait()

    def open(self) -> None:
        self._open.set()


class FaultySession:
    """A session that does what the exam says; otherwise as the engine's own."""

    def __init__(self, inner: Session) -> None:
        self.inner = inner
        self.fates: deque[Fate] = deque()
        """Of the next COMMITs, one each."""
        self.refuses: Callable[[Row], bool] = lambda row: False
        """Rows whose INSERT or UPDATE is a conflict."""
        self.before_write: Callable[[], Awaitable[None]] | None = None
        """Called once, before the next write."""
        self.begin_faults = 0
        """How many of the next BEGINs fail."""
        self.written: list[list[Change]] = []
        """What was handed over, batch by batch, tried or stored."""
        self.loaded: list[tuple[type[Row], list[tuple[str, ...]]]] = []
        self.commits = 0
        self._gate: Gate | None = None

    def hold_commit(self) -> Gate:
        """Hold the next COMMIT until the gate is opened."""
        self._gate = Gate()
        return self._gate

    async def begin(self) -> None:
        if self.begin_faults:
            self.begin_faults -= 1
            raise StorageFault("injected at BEGIN")
        await self.inner.begin()

    async def load(self, kind: type[Row], keys: list[tuple[str, ...]]) -> list[Row]:
        self.loaded.append((kind, keys))
        return await self.inner.load(kind, keys)

    async def write(self, changes: list[Change]) -> None:
        self.written.append(list(changes))
        if self.before_write:
            meddle, self.before_write = self.before_write, None
            await meddle()
        for _, _, after in changes:
            if after is not None and self.refuses(after):
                raise Conflict("injected")
        await self.inner.write(changes)

    async def commit(self) -> None:
        self.commits += 1
        if self._gate:
            gate, self._gate = self._gate, None
            await gate.pass_through()
        fate = self.fates.popleft() if self.fates else Fate.STORED
        if fate in (Fate.STORED, Fate.UNKNOWN_STORED):
            await self.inner.commit()
        else:
            await self.inner.rollback()
        if fate in INJECTED:
            raise INJECTED[fate](f"injected: {fate.name}")

    async def rollback(self) -> None:
        await self.inner.rollback()


INJECTED: dict[Fate, type[Exception]] = {
    Fate.UNKNOWN_STORED: UnknownCommit,
    Fate.UNKNOWN_LOST: UnknownCommit,
    Fate.FULL: StorageFault,
    Fate.BROKEN: DatabaseBroken,
}
