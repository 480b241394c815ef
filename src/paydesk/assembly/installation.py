"""The rows about the database itself."""

from paydesk.store import Row, Versioned


class Installation(Row, frozen=True, kw_only=True):
    """When the database was made, and a sealed constant that tells whether the master key is its own."""

    TABLE = "installation"
    KEY = ("id",)

    id: str = "this"
    key_check: bytes
    created_ms: int


class Backup(Versioned, frozen=True, kw_only=True):
    """In a backup, and in a database that was made from one: since when it may lack what happened.

    A copy that nobody put in place with `paydesk restore` has it too, so that no start takes it for the living one.
    """

    TABLE = "backup"
    KEY = ("id",)

    id: str = "this"
    taken_ms: int
    restored_ms: int | None = None
    """When it took the place of a database."""
    asked_ms: int | None = None
    """When all PSPs had said what happened since it was taken; until then nothing is taken or sent."""
