"""`/checkout/challenge`: our document around the bank's page (3-D Secure), and where the bank sends the shopper back.

The address is the key: `<attempt>.<state>`, of which the state is derived and 128 bits long. It opens nothing but these
two documents, which lead to the intent's card document and nowhere else.
"""

import hmac
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from msgspec import Struct

from paydesk.errors import Refusal
from paydesk.merchants import Account
from paydesk.payments.challenge import came_back
from paydesk.payments.rows import Attempt
from paydesk.store import account_of
from paydesk.web.call import Call, Response
from paydesk.web.challenge_page import challenge_headers, may_be_a_banks, return_headers
from paydesk.web.page import CHALLENGE, RETURN

RETURN_BYTES_MAX = 64 * 1024  # What a bank posts on the way back is a few KB; nobody reads it.


class Visitor(Struct, frozen=True, kw_only=True):
    """Whose challenge it is, and how the answer is written."""

    account: Account
    attempt: Attempt
    locale: str
    nonce: str

    @property
    def card_page(self) -> str:
        """Where every way leads back to."""
        return f"/checkout/{self.attempt.intent}?{urlencode({'locale': self.locale})}"


async def page(call: Call) -> Response:
    """The bank's page in a document of ours; back to the card document where the bank wants to hear nothing (more)."""
    given = call.parameters("locale", "isolated")
    visitor = await _visitor(call, given.get("locale", ""))
    account, attempt = visitor.account, visitor.attempt
    livemode, bank = bool(account.livemode), attempt.challenge_url
    if attempt.status != "requires_action" or bank is None:
        return _back(visitor)
    if not may_be_a_banks(bank, livemode=livemode):
        call.desk.log.error("bank_page_refused", attempt=attempt.id, sentence="It is not https, nor on this machine.")
        return _back(visitor)
    isolated = "isolated" in given
    headers = challenge_headers(origins=account.origin_list, nonce=visitor.nonce, livemode=livemode, isolated=isolated)
    body = call.desk.page.render(
        document=CHALLENGE,
        intent_id=attempt.intent,
        origins=account.origin_list,
        nonce=visitor.nonce,
        locale=visitor.locale,
        bank=bank,
        isolated=isolated,
        card_page=visitor.card_page,
    )
    return Response(body=body, headers=headers)


async def posted_back(call: Call) -> Response:
    """The same by POST, with a form of 64 KiB at most, which is not read either."""
    if len(await call.body()) > RETURN_BYTES_MAX:
        raise Refusal("body_too_large")
    return await sent_back(call)


async def sent_back(call: Call) -> Response:
    """The bank sends the shopper back. Whatever it says on the way is not read: the PSP is asked."""
    visitor = await _visitor(call)
    await came_back(call.desk, visitor.account.id, visitor.attempt.id)
    body = call.desk.page.render(
        document=RETURN,
        intent_id=visitor.attempt.intent,
        origins=visitor.account.origin_list,
        nonce=visitor.nonce,
        locale=visitor.locale,
        card_page=visitor.card_page,
    )
    return Response(body=body, headers=return_headers(origins=visitor.account.origin_list, nonce=visitor.nonce))


async def _visitor(call: Call, locale: str = "") -> Visitor:
    attempt_id, _, state = call.part("state").partition(".")
    if not hmac.compare_digest(state.encode(), call.desk.sealer.challenge_state(attempt_id).encode()):
        raise _missing()
    account = await call.desk.account(account_of(attempt_id))
    attempt = await call.desk.reader.get(Attempt, account.id, attempt_id) if account else None
    if account is None or attempt is None:
        raise _missing()
    call.account = account.id
    return Visitor(
        account=account,
        attempt=attempt,
        locale=call.desk.page.locale_for(locale or call.header(b"accept-language") or ""),
        nonce=urlsafe_b64encode(call.desk.world.random(18)).decode(),
    )


def _missing() -> Refusal:
    return Refusal("resource_missing", "There is no such payment.", param="state")


def _back(visitor: Visitor) -> Response:
    headers = [
        (b"location", visitor.card_page.encode("ascii")),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"cross-origin"),
    ]
    return Response(status=303, headers=headers)
