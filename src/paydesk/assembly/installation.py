"""The one row about the database itself."""

from paydesk.store import Row


class Installation(Row, frozen=True, kw_only=True):
    """When the database was made, and a sealed constant that tells whether the master key is its own."""

    TABLE = "installation"
    KEY = ("id",)

    id: str = "this"
    key_check: bytes
    created_ms: int
