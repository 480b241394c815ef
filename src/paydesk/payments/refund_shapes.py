"""Refunds as merchants see them, rendered to bytes once."""

from typing import Literal

import msgspec
from msgspec import Raw, Struct

from paydesk.money import decimal_text
from paydesk.payments import rows
from paydesk.times import rfc3339

RefundStatus = Literal["pending", "succeeded", "failed", "canceled"]
Reason = Literal["duplicate", "fraudulent", "requested_by_customer"]

SHOWN: dict[str, RefundStatus] = {
    "asking": "pending",
    "pending": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "not_made": "failed",
}
"""What merchants see of each status of the row. Nothing is `canceled` yet: that is a PSP's that takes refunds back."""


class Refund(Struct, frozen=True, kw_only=True):
    """Money that goes back to the shopper's card."""

    id: str
    object: Literal["refund"] = "refund"
    payment_intent: str
    late_payment: str | None
    """The late payment that it sends back whole; null where it gives back what the payment intent received."""
    amount: int
    """In the currency's minor unit."""
    amount_decimal: str
    currency: str
    status: RefundStatus
    """`pending` until the PSP has said how it went. A refund that `succeeded` may still become `failed`, days later:
    the bank sends the money back.
    """
    reason: Reason | None
    failure_reason: str | None
    """Why it failed: the PSP's word, or `refused` (the PSP will not do it), or `not_sent` (it never got there)."""
    metadata: dict[str, str] | Raw
    livemode: bool
    version: int
    event_sequence: int
    created: str


def render_refund(refund: rows.Refund) -> bytes:
    """The merchant's view as JSON: what answers, events and kept replies hold."""
    return msgspec.json.encode(
        Refund(
            id=refund.id,
            payment_intent=refund.intent,
            late_payment=refund.late_payment or None,
            amount=refund.amount_minor,
            amount_decimal=decimal_text(refund.amount_minor, refund.currency),
            currency=refund.currency,
            status=SHOWN[refund.status],
            reason=refund.reason,  # type: ignore[arg-type]
            failure_reason=refund.failure_reason,
            metadata=Raw(refund.metadata.encode()),
            livemode=bool(refund.livemode),
            version=refund.version,
            event_sequence=refund.event_sequence,
            created=rfc3339(refund.created_ms),
        )
    )
