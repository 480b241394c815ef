"""What `decide` sees: the rows of a batch in memory, read and changed without a database.

A `WorkingSet` belongs to a batch; each command gets a `Work` on top of it whose changes are kept only if the command
ends well.
"""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from paydesk.errors import Refusal
from paydesk.store.ids import make_id, shard_of
from paydesk.store.rows import Duty, Key, Row, Versioned, key_of, table_of

AnyRow = TypeVar("AnyRow", bound=Row)
AnyVersioned = TypeVar("AnyVersioned", bound=Versioned)

LEASE_MS = 90_000  # Longer than any single thing a duty asks outside may take, so nobody takes over from the living.


_UNSEEN = object()


class Absent(BaseException):
    """A row that was not loaded. No Exception, so that no `except Exception` in a decision swallows it: the committer
    loads and runs again.
    """

    def __init__(self, key: Key, *, locked: bool) -> None:
        super().__init__(key)
        self.key = key
        self.locked = locked
        """Whether the decision relies on nobody else changing the row (PostgreSQL locks it)."""


class Stamp(Struct, frozen=True, kw_only=True):
    """Fixed when a command is submitted, so that deciding it again gives the same."""

    now_ms: int
    random62: int
    process: str


class WorkingSet:
    """The rows of one batch: as loaded, and as they are after the commands kept so far. None: known not to exist."""

    __slots__ = ("current", "loaded")

    def __init__(self) -> None:
        self.loaded: dict[Key, Row | None] = {}
        self.current: dict[Key, Row | None] = {}

    def learn(self, keys: list[Key], rows: list[Row]) -> None:
        """Take in what a load found; keys without a row do not exist."""
        for key in keys:
            self.loaded[key] = self.current[key] = None
        for row in rows:
            key = key_of(row)
            self.loaded[key] = self.current[key] = row

    def unseen(self) -> list[Key]:
        """Keys that were added without having been loaded, and removed again."""
        return [key for key, after in self.current.items() if after is None and key not in self.loaded]

    def changed(self) -> list[tuple[Key, Row | None, Row | None]]:
        """(key, as loaded, as it is now) of every row that differs; in the order they were first touched."""
        return [
            (key, before, after) for key, after in self.current.items() if (before := self.loaded.get(key)) is not after
        ]


class Work:
    """One command's view: its own changes over those of the commands before it in the batch."""

    __slots__ = ("_changes", "_count", "_set", "_stamp", "_under")

    def __init__(self, rows: WorkingSet, stamp: Stamp, under: "Work | None" = None) -> None:
        self._set = rows
        self._stamp = stamp
        self._under = under
        self._changes: dict[Key, Row | None] = {}
        self._count: list[int] = under._count if under else [0]

    @property
    def now_ms(self) -> int:
        """When the command was submitted."""
        return self._stamp.now_ms

    @property
    def process(self) -> str:
        return self._stamp.process

    @property
    def changed(self) -> Collection[Key]:
        """The keys of the rows that were put in, changed or taken away through this work, in that order."""
        return self._changes.keys()

    def id(self, prefix: str, account: str) -> str:
        """A new id of this account; the same one when the command is decided again."""
        self._count[0] += 1
        return make_id(prefix, shard_of(account), self._stamp.now_ms, self._count[0], self._stamp.random62)

    def find(self, kind: type[AnyRow], *key: str) -> AnyRow | None:
        """The row, or None where it does not exist."""
        return cast("AnyRow | None", self._seen((kind, key), locked=True))

    def get(self, kind: type[AnyRow], *key: str) -> AnyRow:
        """The row, or the refusal that says there is none."""
        if (row := self.find(kind, *key)) is None:
            # The id may have come in a path; what was sent is never repeated, since it may be a card number.
            raise Refusal("resource_missing", f"No such {kind.__name__.lower()}.", param="id")
        return row

    def look(self, kind: type[AnyRow], *key: str) -> AnyRow | None:
        """The row as last committed, not locked: for settings that many commands read and few change."""
        return cast("AnyRow | None", self._seen((kind, key), locked=False))

    def add(self, row: AnyRow) -> AnyRow:
        """Put in a row that must be new. (A row not loaded counts as new; the database's key has the last word.)"""
        key = key_of(row)
        if self._peek(key) is not None:
            raise AssertionError(f"{key[0].__name__} {key[1]} is there already")
        self._changes[key] = row
        return row

    def change(self, row: AnyVersioned, **new: Any) -> AnyVersioned:
        """The row with new values and its version raised; `row` must be the latest seen."""
        key = self._latest(row)
        changed = replace(row, version=row.version + 1, **new)
        self._changes[key] = changed
        return changed

    def remove(self, row: Row) -> None:
        """Take a row away; it must be the latest seen."""
        self._changes[self._latest(row)] = None

    def owe(self, duty: Duty, *, after_ms: int = 0) -> Duty:
        """Promise something that must happen after the commit: at once and by this process, or after a while by whoever
        is there.
        """
        leased = after_ms == 0
        return self.add(
            replace(
                duty,
                created_ms=self.now_ms,
                due_ms=self.now_ms + (LEASE_MS if leased else after_ms),
                owner=self.process if leased else "",
                lease=1 if leased else 0,
            )
        )

    @contextmanager
    def nested(self) -> Generator["Work"]:
        """Changes made through the inner work count only if the block ends well."""
        inner = Work(self._set, self._stamp, self)
        yield inner
        self._changes.update(inner._changes)

    def keep(self) -> None:
        """The command ended well: later commands of the batch see what it did."""
        self._set.current.update(self._changes)

    def _latest(self, row: Row) -> Key:
        key = key_of(row)
        if (current := self._seen(key, locked=True)) is not row and current != row:
            raise AssertionError(f"{key[0].__name__} {key[1]} was changed from an older row")
        return key

    def _seen(self, key: Key, *, locked: bool) -> Row | None:
        if (row := self._peek(key, _UNSEEN)) is _UNSEEN:
            raise Absent(key, locked=locked)
        return cast("Row | None", row)

    def _peek(self, key: Key, unseen: object = None) -> object:
        """The row as this command sees it, None where it does not exist; `unseen` where it was not loaded."""
        layer: Work | None = self
        while layer is not None:
            if key in layer._changes:
                return layer._changes[key]
            layer = layer._under
        return self._set.current.get(key, unseen)


def same_table(key: Key) -> str:
    """The table a key belongs to: rows are loaded and written in the order of these names, on every lane alike."""
    return table_of(key[0]).name
