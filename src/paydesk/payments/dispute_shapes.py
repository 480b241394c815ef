"""Disputes as merchants see them, rendered to bytes once."""

from typing import Literal

import msgspec
from msgspec import Struct

from paydesk.money import decimal_text
from paydesk.payments import rows
from paydesk.times import rfc3339, rfc3339_or_none

DisputeStatus = Literal["needs_response", "won", "lost"]


class Dispute(Struct, frozen=True, kw_only=True):
    """A cardholder's bank takes a charge back. It is opened and closed at the bank; answer it at your PSP."""

    id: str
    object: Literal["dispute"] = "dispute"
    payment_intent: str
    attempt: str
    """The attempt whose charge it is about."""
    amount: int
    """In the currency's minor unit. It may be more than is left of the payment after refunds."""
    amount_decimal: str
    currency: str
    fee: int
    """What the platform keeps for it, won or lost."""
    reason: str
    """The bank's, in the PSP's word, such as `fraudulent`."""
    status: DisputeStatus
    """`needs_response` holds the amount back; `won` gives it back to you, `lost` to the cardholder."""
    livemode: bool
    version: int
    event_sequence: int
    created: str
    closed_at: str | None


def render_dispute(dispute: rows.Dispute) -> bytes:
    """The merchant's view as JSON: what answers and events hold."""
    return msgspec.json.encode(
        Dispute(
            id=dispute.id,
            payment_intent=dispute.intent,
            attempt=dispute.attempt,
            amount=dispute.amount_minor,
            amount_decimal=decimal_text(dispute.amount_minor, dispute.currency),
            currency=dispute.currency,
            fee=dispute.fee_minor,
            reason=dispute.reason,
            status=dispute.status,  # type: ignore[arg-type]
            livemode=bool(dispute.livemode),
            version=dispute.version,
            event_sequence=dispute.event_sequence,
            created=rfc3339(dispute.created_ms),
            closed_at=rfc3339_or_none(dispute.closed_ms),
        )
    )
