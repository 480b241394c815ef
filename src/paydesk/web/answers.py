"""The shapes of answers that no room downstairs owns: lists, the error, a session, keys. `/openapi.json` is made from
them and from the rooms' own.
"""

from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from paydesk.errors import CODES, Kind
from paydesk.events import record
from paydesk.events.endpoints import WebhookEndpoint
from paydesk.events.record import EventType
from paydesk.ledger.shapes import LedgerAccount, LedgerEntry, LedgerTransactionAnswer
from paydesk.payments.dispute_shapes import Dispute
from paydesk.payments.late_shapes import LatePayment
from paydesk.payments.refund_shapes import Refund
from paydesk.payments.shapes import PaymentIntent, ShopperIntent
from paydesk.web.schemas import reference

T = TypeVar("T")


class Listed(Struct, Generic[T], frozen=True, kw_only=True):
    """A page of a list, newest first."""

    object: Literal["list"] = "list"
    data: list[T]
    has_more: bool
    """Whether there is more in the direction that was asked for."""
    url: str


class PaymentIntentList(Listed[PaymentIntent], frozen=True, kw_only=True):
    """A page of payment intents, newest first."""


class RefundList(Listed[Refund], frozen=True, kw_only=True):
    """A page of refunds, newest first."""


class LatePaymentList(Listed[LatePayment], frozen=True, kw_only=True):
    """A page of late payments, newest first."""


class DisputeList(Listed[Dispute], frozen=True, kw_only=True):
    """A page of disputes, newest first."""


class EventData(Struct, frozen=True, kw_only=True):
    """What an event is about."""

    object: Annotated[
        Raw, Meta(extra_json_schema=reference(PaymentIntent | Refund | LatePayment | Dispute | WebhookEndpoint))
    ]
    """As it was at that moment, without `client_secret`."""


class Event(record.Body, frozen=True, kw_only=True):
    """Something that happened: what webhooks are sent, byte for byte."""

    type: EventType  # type: ignore[assignment]
    data: EventData  # type: ignore[assignment]


class EventList(Listed[Event], frozen=True, kw_only=True):
    """A page of events, the one committed last first."""


class WebhookEndpointList(Listed[WebhookEndpoint], frozen=True, kw_only=True):
    """All endpoints of the account, oldest first."""


class LedgerTransactionList(Listed[LedgerTransactionAnswer], frozen=True, kw_only=True):
    """A page of moves of money, newest first."""


class LedgerAccountList(Listed[LedgerAccount], frozen=True, kw_only=True):
    """A page of ledger accounts, by name."""


class LedgerEntryList(Listed[LedgerEntry], frozen=True, kw_only=True):
    """A page of a ledger account's change log, newest first."""


class CheckoutSession(ShopperIntent, frozen=True, kw_only=True):
    """A payment intent as its client secret shows it, and what the card form needs to know."""

    object: Literal["checkout_session"] = "checkout_session"  # type: ignore[assignment]
    methods: list[Literal["card"]]
    languages: list[str]
    server_time: str
    """What the form dates its card payload with, since shoppers' clocks are wrong."""


class CardKey(Struct, frozen=True, kw_only=True):
    """A public key that cards are encrypted with (RFC 7517)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str
    use: Literal["enc"]
    alg: Literal["ECDH-ES"]


class CardKeySet(Struct, frozen=True, kw_only=True):
    """The public card keys, newest first (RFC 7517)."""

    keys: list[CardKey]


class KeptAnswer(Struct, frozen=True, kw_only=True):
    """What an idempotency key gave."""

    object: Literal["idempotency_key"] = "idempotency_key"
    key: str
    status: int
    """The HTTP status of the answer; 0 while the operation runs."""
    object_id: str
    answer: dict[str, Any] | Raw | None
    """The body of the answer. The secret of a webhook endpoint is not in it."""
    created: str
    expires_at: str


class Ping(Struct, frozen=True, kw_only=True):
    """The signature held."""

    object: Literal["ping"] = "ping"
    livemode: bool
    server_time: str


class Health(Struct, frozen=True, kw_only=True):
    """It works."""

    status: Literal["ok"]


class Error(Struct, frozen=True, kw_only=True):
    """Why a request was refused."""

    type: Kind
    code: Annotated[str, Meta(extra_json_schema={"enum": list(CODES)})]
    message: str
    """What is wrong, and what to do about it."""
    param: str | None
    """The field, parameter or header that it is about."""
    decline_code: str | UnsetType = UNSET
    """More about a decline, in answers to signed requests alone: what a shopper's browser gets does not hold it."""
    doc_url: str
    """Where `/docs` explains the code, as a path on this origin."""
    request_id: str
    """Also in the header Request-Id, and in the log."""
    explain: dict[str, str] | UnsetType = UNSET
    """In test mode, where a signature did not hold: the string that the server built, the SHA-256 of its parts, the
    server's time and how far X-Request-Timestamp is off.
    """


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """The one shape of every error."""

    error: Error
    server_time: str | UnsetType = UNSET
    """Beside `timestamp_out_of_range`."""
    payment_intent: ShopperIntent | UnsetType = UNSET
    """Beside errors of a confirm."""
