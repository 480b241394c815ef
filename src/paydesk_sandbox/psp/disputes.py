"""A cardholder's bank takes a charge back: opened by the bank, closed by it, never by the merchant."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from paydesk_sandbox.psp.amounts import Amount
from paydesk_sandbox.psp.answers import Answer, invalid_state, refused, shown, too_large
from paydesk_sandbox.psp.books import Books, DisputeEntry, Entry
from paydesk_sandbox.psp.objects import Dispute


class DisputeOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of POST /charges/{id}/dispute."""

    amount: Amount | None = None
    """What was taken and is not disputed yet, where nothing is said."""
    reason: Annotated[str, Meta(min_length=1, max_length=64)] = "fraudulent"


class CloseOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of POST /disputes/{id}/close."""

    status: Literal["won", "lost"]
    """As the merchant sees it: `lost` keeps the money away."""


def dispute(books: Books, entry: Entry, order: DisputeOrder, now_ms: int) -> Answer:
    """Open one. A bank does not ask whether the money went back already: only what was taken limits it."""
    charge = entry.charge
    if charge.status != "captured":
        return invalid_state(charge, "disputed")
    left = charge.amount_captured - books.disputed_minor(entry)
    amount = left if order.amount is None else order.amount
    if not 0 < amount <= left:
        return too_large(left)
    made = Dispute(
        id=books.new_id("dp_"),
        charge=charge.id,
        reference=charge.reference,
        amount=amount,
        currency=charge.currency,
        reason=order.reason,
        status="needs_response",
        created_ms=books.time(now_ms),
    )
    books.enter_dispute(DisputeEntry(dispute=made, of=entry))
    return shown(made)


def close(books: Books, entry: DisputeEntry, order: CloseOrder) -> Answer:
    """The bank has decided; the same once more changes nothing."""
    if entry.dispute.status == "needs_response":
        books.change_dispute(entry, status=order.status)
    elif entry.dispute.status != order.status:
        return refused(409, "invalid_state", f"The dispute is {entry.dispute.status} already.")
    return shown(entry.dispute)
