"""What the operator asks for, by the command line: the same functions over the socket of a running `serve` and without
one.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from paydesk.assembly import audit_log, books, charges, dead_letters, notices, outcomes, signatures
from paydesk.assembly.accounts import account_id
from paydesk.assembly.backup import backup
from paydesk.assembly.operators_desk import audited
from paydesk.audit.operators import deed_of
from paydesk.errors import Refusal
from paydesk.events import endpoints
from paydesk.merchants import Terms, new_merchant
from paydesk.merchants.notices import notice_secret as checked_secret
from paydesk.merchants.notices import notice_url
from paydesk.web.card_numbers import refuse_card_numbers
from paydesk.web.desk import DoorDesk
from paydesk.web.door import new_request_id
from paydesk.world.egress import check_url


class Request(Struct, frozen=True):
    """One line on the socket."""

    what: str
    arguments: dict[str, Any]


Action = Callable[..., Awaitable[dict[str, Any]]]
Telling = Callable[..., AsyncGenerator[dict[str, Any]]]
"""An action that has more to say than one line; the last one holds `done`."""


async def merchants_create(
    desk: DoorDesk,
    *,
    name: str,
    origins: list[str],
    psp_url: str,
    psp_key: str | None,
    fee: str,
    refund_fee: str = "0",
    dispute_fee: str = "0",
    settlement_delay_days: int = 2,
    late_payments: str = "refund",
    notice_secret: str | None = None,
) -> dict[str, Any]:
    """A merchant with a test account, on the terms that are given; shows its secrets this once, and where its PSP is
    to send notices.
    """
    refuse_card_numbers("name", name)
    key = psp_key or f"psp_{desk.world.random(12).hex()}"
    terms = Terms(
        fee=fee,
        refund_fee=refund_fee,
        dispute_fee=dispute_fee,
        settlement_delay_days=settlement_delay_days,
        late_payments=late_payments,
    )
    command, shown = new_merchant(
        desk.world,
        desk.sealer,
        name=name,
        origins=origins,
        psp_url=psp_url,
        psp_key=key,
        terms=terms,
        notice_secret=checked_secret(desk.world, notice_secret),
    )
    await desk.submit(command)
    return asdict(shown) | {"notice_url": notice_url(desk.config.origin, command.account)}


async def webhooks_add(desk: DoorDesk, *, merchant: str, url: str, events: list[str]) -> dict[str, Any]:
    """A webhook endpoint, added by the operator: it may be inside PAYDESK_EGRESS_ALLOW. Shows its secret."""
    account = await desk.account(await account_id(desk, merchant))
    if account is None:
        raise Refusal("resource_missing", f"No such merchant or account: {merchant}", param="merchant")
    check_url(url, bool(account.livemode), "operator", desk.config.networks)
    command, secret = endpoints.add_endpoint(
        desk.world,
        desk.sealer,
        account=account.id,
        url=url,
        events=events,
        added_by="operator",
        endpoints_max=desk.config.endpoints_max,
    )
    endpoint = await desk.submit(command)
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "enabled_events": endpoint.enabled_events.split(","),
        "secret": secret,
    }


ACTIONS: dict[str, Action] = {
    "merchants create": merchants_create,
    "merchants notices": notices.merchants_notices,
    "notices": notices.notices,
    "webhooks add": webhooks_add,
    "sign check": signatures.sign_check,
    "audit list": audit_log.audit_list,
    "unknown-charges": charges.unknown,
    "outcomes": outcomes.outcomes,
    "dead list": dead_letters.dead_list,
    "dead show": dead_letters.dead_show,
    "dead retry": dead_letters.dead_retry,
    "dead drop": dead_letters.dead_drop,
}

BEGINNING = ("merchants create",)
"""What makes sense on a data folder with nothing in it yet; all else is about what is there."""

TELLING: dict[str, Telling] = {
    "audit verify": audit_log.audit_verify,
    "backup": backup,
    "ledger verify": books.ledger_verify,
    "ledger export": books.ledger_export,
}


async def perform(desk: DoorDesk, request: Request) -> dict[str, Any]:
    """Do it; what it changes is in the log of who did what. Raises its Refusal."""
    return await ACTIONS[request.what](_audited(desk, request), **request.arguments)


async def act(desk: DoorDesk, request: Request) -> dict[str, Any]:
    """The same; an error comes back in the one shape's inner part."""
    try:
        return {"done": await perform(desk, request)}
    except Refusal as why:
        return _refused(why)


async def tell(desk: DoorDesk, request: Request) -> AsyncGenerator[dict[str, Any]]:
    """Do it; every line of its answer."""
    if request.what not in TELLING:
        yield await act(desk, request)
        return
    try:
        async with aclosing(TELLING[request.what](_audited(desk, request), **request.arguments)) as lines:
            async for line in lines:
                yield line
    except Refusal as why:
        yield _refused(why)


def _audited(desk: DoorDesk, request: Request) -> DoorDesk:
    return audited(desk, deed_of(request.what, request.arguments, new_request_id(desk)))


def _refused(why: Refusal) -> dict[str, Any]:
    return {"error": {"code": why.code, "message": why.message, "param": why.param}}
