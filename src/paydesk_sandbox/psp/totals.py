"""What one currency adds up to: the sum over the books' entries, kept up to date by adding and taking away."""

from msgspec import Struct

from paydesk_sandbox.psp.objects import Charge, Dispute, Refund


class Totals(Struct, kw_only=True):
    """Sums in minor units, and how many make them up."""

    captured_minor: int = 0
    """All that was ever taken; refunds do not lower it."""
    authorised_minor: int = 0
    """Held now."""
    charges: int = 0
    """Captured ones."""
    authorised: int = 0
    declined: int = 0
    released: int = 0
    challenged: int = 0
    """Waiting for an answer on the bank's page."""
    refunded_minor: int = 0
    refunds: int = 0
    """Succeeded ones."""
    refunding_minor: int = 0
    refunds_pending: int = 0
    refunds_failed: int = 0
    disputed_minor: int = 0
    """Taken back for as long as the dispute is open."""
    disputes_open: int = 0
    disputes_lost_minor: int = 0
    disputes_lost: int = 0
    disputes_won: int = 0


def add_up(totals: Totals, thing: Charge | Refund | Dispute, times: int = 1) -> None:
    """Add one object to what its currency adds up to; with `times` of -1, take it away."""
    match thing:
        case Charge():
            _add_charge(totals, thing, times)
        case Refund():
            _add_refund(totals, thing, times)
        case Dispute():
            _add_dispute(totals, thing, times)


def _add_charge(totals: Totals, charge: Charge, times: int) -> None:
    match charge.status:
        case "captured":
            totals.captured_minor += charge.amount_captured * times
            totals.charges += times
        case "authorised":
            totals.authorised_minor += charge.amount * times
            totals.authorised += times
        case "declined":
            totals.declined += times
        case "released":
            totals.released += times
        case "challenge":
            totals.challenged += times


def _add_refund(totals: Totals, refund: Refund, times: int) -> None:
    match refund.status:
        case "succeeded":
            totals.refunded_minor += refund.amount * times
            totals.refunds += times
        case "pending":
            totals.refunding_minor += refund.amount * times
            totals.refunds_pending += times
        case "failed":
            totals.refunds_failed += times


def _add_dispute(totals: Totals, dispute: Dispute, times: int) -> None:
    match dispute.status:
        case "needs_response":
            totals.disputed_minor += dispute.amount * times
            totals.disputes_open += times
        case "lost":
            totals.disputes_lost_minor += dispute.amount * times
            totals.disputes_lost += times
        case "won":
            totals.disputes_won += times
