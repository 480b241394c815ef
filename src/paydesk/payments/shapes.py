"""Payment intents as merchants and shoppers see them: two projections, rendered to bytes once."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from paydesk.money import decimal_text
from paydesk.payments.rows import Intent
from paydesk.payments.states import Status
from paydesk.times import rfc3339, rfc3339_or_none

Phase = Literal["not_started", "executing", "success", "failed"]

AUTHENTICATION_FAILED = "authentication_failed"
"""The decline code of a payment that the shopper did not confirm at the bank."""

_EXECUTING = (Status.PROCESSING, Status.REQUIRES_ACTION, Status.REQUIRES_CAPTURE)


class CardMethod(Struct, frozen=True, kw_only=True):
    """What is kept of a card."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str
    """Keyed, per account: the same number gives the same fingerprint."""


class MethodDetails(Struct, frozen=True, kw_only=True):
    """How the latest attempt was paid."""

    type: Literal["card"] = "card"
    card: CardMethod


class PaymentError(Struct, frozen=True, kw_only=True):
    """Why the latest attempt failed."""

    type: str
    code: str
    message: str
    decline_code: str | None = None
    """The bank's reason; for the merchant. Shoppers are told but of `authentication_failed`: that was at their bank."""
    param: str | UnsetType = UNSET


class NextAction(Struct, frozen=True, kw_only=True):
    """What the shopper has to do: answer the bank (3-D Secure) on the page at `url`."""

    type: Literal["challenge"] = "challenge"
    url: str


class PaymentIntent(Struct, frozen=True, kw_only=True):
    """What a merchant sees. Amounts are in the currency's minor unit."""

    id: str
    object: Literal["payment_intent"] = "payment_intent"
    amount: int
    amount_decimal: str
    amount_received: int
    amount_capturable: int
    amount_refunded: int
    """What went back to the shopper; refunds that are under way are not in it."""
    amount_disputed: int
    """What disputes hold or took that are open or lost."""
    currency: str
    capture_method: Literal["automatic", "manual"]
    status: Status
    phase: Phase
    outcome: Literal["unknown"] | UnsetType = UNSET
    """Present while a PSP's answer is missing."""
    next_check_at: str | UnsetType | None = UNSET
    description: str | None
    metadata: dict[str, str] | Raw
    statement_descriptor: str | None
    livemode: bool
    version: int
    event_sequence: int
    latest_attempt: str | None
    setup_future_usage: Literal["off_session"] | None
    payment_method: str | None
    """The saved card: what it is to be paid with off session, or what `setup_future_usage` brought."""
    payment_method_details: MethodDetails | Raw | None
    last_payment_error: PaymentError | Raw | None
    next_action: NextAction | Raw | None
    created: str
    expires_at: str | None
    """When it is canceled unless something happens; null where nothing can expire any more."""
    canceled_at: str | None
    cancellation_reason: str | None
    client_secret: str | UnsetType = UNSET
    """In answers to signed requests alone; derived, never stored."""


class ShopperIntent(Struct, frozen=True, kw_only=True):
    """What a client secret shows: no metadata, no references, no reason of a bank's."""

    id: str
    object: Literal["payment_intent"] = "payment_intent"
    amount: int
    amount_decimal: str
    currency: str
    merchant_name: str
    livemode: bool
    status: Status
    phase: Phase
    version: int
    outcome: Literal["unknown"] | UnsetType = UNSET
    next_check_at: str | UnsetType | None = UNSET
    last_payment_error: PaymentError | None
    next_action: NextAction | None
    setup_future_usage: Literal["off_session"] | None
    """The shop asks to keep the card for later payments."""
    return_url: str | None


def phase(intent: Intent) -> Phase:
    """Where a payment stands, in four words."""
    if intent.status == Status.SUCCEEDED:
        return "success"
    if intent.status in _EXECUTING:
        return "executing"
    return "failed" if intent.status == Status.CANCELED or intent.error != "null" else "not_started"


def render(intent: Intent) -> bytes:
    """The merchant's view as JSON, without the client secret: what answers, events and kept replies hold."""
    return msgspec.json.encode(
        PaymentIntent(
            id=intent.id,
            amount=intent.amount_minor,
            amount_decimal=decimal_text(intent.amount_minor, intent.currency),
            amount_received=intent.received_minor,
            amount_capturable=intent.capturable_minor,
            amount_refunded=intent.refunded_minor,
            amount_disputed=intent.disputed_minor,
            currency=intent.currency,
            capture_method=intent.capture_method,  # type: ignore[arg-type]
            status=intent.status,  # type: ignore[arg-type]
            phase=phase(intent),
            description=intent.description,
            metadata=Raw(intent.metadata.encode()),
            statement_descriptor=intent.statement_descriptor,
            livemode=bool(intent.livemode),
            version=intent.version,
            event_sequence=intent.event_sequence,
            latest_attempt=intent.latest_attempt,
            setup_future_usage=intent.setup_future_usage,  # type: ignore[arg-type]
            payment_method=intent.payment_method,
            payment_method_details=Raw(_of_latest(intent, intent.method).encode()),
            last_payment_error=Raw(_of_latest(intent, intent.error).encode()),
            next_action=Raw(intent.next_action.encode()),
            created=rfc3339(intent.created_ms),
            expires_at=rfc3339_or_none(intent.expires_ms),
            canceled_at=rfc3339_or_none(intent.canceled_ms),
            cancellation_reason=intent.cancellation_reason,
            **_outcome(intent),
        )
    )


def reveal(body: bytes, client_secret: str) -> bytes:
    """A rendered intent with its client secret put in: the same bytes each time, since the secret is derived."""
    return body[:-1] + b',"client_secret":' + msgspec.json.encode(client_secret) + b"}"


def shopper_view(intent: Intent, merchant_name: str) -> ShopperIntent:
    """What the shopper's browser may know."""
    error = msgspec.json.decode(_of_latest(intent, intent.error), type=PaymentError | None)
    return ShopperIntent(
        id=intent.id,
        amount=intent.amount_minor,
        amount_decimal=decimal_text(intent.amount_minor, intent.currency),
        currency=intent.currency,
        merchant_name=merchant_name,
        livemode=bool(intent.livemode),
        status=Status(intent.status),
        phase=phase(intent),
        version=intent.version,
        last_payment_error=error and for_shoppers(error),
        next_action=msgspec.json.decode(intent.next_action, type=NextAction | None),
        setup_future_usage=intent.setup_future_usage,  # type: ignore[arg-type]
        return_url=intent.return_url,
        **_outcome(intent),
    )


def for_shoppers(error: PaymentError) -> PaymentError:
    """What a shopper may know of it."""
    own = error.decline_code == AUTHENTICATION_FAILED
    return error if own else replace(error, decline_code=None)


def method_json(details: MethodDetails) -> str:
    return msgspec.json.encode(details).decode()


def error_json(error: PaymentError) -> str:
    return msgspec.json.encode(error).decode()


def _of_latest(intent: Intent, told: str) -> str:
    """While an attempt is under way and nothing is known of it, the row still has what was told of the one before."""
    return "null" if intent.status == Status.PROCESSING and not intent.outcome_unknown else told


def _outcome(intent: Intent) -> dict[str, Any]:
    if not intent.outcome_unknown:
        return {}
    return {"outcome": "unknown", "next_check_at": rfc3339_or_none(intent.next_check_ms)}
