"""What tests of disputes share: a bank that opens and closes them, and the notices that tell of it."""

import asyncio
from typing import Any

from paydesk.payments.rows import Dispute, Notice
from paydesk_sandbox.psp.disputes import CloseOrder, DisputeOrder
from tests.journeys.telling import tell
from tests.journeys.turned import Turned


def charge_id(house: Turned, attempt: str) -> str:
    (found,) = [one.charge.id for one in house.world.psp.books.entries.values() if one.charge.reference == attempt]
    return found


def open_at_bank(house: Turned, intent: dict[str, Any], **order: Any) -> dict[str, Any]:
    """A bank takes it back; the dispute as a notice names it."""
    charge = charge_id(house, intent["latest_attempt"])
    answer = house.world.psp.dispute(charge, DisputeOrder(**order), house.world.now_ms())
    assert answer.status == 200, answer.body
    entry = list(house.world.psp.books.disputes.all.values())[-1]
    return {"id": entry.dispute.id, "reference": entry.dispute.reference}


def close_at_bank(house: Turned, named: dict[str, Any], status: Any) -> None:
    answer = house.world.psp.close_dispute(named["id"], CloseOrder(status=status), house.world.now_ms())
    assert answer.status == 200, answer.body


async def told(house: Turned, notice_id: str, named: dict[str, Any], *, wait: float = 0.5) -> Notice:
    """A notice about a dispute, and what became of it."""
    assert (await tell(house, notice_id, "dispute", named)).status_code == 200
    await asyncio.sleep(wait)
    found = await house.house.reader.get(Notice, house.facts["account_id"], "sandbox", notice_id)
    assert found
    return found


async def disputes(house: Turned, intent: dict[str, Any]) -> list[dict[str, Any]]:
    """As merchants see them, oldest first."""
    columns = ", ".join(f'"{name}"' for name in Dispute.__struct_fields__)
    statement = f'SELECT {columns} FROM "disputes" WHERE "intent" = ? ORDER BY "id"'
    rows = await house.house.reader.query(Dispute, statement, (intent["id"],))
    return [(await house.send("GET", f"/v1/disputes/{row.id}")).json() for row in rows]
