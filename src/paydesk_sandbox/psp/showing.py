"""The books and the faults as JSON values, for tests that judge by them."""

from typing import Any

import msgspec

from paydesk_sandbox.psp.books import Entry
from paydesk_sandbox.psp.rules import Psp


def books_shown(psp: Psp, reference: str | None) -> dict[str, Any]:
    """All of it, or what stands under one reference. Totals and verdicts are always of all."""
    books = psp.books
    refunds = [(entry.refund, entry.of.merchant) for entry in books.refunds.all.values()]
    disputes = [(entry.dispute, entry.of.merchant) for entry in books.disputes.all.values()]
    return {
        "charges": [_charge(entry) for entry in books.entries.values() if reference in (None, entry.charge.reference)],
        "refunds": [
            msgspec.structs.asdict(refund) | {"merchant_key": merchant}
            for refund, merchant in refunds
            if reference in (None, refund.reference, books.entries[refund.charge].charge.reference)
        ],
        "disputes": [
            msgspec.structs.asdict(dispute) | {"merchant_key": merchant}
            for dispute, merchant in disputes
            if reference in (None, dispute.reference)
        ],
        "totals": books.totals,
        "charged_twice": books.charged_twice(),
        "refunded_twice": books.refunded_twice(),
        "refunded_beyond_captured": books.refunded_beyond_captured(),
    }


def faults_shown(psp: Psp) -> dict[str, Any]:
    """What is still to go wrong, and how often each kind was hit."""
    faults = psp.faults
    waiting = [{**msgspec.to_builtins(order.fault), "times": order.left} for order in faults.orders]
    return {"waiting": waiting, "plan": faults.plan, "hits": faults.hits}


def _charge(entry: Entry) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(entry.charge),
        "merchant_key": entry.merchant,
        "brand": entry.brand,
        "last4": entry.last4,
        "times_asked": entry.times_asked,
        "answered_us": entry.answered_us,
    }
