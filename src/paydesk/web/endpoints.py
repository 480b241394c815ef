"""`/v1/webhook_endpoints`: create, list, read, delete."""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from paydesk.events import endpoints
from paydesk.events.endpoints import AddEndpoint, Deleted, DeleteEndpoint
from paydesk.events.rows import Endpoint
from paydesk.requests.once import Reply
from paydesk.store import Command, Key, Work
from paydesk.web.answers import Listed
from paydesk.web.bodies import decode
from paydesk.web.call import Call, Response, as_json, json_body
from paydesk.web.card_numbers import refuse_card_numbers
from paydesk.web.found import found
from paydesk.web.signed import Caller, caller, once
from paydesk.world.egress import check_url


class CreateEndpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/webhook_endpoints`."""

    url: Annotated[str, Meta(max_length=2048)]
    enabled_events: list[str] = field(default_factory=lambda: ["*"])
    ordering: Literal["default", "strict"] = "default"
    """`strict` holds an object's later events back for as long as an earlier one fails."""
    description: Annotated[str, Meta(max_length=500)] | None = None


class ReplyEndpoint(Command[Reply], frozen=True):
    """An endpoint made, as an answer that can be kept."""

    inner: AddEndpoint
    livemode: bool

    def keys(self) -> Iterable[Key]:
        return self.inner.keys()

    def decide(self, work: Work) -> Reply:
        endpoint = self.inner.decide(work)
        body = msgspec.json.encode(endpoints.view(endpoint, livemode=self.livemode))
        return Reply(body=body, object_id=endpoint.id)


class ReplyDeleted(Command[Reply], frozen=True):
    """An endpoint deleted, as an answer that can be kept."""

    inner: DeleteEndpoint

    def keys(self) -> Iterable[Key]:
        return self.inner.keys()

    def decide(self, work: Work) -> Reply:
        self.inner.decide(work)
        return Reply(body=msgspec.json.encode(Deleted(id=self.inner.id)), object_id=self.inner.id)


async def create(call: Call) -> Response:
    """Add an endpoint; answers with its secret, to a repeat of the request too."""
    who = await caller(call)
    call.parameters()
    wanted = decode(json_body(call, who.body), CreateEndpoint)
    check_url(wanted.url, who.livemode, "merchant")
    refuse_card_numbers("url", wanted.url)
    refuse_card_numbers("description", wanted.description or "")
    command, secret = endpoints.add_endpoint(
        call.desk.world,
        call.desk.sealer,
        account=who.account,
        url=wanted.url,
        events=wanted.enabled_events,
        ordering=wanted.ordering,
        description=wanted.description,
        added_by="merchant",
        endpoints_max=call.desk.config.endpoints_max,
    )
    made = await once(call, who, ReplyEndpoint(inner=command, livemode=who.livemode))
    return await _with_secret(call, who, made, {command.sealed_for: secret})


async def index(call: Call) -> Response:
    """All endpoints of the account, oldest first."""
    who = await caller(call)
    call.parameters()
    all_of_them = await endpoints.of_account(call.desk.reader, who.account)
    data = [endpoints.view(endpoint, livemode=who.livemode) for endpoint in all_of_them]
    return as_json(Listed(data=data, has_more=False, url="/v1/webhook_endpoints"))


async def read(call: Call) -> Response:
    """One endpoint, without its secret."""
    who = await caller(call)
    call.parameters()
    named = call.part("endpoint")
    endpoint = await found(call, who.account, Endpoint, named, what="webhook_endpoint", param="endpoint")
    return as_json(endpoints.view(endpoint, livemode=who.livemode))


async def delete(call: Call) -> Response:
    """Nothing more is sent there."""
    who = await caller(call)
    call.parameters()
    inner = DeleteEndpoint(account=who.account, id=call.part("endpoint"))
    return await once(call, who, ReplyDeleted(inner=inner))


async def _with_secret(call: Call, who: Caller, response: Response, known: dict[str, str]) -> Response:
    """The stored answer holds no secret: it is put in when the answer is read, as long as the endpoint is there.

    One that was made just now is `known`: a read that fails must not hide that it is there.
    """
    shown = msgspec.json.decode(response.body)
    if shown["id"] in known:
        shown["secret"] = known[shown["id"]]
    elif endpoint := await call.desk.reader.get(Endpoint, who.account, shown["id"]):
        shown["secret"] = endpoints.secrets(call.desk.sealer, endpoint, call.desk.world.now_ms())[0]
    return Response(status=response.status, body=msgspec.json.encode(shown), headers=response.headers)
