"""An account's own rows, as handlers want them: there, or 404. Another account's look like none."""

from typing import TypeVar

from paydesk.errors import Refusal
from paydesk.merchants import Account
from paydesk.payments.rows import Intent
from paydesk.store import Row
from paydesk.web.call import Call

AnyRow = TypeVar("AnyRow", bound=Row)


async def found(call: Call, account: str, kind: type[AnyRow], row_id: str, *, what: str, param: str) -> AnyRow:
    """The row with this id; else the refusal that names `what` there is none of, and the parameter that said so."""
    row = await call.desk.reader.get(kind, account, row_id)
    if row is None:
        raise Refusal("resource_missing", f"No such {what}.", param=param)
    return row


async def in_path(call: Call, account: str, kind: type[AnyRow], part: str) -> AnyRow:
    """The row that a part of the path names, where the part is called as the object is."""
    return await found(call, account, kind, call.part(part), what=part, param=part)


async def intent_found(call: Call, account: str, intent_id: str, *, param: str = "intent") -> Intent:
    """The payment intent with this id."""
    return await found(call, account, Intent, intent_id, what="payment_intent", param=param)


async def own_account(call: Call, account_id: str) -> Account:
    """The account of a caller whose key was just found."""
    account = await call.desk.account(account_id)
    assert account is not None
    return account
