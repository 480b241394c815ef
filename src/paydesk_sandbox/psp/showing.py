"""The books and the faults as JSON values, for tests that judge by them."""

from typing import Any

import msgspec

from paydesk_sandbox.psp.books import Entry
from paydesk_sandbox.psp.objects import Told
from paydesk_sandbox.psp.rules import Psp


def books_shown(psp: Psp, reference: str | None) -> dict[str, Any]:
    """All of it, or what stands under one reference (a charge's, or a refund's). Totals and verdicts are of all."""
    books = psp.books
    charges = [entry for entry in books.entries.values() if reference in (None, entry.charge.reference)]
    refunds = [
        entry
        for entry in books.refunds.all.values()
        if reference in (None, entry.refund.reference, entry.of.charge.reference)
    ]
    disputes = [entry for entry in books.disputes.all.values() if reference in (None, entry.dispute.reference)]
    about = {
        *(entry.charge.id for entry in charges),
        *(entry.refund.id for entry in refunds),
        *(entry.dispute.id for entry in disputes),
    }
    return {
        "charges": [_charge(entry) for entry in charges],
        "refunds": [_with(entry.refund, merchant_key=entry.of.merchant) for entry in refunds],
        "disputes": [_with(entry.dispute, merchant_key=entry.of.merchant) for entry in disputes],
        "notices": [record for record in psp.notices.records.values() if reference is None or record.about in about],
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
    return _with(
        entry.charge,
        merchant_key=entry.merchant,
        brand=entry.brand,
        last4=entry.last4,
        times_asked=entry.times_asked,
        answered_us=entry.answered_us,
    )


def _with(thing: Told, **more: object) -> dict[str, Any]:
    return msgspec.structs.asdict(thing) | more
