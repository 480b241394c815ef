"""One SQLite file: one connection writes and checkpoints, one reads, both on the event loop; only COMMIT goes to a
thread.

sqlite3 releases the GIL at every row: beside a busy loop a batch in a thread took up to 111 ms, with only COMMIT there
27 ms.
Pragmas after https://www.sqlite.org/pragma.html and https://www.sqlite.org/wal.html.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from paydesk.store import statements
from paydesk.store.commit_thread import CommitThread
from paydesk.store.committer import Change
from paydesk.store.faults import Conflict, DatabaseBroken, StorageFault
from paydesk.store.rows import Row, table_of, values_of

RowType = TypeVar("RowType", bound=Row)

BUSY_RETRY_SECONDS = 0.005  # Somebody looks at the file from outside (a backup): wait without holding the loop.
BUSY_TRIES = 1000
CACHE_KIB = 16 * 1024  # Per connection; memory that 50 000 payments may not raise.


def connect(path: Path, *, read_only: bool, immutable: bool = False) -> sqlite3.Connection:
    """A connection in autocommit, so that BEGIN and COMMIT are ours. `immutable`: a file that nobody writes."""
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}{'&immutable=1' if immutable else ''}",
        uri=True,
        timeout=0,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    if not read_only:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA journal_size_limit = 67108864")
    return database


class StorageFaults:
    """What the file cannot do becomes a StorageFault; what can't be asked of it (a value it has no type for) stays."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, why: BaseException | None, trace: object) -> None:
        ours = isinstance(why, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.ProgrammingError)
        if isinstance(why, sqlite3.DatabaseError) and not ours:
            raise StorageFault(str(why)) from why


storage_faults = StorageFaults()


class SqliteSession:
    """The connection that writes; used by one committer alone."""

    def __init__(self, path: Path, *, commit_in_thread: bool = True) -> None:
        self.database = connect(path, read_only=False)
        self._thread = CommitThread() if commit_in_thread else None

    async def begin(self) -> None:
        """Take the write lock; another's lock is waited for without holding the loop."""
        for _ in range(BUSY_TRIES):
            try:
                self.database.execute("BEGIN IMMEDIATE")
            except sqlite3.DatabaseError as why:
                if why.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise StorageFault(str(why)) from why
                await asyncio.sleep(BUSY_RETRY_SECONDS)
            else:
                return
        raise StorageFault("the database is locked by another program")

    async def load(self, kind: type[Row], keys: list[tuple[str, ...]]) -> list[Row]:
        return load_rows(self.database, kind, keys)

    async def write(self, changes: list[Change]) -> None:
        """All inserts, updates and deletes, in bulk per table, tables in one order."""
        try:
            with storage_faults:
                for kind, some in _by_table(changes):
                    self._write_table(kind, some)
        except sqlite3.IntegrityError as why:
            raise Conflict(str(why)) from why

    async def commit(self) -> None:
        """fsync, and a checkpoint now and then; in a thread, so that the loop goes on."""
        try:
            if self._thread:
                await self._thread.run(lambda: self.database.execute("COMMIT"))
            else:
                self.database.execute("COMMIT")
        except sqlite3.DatabaseError as why:
            if why.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
                raise DatabaseBroken(str(why)) from why
            await self.rollback()
            raise StorageFault(str(why)) from why

    async def rollback(self) -> None:
        if self.database.in_transaction:  # A full disk has rolled back by itself.
            self.database.execute("ROLLBACK")

    def close(self) -> None:
        if self._thread:
            self._thread.close()
        self.database.close()

    def _write_table(self, kind: type[Row], changes: list[Change]) -> None:
        table = table_of(kind)
        deletes: list[tuple[Any, ...]] = []
        updates: list[tuple[Any, ...]] = []
        inserts: list[tuple[Any, ...]] = []
        for key, before, after in changes:
            if before is not None and after is not None and table.versioned:
                updates.append(_update(before, after, key[1]))
                continue
            if before is not None:
                deletes.append(_delete(before, key[1]))
            if after is not None:  # Also in place of the one deleted: without a version there is no UPDATE.
                inserts.append(values_of(after))
        if deletes:
            self._exactly(table.name, statements.delete(kind), deletes)
        if updates:
            self._exactly(table.name, statements.update(kind), updates)
        if inserts:
            self.database.executemany(statements.insert(kind), inserts)

    def _exactly(self, table: str, statement: str, parameters: Sequence[tuple[Any, ...]]) -> None:
        """Run it for each row, and see that each row was hit: a version that moved on is a conflict."""
        hit = self.database.executemany(statement, parameters).rowcount
        if hit != len(parameters):
            raise Conflict(f"{table}: {hit} of {len(parameters)} rows were as loaded")


class SqliteReader:
    """The connection that reads what is committed: rows by key, and a duty's named statements."""

    def __init__(self, path: Path) -> None:
        self.database = connect(path, read_only=True)

    async def get(self, kind: type[RowType], *key: str) -> RowType | None:
        """One row by its key, or None."""
        with storage_faults:
            values = self.database.execute(statements.load(kind, 1), key).fetchone()
        return None if values is None else cast("RowType", table_of(kind).row(values))

    async def get_all(self, kind: type[RowType], keys: Iterable[tuple[str, ...]]) -> list[RowType]:
        """The rows of these keys that exist."""
        return cast("list[RowType]", load_rows(self.database, kind, list(keys)))

    async def query(self, kind: type[RowType], statement: str, parameters: Sequence[Any]) -> list[RowType]:
        """Whole rows by a named statement over an index range; the statement selects the columns in their order."""
        make = cast("Callable[[tuple[Any, ...]], RowType]", table_of(kind).row)
        with storage_faults:
            return [make(values) for values in self.database.execute(statement, parameters)]

    async def texts(self, statement: str, parameters: Sequence[Any]) -> list[str]:
        """The first column of each row."""
        with storage_faults:
            return [row[0] for row in self.database.execute(statement, parameters)]

    async def number(self, statement: str, parameters: Sequence[Any]) -> int | None:
        """One number, or None."""
        with storage_faults:
            row = self.database.execute(statement, parameters).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        self.database.close()


def load_rows(database: sqlite3.Connection, kind: type[Row], keys: list[tuple[str, ...]]) -> list[Row]:
    """The rows of these keys that exist, in any order."""
    table, found = table_of(kind), list[Row]()
    with storage_faults:
        for start in range(0, len(keys), statements.LOAD_SIZES[-1]):
            some = keys[start : start + statements.LOAD_SIZES[-1]]
            size = next(size for size in statements.LOAD_SIZES if size >= len(some))
            parameters = [value for key in some for value in key] + list(some[-1]) * (size - len(some))
            rows = [table.row(values) for values in database.execute(statements.load(kind, size), parameters)]
            found += rows if size == len(some) else {table.key_of(row): row for row in rows}.values()
    return found


def _by_table(changes: list[Change]) -> list[tuple[type[Row], list[Change]]]:
    tables: dict[type[Row], list[Change]] = {}
    for change in changes:
        tables.setdefault(change[0][0], []).append(change)
    return sorted(tables.items(), key=lambda entry: table_of(entry[0]).name)


def _update(before: Row, after: Row, key: tuple[str, ...]) -> tuple[Any, ...]:
    names = table_of(type(after)).values
    return (*(getattr(after, name) for name in names), *key, before.version)  # type: ignore[attr-defined]


def _delete(before: Row, key: tuple[str, ...]) -> tuple[Any, ...]:
    return (*key, before.version) if table_of(type(before)).versioned else key  # type: ignore[attr-defined]
