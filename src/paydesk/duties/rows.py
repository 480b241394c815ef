"""Duties that nobody does any more, as they are stored."""

from paydesk.store import Row


class DeadDuty(Row, frozen=True, kw_only=True):
    """A duty that was parked with its reason, until a person retries or drops it. It took the place of its Duty in one
    commit, or was listed in the commit that gave up what it was to do.
    """

    TABLE = "dead_duties"
    KEY = ("account", "id")
    INDEXES = (
        ("died_ms", "account", "id"),
        ("kind", "died_ms", "account", "id"),
        ("account", "died_ms", "id"),
        ("id", "account"),
        ("kind", "created_ms"),
    )

    account: str
    id: str
    """The duty's: `<kind>:<id of what it is about>`."""
    kind: str
    subject: str
    note: str
    tries: int
    """How often it was done and put off, or the event was sent."""
    failures: int
    """How often in a row doing it raised after that."""
    reason: str
    """Why it died; holds no card number and no secret."""
    lease: int
    """Its last one: a retry goes on counting, so that whoever held it before is refused."""
    created_ms: int
    """When it was first owed."""
    died_ms: int
