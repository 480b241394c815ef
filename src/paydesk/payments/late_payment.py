"""Late payments: money that arrived when its payment was over. Every change of one passes here, with its event.

Nobody's until it is decided: it stands in the books' `late_payments`. It goes back whole, by one refund at most, or it
becomes the merchant's.
"""

from typing import Any

from paydesk.merchants import Account
from paydesk.money import Fee
from paydesk.payments import postings
from paydesk.payments.booking import book, chart_of
from paydesk.payments.late_shapes import render_late
from paydesk.payments.maturity import matures
from paydesk.payments.rows import LatePayment, Refund
from paydesk.payments.tell import announce
from paydesk.store import Work

FOLLOWS = {
    "asking": "refunding",
    "pending": "refunding",
    "succeeded": "refunded",
    "failed": "held",
    "not_made": "held",
}
"""What a late payment is by the status of its refund. One whose refund failed is held: there is no second refund, so
somebody decides, pays the shopper another way, and keeps it.
"""


def change_late(work: Work, late: LatePayment, **new: Any) -> LatePayment:
    """Change it, and tell the merchant."""
    event_id = work.id("evt", late.account)
    changed = work.change(late, event_sequence=late.event_sequence + 1, latest_event=event_id, **new)
    announce(work, "late_payment.updated", changed, late.latest_event, render_late(changed))
    return changed


def follow(work: Work, refund: Refund) -> None:
    """Let the late payment that this refund sends back be as the refund is."""
    late = work.get(LatePayment, refund.account, refund.late_payment)
    status = FOLLOWS[refund.status]
    # One that was kept after its refund had failed stays so, even where the PSP breaks its word and has that refund
    # after all: the books show it, since what is held for late payments is below nothing then.
    if late.status not in (status, "kept"):
        change_late(work, late, status=status, settled_ms=work.now_ms if status == "refunded" else None)


def book_arrival(work: Work, late: LatePayment) -> None:
    """The PSP has the money, and it is nobody's yet."""
    lines = postings.late_payment(chart_of(late), psp=late.psp, amount_minor=late.amount_minor)
    book(work, late, "late_payment", lines)


def book_keeping(work: Work, late: LatePayment) -> None:
    """It is the merchant's, less the platform's fee, and matures as if it had just been captured."""
    account = work.look(Account, late.account)
    assert account is not None
    fee_minor = Fee.parse(account.fee).of(late.amount_minor)
    earned = matures(work, account, late.currency, late.amount_minor - fee_minor)
    lines = postings.late_payment_kept(
        chart_of(late), owed=earned.owed, amount_minor=late.amount_minor, fee_minor=fee_minor
    )
    book(work, late, "late_payment_kept", lines)
