"""Shoppers: whoever holds a payment intent's client secret, in the Authorization header and nowhere else."""

import hmac

from msgspec import Struct

from paydesk.errors import Refusal
from paydesk.merchants import Account
from paydesk.payments.rows import Intent
from paydesk.store import account_of
from paydesk.web.call import Call
from paydesk.web.signed import caller, client_secret


class Viewer(Struct, frozen=True, kw_only=True):
    """Who may see an intent, and as what."""

    account: Account
    intent: Intent
    is_merchant: bool


async def shopper(call: Call) -> Viewer:
    """The intent in the path, if the client secret is its own. A wrong secret and a missing intent look alike."""
    intent_id = call.part("intent")
    account_id = account_of(intent_id)
    given = (call.header(b"authorization") or "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), client_secret(call, account_id, intent_id).encode()):
        raise Refusal("invalid_client_secret")
    call.account = account_id
    return await _viewer(call, account_id, intent_id, is_merchant=False)


async def anyone(call: Call) -> Viewer:
    """A shopper with the client secret, or the merchant with a signature."""
    if (call.header(b"authorization") or "").startswith("Bearer pi_"):
        return await shopper(call)
    who = await caller(call)
    return await _viewer(call, who.account, call.part("intent"), is_merchant=True)


async def _viewer(call: Call, account_id: str, intent_id: str, *, is_merchant: bool) -> Viewer:
    account = await call.desk.account(account_id)
    intent = await call.desk.reader.get(Intent, account_id, intent_id)
    if account is None or intent is None:
        raise Refusal("resource_missing", "No such payment_intent.", param="intent")
    return Viewer(account=account, intent=intent, is_merchant=is_merchant)
