"""Which account a command means."""

from paydesk.merchants import Merchant
from paydesk.web.desk import DoorDesk


async def account_id(desk: DoorDesk, merchant: str) -> str:
    """Commands take either: a merchant's id means its test account."""
    found = await desk.reader.get(Merchant, merchant)
    return found.test_account if found else merchant
