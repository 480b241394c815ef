"""Late payments as merchants see them, rendered to bytes once."""

from typing import Literal

import msgspec
from msgspec import Struct

from paydesk.money import decimal_text
from paydesk.payments import rows
from paydesk.times import rfc3339


class LatePayment(Struct, frozen=True, kw_only=True):
    """Money that arrived when its payment was over: canceled, or paid already. The payment stays as it is."""

    id: str
    object: Literal["late_payment"] = "late_payment"
    payment_intent: str
    attempt: str
    """The attempt that took the money, after it had counted as over."""
    amount: int
    """In the currency's minor unit."""
    amount_decimal: str
    currency: str
    status: Literal["held", "refunding", "refunded", "kept"]
    """`held` until you decide. `refunding`, then `refunded`: it goes back whole. `kept`: it is yours."""
    refund: str | None
    """The refund that sends it back; there is one at most. Where it failed, the money is `held` again."""
    livemode: bool
    version: int
    event_sequence: int
    created: str


def render_late(late: rows.LatePayment) -> bytes:
    """The merchant's view as JSON: what answers, events and kept replies hold."""
    return msgspec.json.encode(
        LatePayment(
            id=late.id,
            payment_intent=late.intent,
            attempt=late.attempt,
            amount=late.amount_minor,
            amount_decimal=decimal_text(late.amount_minor, late.currency),
            currency=late.currency,
            status=late.status,  # type: ignore[arg-type]
            refund=late.refund,
            livemode=bool(late.livemode),
            version=late.version,
            event_sequence=late.event_sequence,
            created=rfc3339(late.created_ms),
        )
    )
