"""`/v1/refunds`: give back what a payment took, all of it or a part, and see how that goes."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from paydesk.errors import Refusal
from paydesk.money import AMOUNT_MAX, check_amount
from paydesk.payments.refund import BeginRefund
from paydesk.payments.refund_shapes import Reason, render_refund
from paydesk.payments.rows import Refund
from paydesk.payments.waiting import refund_answered
from paydesk.requests.once import reply_of
from paydesk.web.bodies import check_metadata, decode
from paydesk.web.call import Call, Response, json_body
from paydesk.web.found import in_path, intent_found, own_account
from paydesk.web.lists import listed_of_intent
from paydesk.web.signed import answer, caller, recorded_once


class CreateRefund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/refunds`."""

    payment_intent: str
    """The payment intent that received the money."""
    amount: Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": AMOUNT_MAX})] | None = None
    """In the currency's minor unit; left out, all that is not refunded, being refunded or disputed."""
    reason: Reason | None = None
    metadata: dict[str, str] = {}


async def create(call: Call) -> Response:
    """Give back what a payment took, all of it or a part. `pending` is a good answer: the PSP decides later."""
    who = await caller(call, needs_idempotency_key=True)
    call.parameters()
    wanted = decode(json_body(call, who.body), CreateRefund)
    if wanted.amount is not None:
        check_amount(wanted.amount, (await own_account(call, who.account)).amount_max)
    if wanted.metadata:
        check_metadata(wanted.metadata)
    intent = await intent_found(call, who.account, wanted.payment_intent, param="payment_intent")
    command = BeginRefund(
        intent=intent,
        amount_minor=wanted.amount,
        reason=wanted.reason,
        metadata=msgspec.json.encode(wanted.metadata).decode() if wanted.metadata else "{}",
        cause=who.name,
        idempotency_key=who.signed.idempotency_key,
    )
    reply = await recorded_once(call, who, command, intent.id)
    if not reply.running:
        return answer(call, who.account, reply)
    key, again = who.signed.idempotency_key, reply.replayed
    kept, refund = await refund_answered(call.desk, who.account, key, reply.object_id, again=again)
    if kept:
        return answer(call, who.account, reply_of(kept, replayed=again))
    if again and not refund.outcome_unknown:
        raise Refusal("operation_in_progress", "The PSP is being asked for this refund.", retry_after_seconds=2)
    return Response(status=202, body=render_refund(refund))


async def read(call: Call) -> Response:
    """One refund."""
    who = await caller(call)
    call.parameters()
    return Response(body=render_refund(await in_path(call, who.account, Refund, "refund")))


async def index(call: Call) -> Response:
    """Refunds, newest first: all of them, or those of one payment intent."""
    who = await caller(call)
    parameters = call.parameters("limit", "starting_after", "ending_before", "payment_intent")
    return await listed_of_intent(call, parameters, who.account, Refund, url="/v1/refunds", render=render_refund)
