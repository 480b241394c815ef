"""POST /v1/charges/{id}/refunds: money goes back, at once or later, or does not arrive."""

from typing import Literal

from msgspec import Struct

from paydesk_sandbox.psp.amounts import Amount, Reference
from paydesk_sandbox.psp.answers import Answer, invalid_state, shown, too_large
from paydesk_sandbox.psp.books import Books, Entry, RefundEntry
from paydesk_sandbox.psp.objects import Refund

FAILED_BECAUSE = "account_closed"


class RefundRequest(Struct, frozen=True, kw_only=True):
    """The body of POST /v1/charges/{id}/refunds."""

    reference: Reference
    amount: Amount


def refund(books: Books, entry: Entry, request: RefundRequest, now_ms: int) -> Answer:
    """Give back a part or all of what was taken and is not on its way back or disputed already."""
    charge = entry.charge
    if charge.status != "captured":
        return invalid_state(charge, "refunded")
    left = max(0, charge.amount_captured - charge.amount_refunded - books.disputed_minor(entry))
    if request.amount > left:
        return too_large(left)
    line = entry.card.line
    afterwards = line.afterwards if line else None
    waits = afterwards in ("refund_waits", "refund_waits_and_fails")
    made = Refund(
        id=books.new_id("re_"),
        charge=charge.id,
        reference=request.reference,
        amount=request.amount,
        currency=charge.currency,
        status="pending" if waits else "succeeded",
        created_ms=books.time(now_ms),
    )
    books.enter_refund(RefundEntry(refund=made, of=entry))
    books.change(entry, amount_refunded=charge.amount_refunded + made.amount)
    if waits or afterwards == "refund_fails":
        what: Literal["refund_succeeded", "refund_failed"]
        what = "refund_succeeded" if afterwards == "refund_waits" else "refund_failed"
        books.later.at(now_ms + books.terms.later_ms, what, made.id)
    return shown(made)


def succeed(books: Books, entry: RefundEntry) -> bool:
    """A pending refund arrived. False: it was not pending any more."""
    if entry.refund.status != "pending":
        return False
    books.change_refund(entry, status="succeeded")
    return True


def fail(books: Books, entry: RefundEntry) -> bool:
    """A refund comes back, pending or believed to have succeeded. False: it had failed already."""
    if entry.refund.status == "failed":
        return False
    books.change_refund(entry, status="failed", failure_reason=FAILED_BECAUSE)
    books.change(entry.of, amount_refunded=entry.of.charge.amount_refunded - entry.refund.amount)
    return True
