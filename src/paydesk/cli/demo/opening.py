"""Opening the shop: PSP and Paydesk start, the operator makes a merchant and a webhook endpoint, the shop starts."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from paydesk.assembly import control
from paydesk.assembly.operator import Request
from paydesk.cli.demo.asking import Key, ask, asking
from paydesk.cli.demo.children import Children
from paydesk.cli.demo.failed import DemoFailed
from paydesk.cli.demo.telling import Telling

SHOP_NAME = "Leaf & Kettle"
PSP_KEY = "leaf-and-kettle"
FEE = "1.5%+25"
HERE = "127.0.0.1"
LISTENING = r"listening on (http\S+)"


class Opened(Struct, frozen=True, kw_only=True):
    """Where everyone is, and the merchant's key."""

    psp: str
    paydesk: str
    shop: str
    key: Key


async def open_shop(children: Children, data: Path, telling: Telling) -> Opened:
    """All three up, the merchant made over the command line's socket."""
    psp, paydesk = await _psp_and_paydesk(children, data, telling)
    with free_port() as port:
        shop = f"http://{HERE}:{port}"
        merchant = await _operator(
            data, "merchants create", name=SHOP_NAME, origins=[shop], psp_url=psp, psp_key=PSP_KEY, fee=FEE
        )
        telling.step("merchant created", f"{merchant['account_id']}  {SHOP_NAME}, fee {FEE}")
        await _tell_psp(psp, merchant)
        telling.step("the PSP knows where to call", merchant["notice_url"])
        url = f"{shop}/webhooks"
        endpoint = await _operator(data, "webhooks add", merchant=merchant["merchant_id"], url=url, events=["*"])
        telling.step("webhook endpoint added", f"{endpoint['id']}  {url}")
        environment = {
            "SHOP_KEY_ID": merchant["key_id"],
            "SHOP_SECRET": merchant["secret"],
            "SHOP_WEBHOOK_SECRET": endpoint["secret"],
        }
        arguments = ("paydesk_sandbox", "shop", "--port", str(port), "--paydesk", paydesk)
        await children.start("Shop", *arguments, ready=LISTENING, environment=environment)
    telling.step("the shop is open", shop)
    return Opened(
        psp=psp,
        paydesk=paydesk,
        shop=shop,
        key=Key(id=merchant["key_id"], secret=merchant["secret"]),
    )


async def _psp_and_paydesk(children: Children, data: Path, telling: Telling) -> tuple[str, str]:
    """Both at once: neither needs the other to start."""

    async def psp() -> str:
        where = await children.start("PSP", "paydesk_sandbox", "psp", "--port", "0", ready=LISTENING, environment={})
        telling.step("the PSP listens", where)
        return where

    async def paydesk() -> str:
        arguments = ("paydesk", "serve", "--host", HERE, "--port", "0", "--data", str(data), "--json")
        environment = {"PAYDESK_EGRESS_ALLOW": "127.0.0.0/8"}
        where = await children.start("Paydesk", *arguments, ready=r'"serving": "([^"]+)"', environment=environment)
        telling.step("Paydesk serves", where)
        return where

    try:
        async with asyncio.TaskGroup() as starting:
            both = starting.create_task(psp()), starting.create_task(paydesk())
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return both[0].result(), both[1].result()


async def _tell_psp(psp: str, merchant: dict[str, Any]) -> None:
    """What an operator does in the settings of a PSP: where its notices go, and what signs them."""
    endpoint = {"url": merchant["notice_url"], "secret": merchant["notice_secret"]}
    async with asking() as http:
        await ask(http, "POST", f"{psp}/v1/notice_endpoint", bearer=PSP_KEY, json=endpoint)


async def _operator(data: Path, what: str, **arguments: Any) -> dict[str, Any]:
    """What `paydesk merchants create` and its like do while `serve` runs."""
    answer = await control.ask(data, Request(what, arguments))
    if answer is None:
        raise DemoFailed(f"Paydesk does not listen to commands at {control.socket_path(data)}.")
    if "error" in answer:
        raise DemoFailed(f"`paydesk {what}` was refused: {answer['error']['message']}")
    return answer["done"]


@contextmanager
def free_port() -> Generator[int]:
    """A port that stays ours until the block ends, and that a server may listen on meanwhile.

    The shop's origin must be known before the shop can start. A port that is merely bound is given to nobody else.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HERE, 0))
        yield bound.getsockname()[1]
