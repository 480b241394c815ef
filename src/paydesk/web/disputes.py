"""`/v1/disputes`: what cardholders' banks took back, or try to."""

from paydesk.payments.dispute_shapes import render_dispute
from paydesk.payments.rows import Dispute
from paydesk.web.call import Call, Response
from paydesk.web.found import in_path
from paydesk.web.lists import listed_of_intent
from paydesk.web.signed import caller


async def read(call: Call) -> Response:
    """One dispute."""
    who = await caller(call)
    call.parameters()
    return Response(body=render_dispute(await in_path(call, who.account, Dispute, "dispute")))


async def index(call: Call) -> Response:
    """Disputes, newest first: all of them, or those of one payment intent."""
    who = await caller(call)
    parameters = call.parameters("limit", "starting_after", "ending_before", "payment_intent")
    return await listed_of_intent(call, parameters, who.account, Dispute, url="/v1/disputes", render=render_dispute)
