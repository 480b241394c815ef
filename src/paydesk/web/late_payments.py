"""`/v1/late_payments`: money that arrived when its payment was over, and what the merchant decides about it."""

from msgspec import Struct

from paydesk.payments.late import DecideLate
from paydesk.payments.late_shapes import render_late
from paydesk.payments.rows import LatePayment
from paydesk.web.bodies import decode
from paydesk.web.call import Call, Response, json_body
from paydesk.web.found import in_path
from paydesk.web.lists import listed_of_intent
from paydesk.web.signed import Caller, caller, once


class DecideBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/late_payments/{late_payment}/refund` and `…/keep`: an empty object, or none."""


async def read(call: Call) -> Response:
    """One late payment."""
    who = await caller(call)
    call.parameters()
    return Response(body=render_late(await in_path(call, who.account, LatePayment, "late_payment")))


async def index(call: Call) -> Response:
    """Late payments, newest first: all of them, or those of one payment intent."""
    who = await caller(call)
    parameters = call.parameters("limit", "starting_after", "ending_before", "payment_intent")
    return await listed_of_intent(
        call, parameters, who.account, LatePayment, url="/v1/late_payments", render=render_late
    )


async def refund(call: Call) -> Response:
    """Send a late payment that is held back to where it came from, all of it. Its `refund` says how that goes."""
    who = await caller(call, needs_idempotency_key=True)
    call.parameters()
    decode(json_body(call, who.body), DecideBody)
    return await once(call, who, await _decision(call, who, keep=False))


async def keep(call: Call) -> Response:
    """Keep a late payment that is held: it is yours, less the platform's fee."""
    who = await caller(call, needs_idempotency_key=True)
    call.parameters()
    decode(json_body(call, who.body), DecideBody)
    return await once(call, who, await _decision(call, who, keep=True))


async def _decision(call: Call, who: Caller, *, keep: bool) -> DecideLate:
    return DecideLate(
        late_payment=await in_path(call, who.account, LatePayment, "late_payment"), keep=keep, cause=who.name
    )
