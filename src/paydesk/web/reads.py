"""Small signed reads: `/v1/ping`, `/v1/events`, `/v1/idempotency_keys/{key}`."""

from msgspec import Raw

from paydesk.errors import Refusal
from paydesk.events.rows import Event
from paydesk.payments.shapes import reveal
from paydesk.requests.rows import Kept
from paydesk.times import rfc3339
from paydesk.web.answers import KeptAnswer, Ping
from paydesk.web.call import Call, Response, as_json
from paydesk.web.found import in_path
from paydesk.web.lists import listed
from paydesk.web.signed import caller, client_secret


async def ping(call: Call) -> Response:
    """A signed no-op: checks the signature, touches no database."""
    who = await caller(call)
    call.parameters()
    return as_json(Ping(livemode=who.livemode, server_time=rfc3339(call.desk.world.wall_ms())))


async def events(call: Call) -> Response:
    """Events, newest first, in the order in which they were committed."""
    who = await caller(call)
    return await listed(call, who.account, Event, by="position", url="/v1/events", render=lambda event: event.body)


async def event(call: Call) -> Response:
    """One event: the bytes that are sent to endpoints."""
    who = await caller(call)
    call.parameters()
    return Response(body=(await in_path(call, who.account, Event, "event")).body)


async def idempotency_key(call: Call) -> Response:
    """What an idempotency key gave."""
    who = await caller(call)
    call.parameters()
    kept = await call.desk.reader.get(Kept, who.account, call.part("key"))
    if kept is None:
        raise Refusal("resource_missing", "Nothing is kept under this idempotency key.", param="key")
    body = reveal(kept.body, client_secret(call, who.account, kept.reveals)) if kept.reveals else kept.body
    return as_json(
        KeptAnswer(
            key=kept.idempotency_key,
            status=kept.status,
            object_id=kept.object_id,
            answer=Raw(body) if body else None,
            created=rfc3339(kept.created_ms),
            expires_at=rfc3339(kept.expires_ms),
        )
    )
