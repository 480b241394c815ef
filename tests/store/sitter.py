"""Who sits the exam: an engine with a database of its own, a clock and a loop."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from paydesk.store import Duty, Row, table_of
from paydesk.store.committer import Session
from paydesk.store.rows import Marker
from paydesk.store.schema import sql_table
from paydesk.store.sqlite import SqliteReader, SqliteSession
from paydesk.world import Answer, NoAnswer, NotSent, Outgoing, World
from tests.store.exam_rows import Counter, Ticket
from tests.store.turned import run_turned

T = TypeVar("T")

KINDS: tuple[type[Row], ...] = (Counter, Ticket, Duty, Marker)
TOO_LONG_SECONDS = 60  # Nothing in the exam takes a second: this ends what hangs, with a name.
TURNED_START_MS = 1_700_000_000_000
FORGETFUL = "PRAGMA synchronous = OFF"  # Nobody pulls the plug here.
PAGES_MAX = 1_073_741_823  # SQLite's own limit.


class Sitter(Protocol):
    """One engine with an empty database that has the tables of KINDS."""

    turned: bool
    """Whether its clock stands still while anybody has something to do."""

    def run(self, exam: Coroutine[Any, Any, T]) -> T:
        """Run a part of the exam on the loop this engine needs."""
        ...

    def world(self) -> World: ...
    def session(self) -> Session:
        """A connection that writes; closed with the sitter."""
        ...

    def stored(self, kind: type[Row]) -> list[Row]:
        """Every committed row, in the order of its key, over a connection of its own."""
        ...

    def store(self, row: Row) -> None:
        """Another program puts this row in, over the one that is there."""
        ...

    @contextmanager
    def full(self, session: Session) -> Generator[None]:
        """For as long as the block runs, the session's database cannot grow."""
        ...

    def close(self) -> None: ...


class ExamWorld:
    """A clock, dice and tasks. Nothing leaves."""

    def __init__(self, *, turned: bool) -> None:
        self._turned = turned
        self.tasks: set[asyncio.Task[None]] = set()
        self.failed: list[tuple[str, BaseException]] = []

    def now_ms(self) -> int:
        return TURNED_START_MS + round(self.monotonic() * 1000) if self._turned else time.time_ns() // 1_000_000

    def wall_ms(self) -> int:
        return self.now_ms()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def random(self, size: int) -> bytes:
        return os.urandom(size)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def send(self, request: Outgoing) -> Answer | NotSent | NoAnswer:
        raise AssertionError(f"the store calls {request.url}")

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (why := task.exception()):
            self.failed.append((task.get_name(), why))


class SqliteSitter:
    """One SQLite file. Turned: COMMIT inline, a turned clock; else COMMIT in its thread, and this machine's clock."""

    def __init__(self, folder: Path, *, turned: bool, kinds: tuple[type[Row], ...] = KINDS) -> None:
        self.turned = turned
        self.path = folder / "exam.db"
        self._sessions: list[SqliteSession] = []
        self._readers: list[SqliteReader] = []
        create_tables(self.path, kinds)

    def run(self, exam: Coroutine[Any, Any, T]) -> T:
        return run_turned(exam) if self.turned else asyncio.run(self._watched(exam))

    def world(self) -> ExamWorld:
        return ExamWorld(turned=self.turned)

    def session(self) -> SqliteSession:
        session = SqliteSession(self.path, commit_in_thread=not self.turned)
        self._sessions.append(session)
        if self.turned:
            session.database.execute(FORGETFUL)
        return session

    def reader(self) -> SqliteReader:
        self._readers.append(SqliteReader(self.path))
        return self._readers[-1]

    def stored(self, kind: type[Row]) -> list[Row]:
        table = table_of(kind)
        order = ", ".join(f'"{column}"' for column in table.key)
        with closing(sqlite3.connect(self.path)) as database:
            columns = ", ".join(f'"{column}"' for column in table.columns)
            return [
                table.row(values) for values in database.execute(f"SELECT {columns} FROM {table.name} ORDER BY {order}")
            ]

    def store(self, row: Row) -> None:
        table = table_of(type(row))
        places = ", ".join("?" for _ in table.columns)
        with closing(sqlite3.connect(self.path, timeout=0)) as database, database:
            database.execute(FORGETFUL)
            values = [getattr(row, column) for column in table.columns]
            database.execute(f"INSERT OR REPLACE INTO {table.name} VALUES ({places})", values)

    @contextmanager
    def full(self, session: Session) -> Generator[None]:
        assert isinstance(session, SqliteSession)
        (pages,) = session.database.execute("PRAGMA page_count").fetchone()
        session.database.execute(f"PRAGMA max_page_count = {pages}")
        try:
            yield
        finally:
            session.database.execute(f"PRAGMA max_page_count = {PAGES_MAX}")

    def trace(self, session: Session, told: Callable[[str], None]) -> None:
        """Tell of every statement of this session, before it runs and on its thread."""
        assert isinstance(session, SqliteSession)
        session.database.set_trace_callback(told)

    def clear(self) -> None:
        """Take every row away."""
        with closing(sqlite3.connect(self.path)) as database, database:
            for kind in KINDS:
                database.execute(f"DELETE FROM {table_of(kind).name}")

    def close(self) -> None:
        for connection in (*self._sessions, *self._readers):
            connection.close()
        self._sessions, self._readers = [], []

    async def _watched(self, exam: Coroutine[Any, Any, T]) -> T:
        async with asyncio.timeout(TOO_LONG_SECONDS):
            return await exam


def create_tables(path: Path, kinds: tuple[type[Row], ...]) -> None:
    """The tables and indexes of these row types, as the migrations make them."""
    metadata = sa.MetaData()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(FORGETFUL)
        for kind in kinds:
            table = sql_table(kind, metadata)
            database.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                database.execute(str(CreateIndex(index).compile(dialect=sqlite.dialect())))
