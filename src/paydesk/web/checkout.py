"""`/checkout`: the frame's page, its card keys, what it may know, and its one request that tokenises and confirms."""

from base64 import urlsafe_b64encode

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from paydesk.errors import Refusal
from paydesk.payments.ask import check_psp_is_up
from paydesk.payments.confirm import Confirm, used_key
from paydesk.payments.rows import CardUse, Intent
from paydesk.payments.shapes import ShopperIntent, shopper_view
from paydesk.payments.states import Status
from paydesk.payments.waiting import settled
from paydesk.store import StorageFault, account_of
from paydesk.times import rfc3339
from paydesk.vault.payload import digest, open_card
from paydesk.web.answers import CheckoutSession
from paydesk.web.bodies import decode
from paydesk.web.call import Call, Response, as_json, json_body
from paydesk.web.page import MISSING
from paydesk.web.shopper import Viewer, shopper


class ConfirmBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /checkout/{intent}/confirm`: the card, encrypted, and nothing that names an amount."""

    card: str
    """A compact JWE, 4 KiB at most."""


async def page(call: Call) -> Response:
    """The card document, for the origins that the intent's merchant registered."""
    intent_id = call.part("intent")
    account = await call.desk.account(account_of(intent_id))
    wanted = call.parameters("locale").get("locale") or call.header(b"accept-language") or ""
    locale = call.desk.page.locale_for(wanted)
    if account is None or await call.desk.reader.get(Intent, account.id, intent_id) is None:
        return _missing(call, locale)
    nonce = urlsafe_b64encode(call.desk.world.random(18)).decode()
    origins = account.origin_list
    body = call.desk.page.render(intent_id=intent_id, origins=origins, nonce=nonce, locale=locale)
    return Response(body=body, headers=call.desk.page.headers(origins=origins, nonce=nonce))


def _missing(call: Call, locale: str) -> Response:
    """A page for a shopper whose link is broken; the error for a program."""
    if "text/html" in (call.header(b"accept") or ""):
        return Response(status=404, body=call.desk.page.render_missing(locale=locale), headers=MISSING)
    raise Refusal("resource_missing", "There is no such payment.", param="intent")


async def keys(call: Call) -> Response:
    """The public card keys, newest first (a JWKS, RFC 7517)."""
    call.desk.card_keys.current(call.desk.world.now_ms())
    return Response(body=call.desk.card_keys.jwks())


async def session(call: Call) -> Response:
    """What the page may know before anything was paid."""
    viewer = await shopper(call)
    call.parameters()
    view = asdict(shopper_view(viewer.intent, viewer.account.merchant_name))
    view["object"] = "checkout_session"
    return as_json(
        CheckoutSession(
            **view,
            methods=["card"],
            languages=list(call.desk.page.languages),
            server_time=rfc3339(call.desk.world.now_ms()),
        )
    )


async def confirm(call: Call) -> Response:
    """Tokenise and confirm in one request. The card lives in this request's memory and in the question to the PSP."""
    viewer = await shopper(call)
    call.parameters()
    jwe = decode(json_body(call, await call.body()), ConfirmBody).card
    used = await call.desk.reader.get(CardUse, *used_key(viewer.account.id, digest(jwe)))
    if used and used.intent != viewer.intent.id:  # Cut out of one payment and pasted into another.
        raise Refusal("card_payload_invalid")
    attempt = used.attempt if used else await _confirm(call, viewer, jwe)
    return await _outcome(call, viewer, attempt)


async def _confirm(call: Call, viewer: Viewer, jwe: str) -> str:
    """Open the card, record the attempt; its question to the PSP begins as soon as that is committed."""
    desk, account = call.desk, viewer.account
    if desk.asking() >= desk.config.asking_max or desk.asking(account.id) >= desk.config.asking_share:
        raise Refusal("overloaded", retry_after_seconds=2)
    check_psp_is_up(desk, account.psp, account.psp_url)
    card, facts = open_card(
        jwe,
        desk.card_keys,
        intent=viewer.intent.id,
        origins=[*account.origin_list, desk.config.origin],
        now_ms=desk.world.now_ms(),
        fingerprint=lambda number: desk.sealer.card_fingerprint(account.id, number),
    )
    command = Confirm(
        account=account.id,
        intent=viewer.intent.id,
        card=facts,
        psp=account.psp,
        psp_url=account.psp_url,
        attempts_max=desk.config.attempts_max,
    )
    try:
        confirmed = await desk.submit(command, carry=card)
    except Refusal as why:
        if why.status == 409:
            why.payment_intent = msgspec.json.encode(await _view(call, viewer))
        raise
    return confirmed.attempt


async def _outcome(call: Call, viewer: Viewer, attempt_id: str) -> Response:
    """Wait for the outcome of this attempt, and answer as the protocol maps it."""
    try:
        attempt, intent = await settled(call.desk, viewer.account.id, viewer.intent.id, attempt_id)
    except StorageFault as why:  # The attempt is recorded: whatever became of it, nobody may be told to pay again.
        call.desk.log.error("outcome_unreadable", attempt=attempt_id, reason=str(why))
        asked = replace(viewer.intent, status=Status.PROCESSING.value)
        return as_json(shopper_view(asked, viewer.account.merchant_name), status=202)
    view = shopper_view(intent, viewer.account.merchant_name)
    if view.status == Status.CANCELED:
        raise Refusal("invalid_state", "This payment is canceled.", payment_intent=msgspec.json.encode(view))
    if view.status != Status.REQUIRES_PAYMENT_METHOD:
        return as_json(view, status=202 if view.status == Status.PROCESSING else 200)
    # As the intent is now: a repeat of an older attempt must not read as paid.
    not_sent = attempt.id == intent.latest_attempt and attempt.status == "not_sent"
    if view.last_payment_error and view.last_payment_error.type == "card_error" and not not_sent:
        raise _declined(view)
    raise Refusal("psp_unavailable", retry_after_seconds=5, payment_intent=msgspec.json.encode(view))


def _declined(view: ShopperIntent) -> Refusal:
    assert view.last_payment_error is not None  # The decline was recorded with its error, in one commit.
    return Refusal(
        view.last_payment_error.code,
        view.last_payment_error.message,
        payment_intent=msgspec.json.encode(view),
    )


async def _view(call: Call, viewer: Viewer) -> ShopperIntent:
    intent = await call.desk.reader.get(Intent, viewer.account.id, viewer.intent.id)
    return shopper_view(intent or viewer.intent, viewer.account.merchant_name)
