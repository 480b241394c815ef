"""The list for people of what the PSP was asked and nobody knows the outcome of."""

from typing import Any

from paydesk.money import decimal_text
from paydesk.payments.unknown import Unknown, unknown_outcomes
from paydesk.times import rfc3339, rfc3339_or_none
from paydesk.web.desk import DoorDesk

LISTED_MAX = 1000


async def outcomes(desk: DoorDesk) -> dict[str, Any]:
    """The oldest first, and whether there are more."""
    found = await unknown_outcomes(desk.reader, LISTED_MAX + 1)
    return {"outcomes": [_facts(unknown) for unknown in found[:LISTED_MAX]], "more": len(found) > LISTED_MAX}


def _facts(unknown: Unknown) -> dict[str, Any]:
    return {
        "account": unknown.account,
        "intent": unknown.intent,
        "attempt": unknown.attempt,
        "operation": unknown.operation,
        "about": unknown.about,
        "amount": unknown.amount_minor,
        "amount_decimal": decimal_text(unknown.amount_minor, unknown.currency),
        "currency": unknown.currency,
        "psp": unknown.psp,
        "since": rfc3339(unknown.since_ms),
        "tries": unknown.tries,
        "next_check": rfc3339_or_none(unknown.next_check_ms),
    }
