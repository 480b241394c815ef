"""What a row is: a frozen struct per table, with fields str, int, bytes or None, and a key.

Rows that change carry `version`, raised by one at each change; rows without it are written once and perhaps removed.
"""

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, TypeVar, cast

from msgspec import Struct
from msgspec.structs import astuple, fields

Key = tuple["type[Row]", tuple[str, ...]]
"""(row type, the values of its key): what a command names and what the working set is kept by."""

RowType = TypeVar("RowType", bound="Row")


class Row(Struct, frozen=True, kw_only=True):
    """A row that is written once. Subclasses name their table and the fields of their primary key, account first."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    INDEXES: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Index ranges that a named statement of a duty, or a list of /v1, walks along."""
    INDEXES_WHERE: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()
    """(condition, columns): indexes over few of the rows, so that the others cost nothing."""
    WIDE: ClassVar[bool] = False
    """Rows of more than about 500 bytes keep SQLite's rowid, so that the key's tree stays small."""


class Versioned(Row, frozen=True, kw_only=True):
    """A row that changes; `version` is the lock, the ETag and the stream's position in one."""

    version: int = 1


class Duty(Versioned, frozen=True, kw_only=True):
    """Something that must happen after a commit: inserted in the same commit, begun here at once, by another when the
    lease ran out.
    """

    TABLE = "duties"
    KEY = ("account", "id")
    INDEXES = (("due_ms", "account", "id"),)
    INDEXES_WHERE = (("tries > 0 AND note <> ''", ("kind", "created_ms", "account", "id")),)
    """Those that come again and remember something. What goes well at once is not in it, and costs nothing."""

    account: str
    id: str
    """`<kind>:<id of what it is about>`, so that whoever settles the matter can find the duty by key."""
    kind: str
    subject: str
    """The id of the object it is about."""
    note: str = ""
    """What the duty has to remember between tries, as JSON; empty when nothing."""
    tries: int = 0
    """How often it was done and put off."""
    failures: int = 0
    """How often in a row doing it raised; a try that ends well begins anew."""
    final_failures: int = 0
    """Those of them that trying again alone does not mend (`duties/failures.py`)."""
    due_ms: int = 0
    """When it is due; while somebody works on it, the end of the lease."""
    owner: str = ""
    """The process that holds the lease; empty when it waits for its time."""
    lease: int = 0
    """Raised with every lease: what an older holder writes is refused."""
    created_ms: int = 0


class Marker(Row, frozen=True, kw_only=True):
    """One per batch: inserting it again tells whether an unknown COMMIT happened."""

    TABLE = "batch_markers"
    KEY = ("id",)
    INDEXES = (("created_ms", "id"),)

    id: str
    created_ms: int


class Table(Struct, frozen=True):
    """What the statements need to know about a row type."""

    kind: type[Row]
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    versioned: bool
    key_of: Callable[[Row], tuple[str, ...]]
    row: Callable[[Sequence[Any]], Row]
    """Makes the row of its columns' values, in their order."""

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that an UPDATE sets."""
        return tuple(column for column in self.columns if column not in self.key)


@cache
def table_of(kind: type[Row]) -> Table:
    """The table of a row type; made once."""
    columns = tuple(field.name for field in fields(kind))
    versioned = issubclass(kind, Versioned)
    return Table(kind, kind.TABLE, columns, kind.KEY, versioned, _key_reader(kind.KEY), _row_maker(kind, columns))


def key_of(row: Row) -> Key:
    """The key under which the working set keeps this row."""
    kind = type(row)
    return kind, table_of(kind).key_of(row)


def values_of(row: Row) -> tuple[Any, ...]:
    """The row's columns in their order."""
    return astuple(row)


def _key_reader(key: tuple[str, ...]) -> Callable[[Row], tuple[str, ...]]:
    read = cast("Callable[[Row], Any]", attrgetter(*key))
    return read if len(key) > 1 else lambda row: (read(row),)


def _row_maker(kind: type[Row], columns: tuple[str, ...]) -> Callable[[Sequence[Any]], Row]:
    """`lambda values: kind(a=values[0], b=values[1], …)`, compiled once: a payment makes some thirty rows, and a dict
    for each costs two to five times as much.
    """
    names = ", ".join(f"_{column}" for column in columns)
    given = ", ".join(f"{column}=_{column}" for column in columns)
    source = f"def row(values):\n    {names}, = values\n    return kind({given})"
    made: dict[str, Any] = {"kind": kind}
    exec(source, made)  # noqa: S102 (names are our own, as in the statements)
    return made["row"]
