"""What a refund does to the books and to its intent's amounts.

A refund gives back what an intent received: the amount leaves the merchant when the refund begins, and the PSP when it
succeeded. Or it sends a late payment back, which was never the merchant's.
"""

from typing import Any

from paydesk.payments import postings
from paydesk.payments.booking import book, chart_of
from paydesk.payments.maturity import give_back, take_back
from paydesk.payments.rows import Intent, Refund
from paydesk.store import Work


def amounts(refund: Refund, intent: Intent, *, refunding: int = 0, refunded: int = 0) -> dict[str, Any]:
    """The intent's new amounts; none where the refund is of a late payment, of which the intent received nothing."""
    if refund.late_payment:
        return {}
    return {
        "refunding_minor": intent.refunding_minor + refunding,
        "refunded_minor": intent.refunded_minor + refunded,
    }


def begun(work: Work, refund: Refund, day: str) -> None:
    """The merchant has the amount no more; `day` is when the captured money matures, or did."""
    if refund.late_payment:
        return
    taken_minor = refund.amount_minor + refund.fee_minor
    owed = take_back(work, refund.account, refund.currency, day, taken_minor)
    lines = postings.refund_begun(
        chart_of(refund), owed=owed, amount_minor=refund.amount_minor, fee_minor=refund.fee_minor
    )
    book(work, refund, "refund_begun", lines)


def given(work: Work, refund: Refund) -> None:
    """The PSP gave it back."""
    move = postings.late_payment_refund if refund.late_payment else postings.refund
    book(work, refund, kind_given(refund), move(chart_of(refund), psp=refund.psp, amount_minor=refund.amount_minor))


def undone(work: Work, refund: Refund, day: str) -> None:
    """The PSP never gave it back. The fee is kept where the PSP tried."""
    if refund.late_payment:
        return
    fee_minor = refund.fee_minor if refund.status == "not_made" else 0
    owed = give_back(work, refund.account, refund.currency, day, refund.amount_minor + fee_minor)
    lines = postings.refund_failed(chart_of(refund), owed=owed, amount_minor=refund.amount_minor, fee_minor=fee_minor)
    book(work, refund, "refund_failed", lines)


def returned(work: Work, refund: Refund) -> None:
    """What the PSP gave back came back to it."""
    kind, move = "refund_reversed", postings.refund_reversed
    if refund.late_payment:
        kind, move = "late_payment_returned", postings.late_payment_returned
    book(work, refund, kind, move(chart_of(refund), psp=refund.psp, amount_minor=refund.amount_minor))


def kind_given(refund: Refund) -> str:
    """The kind of the transaction by which the PSP gave it back."""
    return "late_payment_refund" if refund.late_payment else "refund"
