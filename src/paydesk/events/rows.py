"""Events, the feed's position, endpoints and deliveries as they are stored."""

from paydesk.store import Row, Versioned


def listed(event_types: str, event_type: str) -> bool:
    """Whether a type is among those named, comma separated or `*` for all."""
    return event_types == "*" or event_type in event_types.split(",")


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
    """An account's feed of events: the last position given out, and what is to be dispatched at all."""

    TABLE = "event_feeds"
    KEY = ("account",)

    account: str
    position: int = 0
    wanted: str = ""
    """Event types that an endpoint of the account ever asked for, comma separated; `*` for all. Never shrinks: a type
    too many costs a look at the endpoints, one too few would lose events.
    """

    def wants(self, event_type: str) -> bool:
        return listed(self.wanted, event_type)


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
    failing_since_ms: int | None = None
    """The first failure since the last success; None while it takes what it is sent."""
    disabled_reason: str | None = None
    """`gone` (it answered 410) or `failing` (for 120 h)."""
    event_sequence: int = 0
    latest_event: str | None = None

    def wants(self, event_type: str) -> bool:
        return listed(self.enabled_events, event_type)


class EndpointCount(Versioned, frozen=True, kw_only=True):
    """How many endpoints an account has: adding one is decided on this row, so two at once can't both be the last."""

    TABLE = "endpoint_counts"
    KEY = ("account",)

    account: str
    number: int = 0


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
