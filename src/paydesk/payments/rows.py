"""Payment intents, their attempts, what is asked and heard of those, and every change of them, as they are stored."""

from paydesk.store import Row, Versioned


class Intent(Versioned, frozen=True, kw_only=True):
    """A merchant's wish to be paid an amount."""

    TABLE = "payment_intents"
    KEY = ("account", "id")
    INDEXES = (("expires_ms", "account", "id"),)
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
    next_action: str = "null"
    """What the shopper has to do at the bank, as JSON, while the status is `requires_action`."""
    setup_future_usage: str | None = None
    """`off_session`: the PSP is asked to keep the card."""
    payment_method: str | None = None
    """The saved card that it is to be paid with, or whose saving it brought."""
    errand: str = ""
    """What the PSP is asked to do about the charge just now (a capture, a cancel): one at a time."""
    refunding_minor: int = 0
    """Refunds that are under way."""
    refunded_minor: int = 0
    disputed_minor: int = 0
    """Of the disputes that are open or lost."""
    matures_on: str = ""
    """The day on which what was captured becomes available; empty where nothing was."""
    expires_ms: int | None = None
    """When it is canceled unless something happened; None where nothing can expire any more."""
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
    """`asking`, perhaps `requires_action` or `authorised`; then `captured`, `declined`, `not_sent`, `canceled` (the PSP
    released what it held) or `abandoned` (the shopper never answered the bank).
    """
    psp: str
    psp_url: str
    """Where the PSP was when it was asked: a later change of the setting does not lose the charge."""
    amount_minor: int
    currency: str
    capture: int
    brand: str
    """Empty, as all that follows of the card, where only the PSP knows it (`recover.py`)."""
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str
    payment_method: str | None = None
    """The saved card that it charges, off session; None where the shopper typed one."""
    save: int = 0
    idempotency_key: str = ""
    """Of the merchant's confirm that waits for the outcome."""
    psp_reference: str | None = None
    decline_code: str | None = None
    captured_minor: int = 0
    errands: int = 0
    """How many errands were made about it: each has an idempotency key of its own at the PSP."""
    challenge_url: str | None = None
    """The bank's page, while the shopper is wanted there."""
    challenge_until_ms: int | None = None
    """After that the challenge is called off."""
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


class Errand(Versioned, frozen=True, kw_only=True):
    """Something the PSP is asked to do about a charge that stands: take what is held, or let it go."""

    TABLE = "errands"
    KEY = ("account", "id")
    INDEXES = (("account", "intent", "id"),)

    account: str
    id: str
    kind: str
    """`capture` or `cancel`."""
    why: str
    """Of a cancel: the reason as the intent will show it; `challenge` where only the attempt is to end, `late` where
    the attempt counted as over already.
    """
    intent: str
    attempt: str
    number: int
    """Which errand of its attempt."""
    amount_minor: int
    """Of a capture."""
    status: str
    """`asking`, then `done`, `refused` (the PSP will not) or `not_sent`."""
    idempotency_key: str = ""
    """Of the request that waits for it; empty where nobody does."""
    created_ms: int
    settled_ms: int | None = None


class Notice(Versioned, frozen=True, kw_only=True):
    """A PSP's call whose signature held: what it names, never what it said."""

    TABLE = "notices"
    KEY = ("account", "psp", "id")
    INDEXES = (("status", "received_ms", "account", "psp", "id"), ("forget_ms", "account", "psp", "id"))

    account: str
    psp: str
    id: str
    """The PSP's: the same notice twice is one."""
    about: str
    """`charge`, `refund` or `dispute`; empty where it is about nothing that Paydesk keeps."""
    reference: str
    """Ours, of the charge or refund."""
    psp_reference: str
    body_sha256: str
    """Of its body, in hexadecimal: shows later whether a body that somebody has is this one."""
    status: str
    """`new`, then `applied` (the PSP was asked, and what it said is in), `parked` (about something that is not known
    here, or contradicts what is) or `ignored`.
    """
    reason: str = ""
    """Why it is parked, or not applied yet."""
    tries: int = 0
    received_ms: int
    settled_ms: int | None = None
    """When nothing more was to be tried."""
    forget_ms: int | None = None
    """When it is pruned; None while something is to be tried."""


class Refund(Versioned, frozen=True, kw_only=True):
    """Money that goes back to the card. Committed before the PSP is asked."""

    TABLE = "refunds"
    KEY = ("account", "id")
    INDEXES = (("account", "intent", "id"),)
    WIDE = True

    account: str
    id: str
    intent: str
    late_payment: str = ""
    """The late payment that it sends back; empty where it gives back what the intent received."""
    psp: str
    psp_url: str
    charge: str
    """The PSP's reference of the charge that it is a refund of."""
    amount_minor: int
    currency: str
    fee_minor: int = 0
    """What the platform keeps for it, beside the amount."""
    livemode: int
    reason: str | None = None
    metadata: str = "{}"
    """JSON object of strings."""
    status: str = "asking"
    """`asking` (whether the PSP has it is not known), perhaps `pending` (it has); then `succeeded`, `failed` (after
    `succeeded` too: the bank sent the money back) or `not_made` (the PSP has no such refund, and will have none).
    """
    failure_reason: str | None = None
    psp_reference: str | None = None
    """The PSP's own, once it is known to have it."""
    outcome_unknown: int = 0
    """1 while the PSP was asked, or was not reached, and it is not known whether it has it."""
    sending_ms: int | None = None
    """Since when somebody may be sending it; None while it is known that nobody is."""
    sent_ms: int | None = None
    """When it was first sent so that the PSP may have received it: its idempotency window counts from then."""
    quiet_ms: int = 0
    """Since when nothing of it is on its way to the PSP; 0 where nothing ever was."""
    idempotency_key: str = ""
    """Of the request that waits for it; empty where nobody does."""
    event_sequence: int = 1
    latest_event: str
    created_ms: int
    settled_ms: int | None = None


class LatePayment(Versioned, frozen=True, kw_only=True):
    """Money that an attempt took after it had counted as over, when its intent could not be paid by it any more."""

    TABLE = "late_payments"
    KEY = ("account", "id")
    INDEXES = (("account", "intent", "id"),)

    account: str
    id: str
    intent: str
    attempt: str
    psp: str
    psp_reference: str
    """The PSP's, of the charge."""
    amount_minor: int
    currency: str
    livemode: int
    status: str = "held"
    """`held`, `refunding`, `refunded` or `kept`."""
    refund: str | None = None
    """Its refund, of which there is one at most."""
    event_sequence: int = 1
    latest_event: str
    created_ms: int
    settled_ms: int | None = None


class PaymentMethod(Versioned, frozen=True, kw_only=True):
    """A card that the PSP keeps, for payments without the shopper."""

    TABLE = "payment_methods"
    KEY = ("account", "id")

    account: str
    id: str
    psp: str
    token: str
    """The PSP's; worth nothing to anyone but this account at this PSP."""
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str
    created_ms: int


class Dispute(Versioned, frozen=True, kw_only=True):
    """A cardholder's bank takes a charge back. Opened and closed by the PSP, never here."""

    TABLE = "disputes"
    KEY = ("account", "id")
    INDEXES = (("account", "intent", "id"),)

    account: str
    id: str
    intent: str
    attempt: str
    psp: str
    psp_reference: str
    amount_minor: int
    currency: str
    fee_minor: int
    """What the platform keeps for it, beside the amount."""
    reason: str
    """The bank's, in the PSP's word."""
    status: str
    """`needs_response`, then `won` or `lost`."""
    livemode: int
    event_sequence: int = 1
    latest_event: str
    created_ms: int
    closed_ms: int | None = None


class DisputeReference(Row, frozen=True, kw_only=True):
    """The dispute that the PSP calls so: one at most."""

    TABLE = "dispute_references"
    KEY = ("account", "psp", "psp_reference")

    account: str
    psp: str
    psp_reference: str
    dispute: str


class TimelineEntry(Row, frozen=True, kw_only=True):
    """One change of an intent. Written with the change, never changed itself; a trigger refuses it."""

    TABLE = "timeline"
    KEY = ("account", "intent", "entry")

    account: str
    intent: str
    entry: str
    """The intent's version after the change, in eight digits: so they sort."""
    at_ms: int
    what: str
    """What happened, in a word."""
    cause: str
    """Whose doing it was: `key:…`, `shopper`, `psp`, `clock` or `operator`."""
    status: str
    """The intent's, after it."""
    about: str
    """The attempt, errand, refund, dispute or late payment that it was about; empty for the intent itself."""
    facts: str
    """What is worth knowing, as a JSON object."""
