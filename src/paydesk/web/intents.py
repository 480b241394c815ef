"""`/v1/payment_intents`: create, read, list."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from paydesk.errors import Refusal
from paydesk.merchants import Account
from paydesk.money import AMOUNT_MAX, check_amount, digits
from paydesk.payments.create import Create
from paydesk.payments.rows import Intent
from paydesk.payments.shapes import render, reveal
from paydesk.web.bodies import check_metadata, decode
from paydesk.web.call import Call, Response, json_body
from paydesk.web.card_numbers import refuse_card_numbers
from paydesk.web.found import intent_found, own_account
from paydesk.web.lists import listed
from paydesk.web.signed import caller, client_secret, once


class CreateIntent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/payment_intents`."""

    amount: Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": AMOUNT_MAX})]
    """In the currency's minor unit."""
    currency: Annotated[str, Meta(extra_json_schema={"pattern": "^[a-z]{3}$"})]
    """Lower-case ISO 4217."""
    description: Annotated[str, Meta(max_length=1000)] | None = None
    statement_descriptor: Annotated[str, Meta(min_length=5, max_length=22, pattern=r"^[ -~]*(?!\n)$")] | None = None
    """What the shopper's bank statement says: 5 to 22 ASCII characters."""
    metadata: dict[str, str] = {}
    capture_method: Literal["automatic", "manual"] = "automatic"
    """`manual`: the amount is held until you capture it, for seven days unless the operator chose another time."""
    setup_future_usage: Literal["off_session"] | None = None
    """Keep the card at the PSP, for payments without the shopper; the answer's `payment_method` names it then."""
    return_url: Annotated[str, Meta(max_length=2048)] | None = None
    """Where the redirect mode comes back to; https, or http on this machine in test mode."""


async def create(call: Call) -> Response:
    """Open a payment intent."""
    who = await caller(call, needs_idempotency_key=True)
    call.parameters()
    wanted = decode(json_body(call, who.body), CreateIntent)
    account = await own_account(call, who.account)
    _check(wanted, account)
    command = Create(
        account=who.account,
        livemode=who.livemode,
        amount_minor=wanted.amount,
        currency=wanted.currency,
        description=wanted.description,
        statement_descriptor=wanted.statement_descriptor,
        metadata=msgspec.json.encode(wanted.metadata).decode() if wanted.metadata else "{}",
        return_url=wanted.return_url,
        capture_method=wanted.capture_method,
        setup_future_usage=wanted.setup_future_usage,
        expires_after_ms=call.desk.config.intent_expires_seconds * 1000,
        cause=who.name,
    )
    return await once(call, who, command)


async def read(call: Call) -> Response:
    """One payment intent, with its client secret."""
    who = await caller(call)
    call.parameters()
    intent = await intent_found(call, who.account, call.part("intent"))
    return Response(body=reveal(render(intent), client_secret(call, who.account, intent.id)))


async def index(call: Call) -> Response:
    """Payment intents, newest first."""
    who = await caller(call)
    return await listed(call, who.account, Intent, by="id", url="/v1/payment_intents", render=render)


def _check(wanted: CreateIntent, account: Account) -> None:
    check_wanted_amount(wanted.amount, wanted.currency, account)
    check_texts(
        account,
        metadata=wanted.metadata,
        description=wanted.description,
        statement_descriptor=wanted.statement_descriptor,
        return_url=wanted.return_url,
    )


def check_wanted_amount(amount: int, currency: str, account: Account) -> None:
    """Refuse a currency that there isn't, and what this account may not take at once."""
    digits(currency)
    check_amount(amount, account.amount_max)


def check_texts(
    account: Account,
    *,
    metadata: dict[str, str],
    description: str | None,
    statement_descriptor: str | None,
    return_url: str | None,
) -> None:
    """Refuse what breaks a limit, a URL that leads nowhere good, and a card number in any of it."""
    if metadata:
        check_metadata(metadata)
    for param, text in (("description", description), ("statement_descriptor", statement_descriptor)):
        if text:
            refuse_card_numbers(param, text)
    if return_url is not None:
        check_return_url(return_url, livemode=bool(account.livemode))


def check_return_url(url: str, *, livemode: bool) -> None:
    """https with a host; http only for this machine in test mode. Never `javascript:` and its like."""
    if not _leads_to_a_shop(url, livemode=livemode):
        message = (
            "return_url must be an https URL (http for localhost and 127.0.0.1, in test mode) with a host, in ASCII, "
            "without user or password."
        )
        raise Refusal("url_not_allowed", message, param="return_url")
    refuse_card_numbers("return_url", url)


def _leads_to_a_shop(url: str, *, livemode: bool) -> bool:
    # Browsers read a backslash as a slash: the host would be another one to them than to us.
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1") and not livemode
        named = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False
    return named and (parts.scheme == "https" or local)
