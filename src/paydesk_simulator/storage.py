"""The database of a run: a migrated file cloned, and a layer of faults over the session and the reader of each life."""

import asyncio
import shutil
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from paydesk.assembly.migrate import migrate
from paydesk.config import Config
from paydesk.payments.rows import Intent
from paydesk.store import Conflict, DatabaseBroken, Duty, Row, StorageFault, UnknownCommit
from paydesk.store.committer import Change
from paydesk.store.lists import Lists
from paydesk.store.rows import Marker
from paydesk.store.sqlite import SqliteReader, SqliteSession
from paydesk_simulator.crashes import AFTER_COMMIT, BEFORE_COMMIT, BROKEN_COMMIT, Crashes
from paydesk_simulator.dice import Random
from paydesk_simulator.weather import Weather
from paydesk_simulator.world import MortalWorld

RowType = TypeVar("RowType", bound=Row)

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (Linux's own; what we put there is in a folder that only we can read)
PAST_MS = 30_000  # So much later what was decided may be stored: COMMITs that are slow, unknown, and written again.
CONFLICTS_MAX = 2  # Until something is stored: the committer takes a third one of a lone command for a bug.


@contextmanager
def template() -> Generator[Path]:
    """A migrated database in a folder of its own, in memory where the machine has such a file system."""
    with TemporaryDirectory(
        prefix="paydesk-simulator-", dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    ) as folder:
        file = Path(folder) / "template.db"
        migrate(file)
        yield file


@contextmanager
def cloned(file: Path, name: str) -> Generator[Path]:
    """A data folder with a copy of the template, beside it, for as long as the block runs."""
    data = file.parent / name
    data.mkdir()
    try:
        shutil.copyfile(file, data / Config(data=data).database.name)
        yield data
    finally:
        shutil.rmtree(data)


class NoLists(Lists):
    """Nobody asks for lists in a simulation."""

    def __init__(self) -> None:
        """Makes no engine."""

    async def close(self) -> None:
        """There is nothing to close."""


class Connections:
    """A process's two connections. They outlive its lives, so that their statements stay prepared."""

    def __init__(self, database: Path) -> None:
        self.session = SqliteSession(database, commit_in_thread=False)
        self.session.database.execute("PRAGMA synchronous = OFF")  # The process crashes, the machine does not.
        self.reader = SqliteReader(database)

    def crash(self) -> None:
        """What was not committed is gone."""
        self.session.database.rollback()

    def close(self) -> None:
        """The run is over."""
        self.session.close()
        self.reader.close()


class Stores:
    """What one life of a process has of the database."""

    def __init__(
        self, connections: Connections, world: MortalWorld, weather: Weather, crashes: Crashes, dice: Random
    ) -> None:
        self.session = FaultySession(connections.session, world, weather, crashes, dice)
        self.reader = FaultyReader(connections.reader, weather)
        self.lists = NoLists()


class FaultySession:
    """The engine's session with faults, crash points, and a COMMIT that takes its time."""

    def __init__(
        self, inner: SqliteSession, world: MortalWorld, weather: Weather, crashes: Crashes, dice: Random
    ) -> None:
        self._inner = inner
        self._world = world
        self._weather = weather
        self._crashes = crashes
        self._dice = dice
        self._conflicts = 0

    async def begin(self) -> None:
        self._world.check()
        self._fail_if("storage begin")
        await self._inner.begin()

    async def load(self, kind: type[Row], keys: list[tuple[str, ...]]) -> list[Row]:
        self._fail_if("storage load")
        return await self._inner.load(kind, keys)

    async def write(self, changes: list[Change]) -> None:
        self._fail_if("storage write")
        looks_for_marker = len(changes) == 1 and changes[0][0][0] is Marker  # There a conflict is an answer.
        if not looks_for_marker and self._conflicts < CONFLICTS_MAX and self._weather.strikes("storage conflict"):
            self._conflicts += 1
            raise Conflict("simulated")
        self._judge_duties(changes)
        self._judge_intents(changes)
        await self._inner.write(changes)

    def _judge_duties(self, changes: list[Change]) -> None:
        """A duty that is put off to what is past already comes again at once, and again."""
        past_ms = self._world.now_ms() - PAST_MS
        for _, before, after in changes:
            if not (isinstance(after, Duty) and isinstance(before, Duty)) or after.tries == before.tries:
                continue
            if after.due_ms < past_ms:
                self._world.journal.violated(f"{after.id} was put off to {self._world.now_ms() - after.due_ms} ms ago")

    def _judge_intents(self, changes: list[Change]) -> None:
        """What goes back is never more than what came, at no moment."""
        for _, _, after in changes:
            if isinstance(after, Intent) and after.refunding_minor + after.refunded_minor > after.received_minor:
                back = f"{after.refunding_minor} + {after.refunded_minor}"
                self._world.journal.violated(f"{after.id} gives back {back} of {after.received_minor}")

    async def commit(self) -> None:
        slow = self._weather.strikes("storage slow")
        await asyncio.sleep(self._dice.uniform(0.05, 3) if slow else self._dice.uniform(0.0005, 0.004))
        if self._crashes.due(BEFORE_COMMIT):
            await self._world.die(BEFORE_COMMIT)
        await self._store()
        if self._crashes.due(AFTER_COMMIT):
            await self._world.die(AFTER_COMMIT)

    async def rollback(self) -> None:
        self._world.check()
        await self._inner.rollback()

    async def _store(self) -> None:
        if self._weather.strikes("storage full at commit"):
            await self._inner.rollback()
            raise StorageFault("simulated")
        if self._weather.strikes("storage unknown, lost"):
            await self._inner.rollback()
            raise UnknownCommit("simulated")
        if self._crashes.due(BROKEN_COMMIT):
            await (self._inner.commit() if self._dice.random() < 0.5 else self._inner.rollback())
            raise DatabaseBroken("simulated")
        await self._inner.commit()
        self._conflicts = 0
        if self._weather.strikes("storage unknown, stored"):
            raise UnknownCommit("simulated")

    def _fail_if(self, kind: str) -> None:
        if self._weather.strikes(kind):
            raise StorageFault("simulated")


class FaultyReader:
    """The engine's reader; some reads fail."""

    def __init__(self, inner: SqliteReader, weather: Weather) -> None:
        self._inner = inner
        self._weather = weather

    async def get(self, kind: type[RowType], *key: str) -> RowType | None:
        self._fail_perhaps()
        return await self._inner.get(kind, *key)

    async def get_all(self, kind: type[RowType], keys: Iterable[tuple[str, ...]]) -> list[RowType]:
        self._fail_perhaps()
        return await self._inner.get_all(kind, keys)

    async def query(self, kind: type[RowType], statement: str, parameters: Sequence[Any]) -> list[RowType]:
        self._fail_perhaps()
        return await self._inner.query(kind, statement, parameters)

    async def texts(self, statement: str, parameters: Sequence[Any]) -> list[str]:
        self._fail_perhaps()
        return await self._inner.texts(statement, parameters)

    async def number(self, statement: str, parameters: Sequence[Any]) -> int | None:
        self._fail_perhaps()
        return await self._inner.number(statement, parameters)

    def _fail_perhaps(self) -> None:
        if self._weather.strikes("storage read"):
            raise StorageFault("simulated")
