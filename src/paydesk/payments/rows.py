"""Payment intents, their attempts and the card payloads that were used, as they are stored."""

from paydesk.store import Row, Versioned


class Intent(Versioned, frozen=True, kw_only=True):
    """A merchant's wish to be paid an amount."""

    TABLE = "payment_intents"
    KEY = ("account", "id")
    WIDE = True

    account: str
    id: str
    amount_minor: int
    currency: str
    capture_method: str
    status: str
    livemode: int
    description: str | None = None
    statement_descriptor: str | None = None
    metadata: str = "{}"
    """JSON object of strings."""
    return_url: str | None = None
    received_minor: int = 0
    capturable_minor: int = 0
    attempts: int = 0
    """How many counted: an attempt that never reached the PSP does not."""
    latest_attempt: str | None = None
    method: str = "null"
    """The card of the latest attempt of which anything is known, as JSON: brand, last four, expiry, fingerprint."""
    error: str = "null"
    """Why that attempt failed, as JSON."""
    outcome_unknown: int = 0
    """1 while the PSP was asked and its answer is missing."""
    next_check_ms: int | None = None
    canceled_ms: int | None = None
    cancellation_reason: str | None = None
    event_sequence: int = 0
    latest_event: str | None = None
    created_ms: int


class Attempt(Versioned, frozen=True, kw_only=True):
    """One try to charge one card for an intent. Committed before the PSP is asked."""

    TABLE = "attempts"
    KEY = ("account", "id")
    INDEXES = (("account", "intent", "id"),)

    account: str
    id: str
    intent: str
    status: str
    """`asking`, then `captured`, `authorised`, `declined` or `not_sent`."""
    psp: str
    psp_url: str
    """Where the PSP was when it was asked: a later change of the setting does not lose the charge."""
    amount_minor: int
    currency: str
    capture: int
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str
    psp_reference: str | None = None
    decline_code: str | None = None
    created_ms: int
    settled_ms: int | None = None


class CardUse(Row, frozen=True, kw_only=True):
    """A card payload was used: found by its digest (the same bytes again) and by its jti (the same payload in other
    bytes).
    """

    TABLE = "card_uses"
    KEY = ("account", "mark")
    INDEXES = (("expires_ms", "account", "mark"),)

    account: str
    mark: str
    """`sha:<digest>` or `jti:<jti>`."""
    intent: str
    attempt: str
    expires_ms: int
