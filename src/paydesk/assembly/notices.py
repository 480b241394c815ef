"""What the operator asks about notices from PSPs: those that came, and a new secret for those to come."""

from typing import Any

from msgspec.structs import asdict

from paydesk.assembly.accounts import account_id
from paydesk.errors import Refusal
from paydesk.merchants import Account
from paydesk.merchants.notices import SetNoticeSecret, notice_secret, notice_url, seal_secret
from paydesk.payments.notices.shown import read_notices
from paydesk.web.desk import DoorDesk


async def notices(desk: DoorDesk, *, status: str | None = None, account: str | None = None) -> dict[str, Any]:
    """The newest notices, of one status or account, or of all."""
    wanted = (await _account(desk, account)).id if account else None
    found = await read_notices(desk.lists, desk.reader, status=status, account=wanted)
    return {"notices": [asdict(notice) for notice in found]}


async def merchants_notices(desk: DoorDesk, *, merchant: str, secret: str | None = None) -> dict[str, Any]:
    """A new secret for an account's notices: those signed with the one before are refused from now on."""
    account = await _account(desk, merchant)
    new = notice_secret(desk.world, secret)
    sealed = seal_secret(desk.world, desk.sealer, account.id, new)
    await desk.submit(SetNoticeSecret(account=account.id, sealed=sealed))
    return {"account_id": account.id, "notice_url": notice_url(desk.config.origin, account), "notice_secret": new}


async def _account(desk: DoorDesk, merchant: str) -> Account:
    account = await desk.account(await account_id(desk, merchant))
    if account is None:
        raise Refusal("resource_missing", f"No such merchant or account: {merchant}", param="account")
    return account
