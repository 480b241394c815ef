"""What the operator is shown of charges that nobody here made."""

from typing import Any

from paydesk.payments.unknown_charges import UnknownCharge, unknown_charges
from paydesk.times import rfc3339
from paydesk.web.desk import DoorDesk

LISTED_MAX = 10_000


async def unknown(desk: DoorDesk) -> dict[str, Any]:
    """All of them, by account."""
    return {"charges": [_facts(charge) for charge in await unknown_charges(desk.reader, LISTED_MAX)]}


def _facts(charge: UnknownCharge) -> dict[str, Any]:
    return {
        "account": charge.account,
        "psp": charge.psp,
        "reference": charge.reference,
        "psp_reference": charge.psp_reference,
        "amount": charge.amount_minor,
        "currency": charge.currency,
        "status": charge.status,
        "may_be_of": charge.may_be_of,
        "made": rfc3339(charge.made_ms),
        "found": rfc3339(charge.found_ms),
    }
