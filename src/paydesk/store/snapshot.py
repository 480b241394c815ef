"""The database as it is committed at one moment, over a connection of its own: for what reads all of it.

While a snapshot is open the write-ahead log can't begin anew: close it.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

from paydesk.store.rows import Row, table_of
from paydesk.store.sqlite import connect, storage_faults

RowType = TypeVar("RowType", bound=Row)


class Snapshot:
    """Rows in the order of an index, one after the other, however many there are."""

    def __init__(self, path: Path) -> None:
        with storage_faults:
            self._database = connect(path, read_only=True)
            self._database.execute("BEGIN")
            self._database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()  # The moment is that of a read.

    def rows(self, kind: type[RowType], *order: str, **equal: str) -> Generator[RowType]:
        """Every row whose columns equal what is given, sorted by the columns of `order`."""
        table = table_of(kind)
        # With their table's name: what SQLite does not know, it takes for a text where it stands alone in quotes.
        columns, by = (", ".join(f't."{name}"' for name in names) for names in (table.columns, order))
        where = " AND ".join(f't."{name}" = ?' for name in equal)
        statement = f'SELECT {columns} FROM "{table.name}" t{" WHERE " if where else ""}{where} ORDER BY {by}'  # noqa: S608
        with storage_faults:
            for values in self._database.execute(statement, tuple(equal.values())):
                yield cast("RowType", table.row(values))

    def total(self, kind: type[Row], column: str) -> int:
        """The sum of a column. It holds the loop while it reads the whole table: for small ones."""
        statement = f'SELECT coalesce(sum("{column}"), 0) FROM "{table_of(kind).name}"'  # noqa: S608 (names are our own)
        with storage_faults:
            return self._database.execute(statement).fetchone()[0]

    def close(self) -> None:
        self._database.close()


@contextmanager
def snapshot(path: Path) -> Generator[Snapshot]:
    """A snapshot for as long as the block runs."""
    opened = Snapshot(path)
    try:
        yield opened
    finally:
        opened.close()
