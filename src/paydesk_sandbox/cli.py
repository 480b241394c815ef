"""`python -m paydesk_sandbox psp|shop`."""

import os
from collections.abc import Callable
from typing import Annotated, Literal

import httpx
import typer
from starlette.types import ASGIApp

from paydesk_sandbox.door import Door
from paydesk_sandbox.psp.notices import NoticeEndpoint
from paydesk_sandbox.psp.server import PspServer
from paydesk_sandbox.psp.terms import Terms
from paydesk_sandbox.shop.server import Shop

main = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The world outside Paydesk."
)

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")]
KeysKept = Annotated[int, typer.Option(min=1, help="How long an idempotency key is remembered, in seconds.")]
ChallengeSeconds = Annotated[int, typer.Option(min=1, help="How long the bank's page waits for a shopper.")]
AuthorisedSeconds = Annotated[int, typer.Option(min=1, help="How long an authorisation is held.")]
LaterSeconds = Annotated[float, typer.Option(min=0, help="How long until a dispute or a late failure follows.")]
NoticesAgain = Annotated[
    float | None, typer.Option(min=0, help="Seconds between two tries of a notice, until it is taken.")
]
Origin = Annotated[str | None, typer.Option(help="Where browsers reach it, if not at the address it listens on.")]
NoticesUrl = Annotated[str | None, typer.Option(help="Where notices go of merchants that named no address.")]
PaydeskUrl = Annotated[str, typer.Option("--paydesk", help="Where Paydesk is, e.g. http://127.0.0.1:8080.")]


@main.command()
def psp(
    *,
    port: Port,
    host: Host = "127.0.0.1",
    keys_kept_seconds: KeysKept = 24 * 3600,
    challenge_seconds: ChallengeSeconds = 15 * 60,
    authorised_seconds: AuthorisedSeconds = 7 * 24 * 3600,
    later_seconds: LaterSeconds = 5,
    notices_again_seconds: NoticesAgain = None,
    origin: Origin = None,
    notices: NoticesUrl = None,
) -> None:
    """Run the payment service provider: test cards, books of its own, notices, faults on demand.

    A merchant says with POST /v1/notice_endpoint where notices go. With --notices the others' go there, signed with
    what the environment gives as PSP_NOTICE_SECRET.
    """
    told = _told(notices) if notices else None

    def serving(door: Door) -> ASGIApp:
        terms = Terms(
            origin=origin or door.address,
            keys_kept_ms=keys_kept_seconds * 1000,
            challenge_ms=challenge_seconds * 1000,
            authorised_ms=authorised_seconds * 1000,
            later_ms=round(later_seconds * 1000),
            notice_again_ms=None if notices_again_seconds is None else round(notices_again_seconds * 1000),
        )
        return PspServer(door, terms=terms, notices=told)

    _open(serving, host, port, lifespan="on")


@main.command()
def shop(port: Port, paydesk: PaydeskUrl, host: Host = "127.0.0.1") -> None:
    """Run the demo shop: a product page, orders paid through Paydesk, a webhook receiver with books.

    The environment gives what must not stand on a command line: SHOP_KEY_ID and SHOP_SECRET (what Paydesk gave the shop
    to sign with) and SHOP_WEBHOOK_SECRET (the webhook endpoint's; two with a space between while it is rolled).
    """
    key_id, secret, webhook_secrets = map(_from_environment, ("SHOP_KEY_ID", "SHOP_SECRET", "SHOP_WEBHOOK_SECRET"))
    try:
        the_shop = Shop(paydesk_url=paydesk, key_id=key_id, secret=secret, webhook_secrets=webhook_secrets.split())
    except (ValueError, httpx.InvalidURL) as why:
        raise typer.BadParameter(str(why), param_hint="--paydesk or SHOP_…") from why
    _open(lambda _door: the_shop.app(), host, port, lifespan="on")


def _told(url: str) -> NoticeEndpoint:
    try:
        return NoticeEndpoint(url=url, secret=_from_environment("PSP_NOTICE_SECRET"))
    except ValueError as why:
        raise typer.BadParameter(str(why), param_hint="--notices") from why


def _from_environment(name: str) -> str:
    if value := os.environ.get(name, "").strip():
        return value
    raise typer.BadParameter("it must be set in the environment", param_hint=name)


def _open(make_app: Callable[[Door], ASGIApp], host: str, port: int, *, lifespan: Literal["on", "off"] = "off") -> None:
    try:
        door = Door(make_app, host=host, port=port, listening=_say, lifespan=lifespan)
    except OSError as why:
        raise typer.BadParameter(f"can't listen on {host}, port {port}: {why.strerror}", param_hint="--port") from why
    door.run()


def _say(address: str) -> None:
    print(f"listening on {address}", flush=True)
