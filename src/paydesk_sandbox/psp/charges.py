"""POST /v1/charges: a card, or a token of one, is charged, held, declined, or sent to the bank's page."""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from paydesk_sandbox.psp.amounts import Amount, Reference
from paydesk_sandbox.psp.answers import Answer
from paydesk_sandbox.psp.books import Books, Entry
from paydesk_sandbox.psp.captures import hold, taken
from paydesk_sandbox.psp.cards import Card, CardOnFile, decline_code, on_file
from paydesk_sandbox.psp.challenges import begin_challenge
from paydesk_sandbox.psp.objects import Charge

NO_CARD = CardOnFile(brand="unknown", last4="", exp_month=0, exp_year=0, line=None)
AUTHORITY = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)


class ChargeRequest(Struct, frozen=True, kw_only=True):
    """The body of POST /v1/charges."""

    reference: Reference
    order_reference: Reference | None = None
    """What several charges for one order share."""
    amount: Amount
    currency: Annotated[str, Meta(pattern="^[a-z]{3}\\Z")]
    capture: bool = True
    card: Card | None = None
    token: str | None = None
    """Instead of a card: what an earlier charge was saved as. The shopper is not there."""
    save: bool = False
    """Whether the answer shall carry a token."""
    challenge: Literal["allow", "never"] = "never"
    """Whether the bank may ask the shopper; if not, a card that wants it is declined."""
    return_url: Annotated[str, Meta(max_length=2048)] | None = None
    """Where the bank's page sends the shopper afterwards."""

    def __post_init__(self) -> None:
        if (self.card is None) == (self.token is None):
            raise ValueError("either a card or a token is needed")
        if self.return_url is not None and origin_of(self.return_url) is None:
            raise ValueError("return_url must be an absolute http or https address")


def origin_of(url: str) -> str | None:
    """Scheme and authority of an address that a browser may be sent to; None if it is not such a one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    plain = url.isascii() and url.isprintable() and " " not in url
    if not plain or parts.scheme not in ("http", "https") or not AUTHORITY.fullmatch(parts.netloc):
        return None
    return f"{parts.scheme}://{parts.netloc}"


def charge(books: Books, merchant: str, request: ChargeRequest, now_ms: int) -> Answer:
    """Once more each time it is called: keys are looked at before. 402 where it is declined."""
    card = on_file(request.card) if request.card else books.tokens.get((merchant, request.token or ""))
    code = decline_code(request.card or card, now_ms) if card else "invalid_token"
    challenged = code == "authentication_required" and request.challenge == "allow" and request.card is not None
    entry = Entry(
        charge=_charge(books.new_id("ch_"), request, None if challenged else code, books.time(now_ms)),
        merchant=merchant,
        card=card or NO_CARD,
        capture=request.capture,
        return_url=request.return_url,
        times_asked=1,
    )
    if challenged:
        _with(entry, challenge=begin_challenge(books, entry, now_ms), status="challenge", amount_captured=0)
    if request.save and entry.charge.status != "declined":
        _with(entry, token=_saved(books, entry))
    books.enter(entry)
    if entry.charge.status == "authorised":
        hold(books, entry, now_ms)
    elif entry.charge.status == "captured":
        taken(books, entry, now_ms)
    status = 402 if entry.charge.status == "declined" else 200
    return Answer(status=status, body=msgspec.json.encode(entry.charge), charge=entry.charge.id)


def _charge(charge_id: str, request: ChargeRequest, code: str | None, now_ms: int) -> Charge:
    held = "captured" if request.capture else "authorised"
    return Charge(
        id=charge_id,
        reference=request.reference,
        order_reference=request.order_reference,
        amount=request.amount,
        currency=request.currency,
        status="declined" if code else held,
        amount_captured=request.amount if request.capture and not code else 0,
        decline_code=code,
        created_ms=now_ms,
    )


def _with(entry: Entry, **new: Any) -> None:
    """Before it is in the books."""
    entry.charge = msgspec.structs.replace(entry.charge, **new)


def _saved(books: Books, entry: Entry) -> str:
    token = books.new_id("tok_")
    books.tokens[entry.merchant, token] = entry.card
    return token
