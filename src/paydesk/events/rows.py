"""Events, the feed's position, endpoints and deliveries as they are stored."""

from paydesk.store import Row, Versioned


class Event(Row, frozen=True, kw_only=True):
    """Something that happened, as merchants are told it. The bytes never change; a trigger refuses it."""

    TABLE = "events"
    KEY = ("account", "id")
    INDEXES = (("account", "position"),)
    WIDE = True

    account: str
    id: str
    position: int
    """The account's feed counts 1, 2, 3 …, given at commit: ids sort by time of making, not of commit."""
    type: str
    object_id: str
    sequence: int
    """The object's events count 1, 2, 3 … without gaps."""
    previous_event_id: str | None
    body: bytes
    created_ms: int


class Feed(Versioned, frozen=True, kw_only=True):
    """The last position given out in an account's feed."""

    TABLE = "event_feeds"
    KEY = ("account",)

    account: str
    position: int


class Endpoint(Versioned, frozen=True, kw_only=True):
    """Where a merchant wants to be told."""

    TABLE = "webhook_endpoints"
    KEY = ("account", "id")

    account: str
    id: str
    url: str
    enabled_events: str
    """Event types, comma separated; `*` for all."""
    ordering: str
    """`default` (a failing event holds back later ones of its object for 15 minutes) or `strict` (as long as it takes).
    """
    description: str | None
    status: str
    """`enabled` or `disabled`."""
    added_by: str
    """`operator` (may be in PAYDESK_EGRESS_ALLOW) or `merchant` (never in private space)."""
    secret_sealed: bytes
    previous_sealed: bytes | None = None
    previous_until_ms: int | None = None
    created_ms: int

    def wants(self, event_type: str) -> bool:
        return self.enabled_events == "*" or event_type in self.enabled_events.split(",")


class Delivery(Versioned, frozen=True, kw_only=True):
    """One event to one endpoint; the row is written with the first result."""

    TABLE = "deliveries"
    KEY = ("account", "event", "endpoint")
    INDEXES = (("account", "endpoint", "object_id", "status", "sequence"),)

    account: str
    event: str
    endpoint: str
    object_id: str
    sequence: int
    type: str
    status: str
    """`succeeded`, `pending` (failed or held back, will be tried), `dead` (given up; kept and replayable)."""
    attempts: int
    response_status: int | None
    error: str | None
    """Why the last attempt failed; names no internal address."""
    first_attempt_ms: int
    last_attempt_ms: int
    next_attempt_ms: int | None
    duration_ms: int
