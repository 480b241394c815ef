"""What a merchant does with an intent: change it, confirm it off session, capture, cancel; and its timeline."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from paydesk.errors import Refusal
from paydesk.money import AMOUNT_MAX, check_amount
from paydesk.payments.ask import check_psp_is_up
from paydesk.payments.cancel import Cancel
from paydesk.payments.capture import Capture
from paydesk.payments.confirm import ConfirmSaved
from paydesk.payments.rows import PaymentMethod
from paydesk.payments.shapes import render
from paydesk.payments.timeline import Timeline, read_timeline
from paydesk.payments.update import Update
from paydesk.payments.waiting import Answered, answered
from paydesk.psp.base import SavedCard
from paydesk.requests.once import Reply, reply_of
from paydesk.requests.rows import Kept
from paydesk.store import Command
from paydesk.web.bodies import decode
from paydesk.web.call import Call, Response, as_json, json_body
from paydesk.web.found import intent_found, own_account
from paydesk.web.intents import check_texts, check_wanted_amount
from paydesk.web.signed import Caller, answer, caller, once, recorded_once


class CaptureBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/payment_intents/{intent}/capture`."""

    amount_to_capture: Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": AMOUNT_MAX})] | None = None
    """In the currency's minor unit; left out, all that is held. What is not captured is released."""


class CancelBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/payment_intents/{intent}/cancel`."""

    cancellation_reason: Literal["duplicate", "fraudulent", "requested_by_customer", "abandoned"] = (
        "requested_by_customer"
    )


class ConfirmSavedBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/payment_intents/{intent}/confirm`."""

    payment_method: str | None = None
    """A saved card; left out, the one that the intent names."""
    off_session: Literal[True] = True
    """The shopper is not there: a card whose bank wants to hear from them is declined."""


class UpdateIntent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/payment_intents/{intent}`. What is left out stays; null empties a text."""

    amount: Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": AMOUNT_MAX})] | UnsetType = UNSET
    currency: Annotated[str, Meta(extra_json_schema={"pattern": "^[a-z]{3}$"})] | UnsetType = UNSET
    capture_method: Literal["automatic", "manual"] | UnsetType = UNSET
    setup_future_usage: Literal["off_session"] | UnsetType | None = UNSET
    payment_method: str | UnsetType = UNSET
    """A saved card to pay it with; the status becomes `requires_confirmation`."""
    description: Annotated[str, Meta(max_length=1000)] | UnsetType | None = UNSET
    statement_descriptor: (
        Annotated[str, Meta(min_length=5, max_length=22, pattern=r"^[ -~]*(?!\n)$")] | UnsetType | None
    ) = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    """Merged into what is there; an empty value takes a name away. It and the description change at any time."""
    return_url: Annotated[str, Meta(max_length=2048)] | UnsetType | None = UNSET


async def update(call: Call) -> Response:
    """Change what an open intent asks for, or at any time what it says about itself."""
    who = await caller(call)
    call.parameters()
    account = await own_account(call, who.account)
    wanted = decode(json_body(call, who.body), UpdateIntent)
    intent_id = call.part("intent")
    if wanted.amount is not UNSET or wanted.currency is not UNSET:
        intent = await intent_found(call, who.account, intent_id)
        amount = intent.amount_minor if wanted.amount is UNSET else wanted.amount
        check_wanted_amount(amount, intent.currency if wanted.currency is UNSET else wanted.currency, account)
    check_texts(
        account,
        metadata=wanted.metadata or {},
        description=wanted.description or None,
        statement_descriptor=wanted.statement_descriptor or None,
        return_url=None if wanted.return_url is UNSET else wanted.return_url,
    )
    command = Update(
        account=who.account,
        intent=intent_id,
        cause=who.name,
        amount_minor=wanted.amount,
        currency=wanted.currency,
        capture_method=wanted.capture_method,
        setup_future_usage=wanted.setup_future_usage,
        statement_descriptor=wanted.statement_descriptor,
        return_url=wanted.return_url,
        description=wanted.description,
        payment_method=wanted.payment_method,
        metadata=wanted.metadata,
    )
    return await once(call, who, command)


async def confirm(call: Call) -> Response:
    """Charge a saved card, off session."""
    who = await caller(call, needs_idempotency_key=True)
    call.parameters()
    account = await own_account(call, who.account)
    wanted = decode(json_body(call, who.body), ConfirmSavedBody)
    intent_id = call.part("intent")
    if not await call.desk.reader.get(Kept, who.account, who.signed.idempotency_key):  # A repeat is answered always.
        check_psp_is_up(call.desk, account.psp, account.psp_url)
    command = ConfirmSaved(
        account=who.account,
        intent=intent_id,
        payment_method=wanted.payment_method,
        psp=account.psp,
        psp_url=account.psp_url,
        attempts_max=call.desk.config.attempts_max,
        cause=who.name,
        idempotency_key=who.signed.idempotency_key,
    )
    method_id = wanted.payment_method or (await intent_found(call, who.account, intent_id)).payment_method
    method = await call.desk.reader.get(PaymentMethod, who.account, method_id) if method_id else None
    return await once_asked(call, who, command, SavedCard(method.token) if method else None)


async def capture(call: Call) -> Response:
    """Capture what is held, all of it or less."""
    who = await caller(call, needs_idempotency_key=True)
    call.parameters()
    account = await own_account(call, who.account)
    amount = decode(json_body(call, who.body), CaptureBody).amount_to_capture
    if amount is not None:
        check_amount(amount, account.amount_max)
    command = Capture(
        account=who.account,
        intent=call.part("intent"),
        amount_minor=amount,
        cause=who.name,
        idempotency_key=who.signed.idempotency_key,
    )
    return await once_asked(call, who, command)


async def cancel(call: Call) -> Response:
    """Cancel an intent that is not paid; what the PSP holds is released first."""
    who = await caller(call, needs_idempotency_key=True)
    call.parameters()
    command = Cancel(
        account=who.account,
        intent=call.part("intent"),
        reason=decode(json_body(call, who.body), CancelBody).cancellation_reason,
        cause=who.name,
        idempotency_key=who.signed.idempotency_key,
    )
    return await once_asked(call, who, command)


async def timeline(call: Call) -> Response:
    """Every change of an intent with its time and cause, oldest first."""
    who = await caller(call)
    call.parameters()
    intent = await intent_found(call, who.account, call.part("intent"))
    entries = await read_timeline(call.desk.reader, intent)
    return as_json(Timeline(payment_intent=intent.id, data=entries))


async def once_asked(call: Call, who: Caller, command: Command[Reply], carry: object = None) -> Response:
    """Record what the PSP is to do, wait for the outcome, and answer as the protocol maps it."""
    reply = await recorded_once(call, who, command, call.part("intent"), carry)
    if not reply.running:
        return answer(call, who.account, reply)
    stands = await answered(
        call.desk,
        who.account,
        who.signed.idempotency_key,
        reply.object_id,
        reply.operation,
        again=reply.replayed,
    )
    if stands.kept:
        return answer(call, who.account, reply_of(stands.kept, replayed=reply.replayed))
    return _open(stands, again=reply.replayed)


def _open(stands: Answered, *, again: bool) -> Response:
    """Nothing is kept: it came to nothing, or its outcome is not known yet."""
    shown = render(stands.intent)
    if stands.ended == "not_sent":
        raise Refusal("psp_unavailable", retry_after_seconds=5, payment_intent=shown)
    if stands.ended and stands.ended != "asking":
        message = f"The PSP will not do it. This payment is {stands.intent.status}."
        raise Refusal("invalid_state", message, payment_intent=shown)
    if again:
        raise Refusal("operation_in_progress", retry_after_seconds=2, payment_intent=shown)
    return Response(status=202, body=shown)
