"""The PSP over HTTP: the rules on this machine's clock, the books and the faults for tests, a page for people."""

import os
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.types import Receive, Scope, Send

from paydesk_sandbox.bodies import Unreadable, read
from paydesk_sandbox.door import Door
from paydesk_sandbox.psp.books import Answer, refused
from paydesk_sandbox.psp.exchange import BodyTooLarge, Exchange
from paydesk_sandbox.psp.faults import Fault, Handling, Plan
from paydesk_sandbox.psp.page import Page
from paydesk_sandbox.psp.rules import Call, Psp

Route = Callable[[Exchange], Awaitable[None]]


class PspServer:
    """The ASGI app."""

    def __init__(self, door: Door, *, keys_kept_ms: int) -> None:
        self._door = door
        self._psp = Psp(salt=os.urandom(16), keys_kept_ms=keys_kept_ms)
        self._page = Page()
        self._routes: dict[str, dict[str, Route]] = {
            "/": {"GET": self._show_page},
            "/books": {"GET": self._show_books},
            "/faults": {"GET": self._show_faults, "POST": self._order_fault, "DELETE": self._clear_faults},
            "/faults/plan": {"POST": self._follow_plan},
            "/livez": {"GET": self._live},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        try:
            if exchange.path == "/v1/charges" or exchange.path.startswith("/v1/charges/"):
                await self._charges(exchange)
            else:
                await self._route(exchange)
        except BodyTooLarge:
            await _give(exchange, refused(413, "body_too_large", "The body is too large."))
        except Unreadable as wrong:
            await _give(exchange, refused(400, "invalid_request", str(wrong)))

    async def _charges(self, exchange: Exchange) -> None:
        call = Call(
            method=exchange.method,
            path=exchange.path,
            query=exchange.query,
            authorisation=exchange.header(b"authorization"),
            idempotency_key=exchange.header(b"idempotency-key"),
            body=await exchange.body(),
        )
        handling = self._psp.meet(call, _now_ms())
        if handling.act_after_ms:
            await self._door.pause(handling.act_after_ms)
        answer = self._psp.act(call, handling, _now_ms())
        if handling.end_after_ms:
            await self._door.pause(handling.end_after_ms)
        await self._end(exchange, handling, answer)

    async def _end(self, exchange: Exchange, handling: Handling, answer: Answer | None) -> None:
        if handling.ending == "refuse":
            self._door.refuse(handling.refuse_ms)
        if answer is None:
            await (exchange.hang_up() if handling.ending == "close" else exchange.reset())
        elif await _give(exchange, answer) and answer.charge:
            self._psp.books.answered(answer.charge, time.time_ns() // 1000)

    async def _route(self, exchange: Exchange) -> None:
        methods = self._routes.get(exchange.path)
        if methods is None:
            await _give(exchange, refused(404, "not_found", "There is no such route."))
        elif exchange.method not in methods:
            await _give(exchange, refused(405, "method_not_allowed", "The route exists, but not with this method."))
        else:
            await methods[exchange.method](exchange)

    async def _show_page(self, exchange: Exchange) -> None:
        html, policy = self._page.render(self._psp)
        extra = [(b"content-security-policy", policy), (b"cache-control", b"no-store")]
        await exchange.answer(200, html, content_type=b"text/html; charset=utf-8", extra=extra)

    async def _show_books(self, exchange: Exchange) -> None:
        reference = parse_qs(exchange.query).get("reference", [None])[-1]
        await _give_json(exchange, books_shown(self._psp, reference))

    async def _show_faults(self, exchange: Exchange) -> None:
        await _give_json(exchange, faults_shown(self._psp))

    async def _order_fault(self, exchange: Exchange) -> None:
        fault = read(await exchange.body(), Fault)
        self._psp.order(fault)
        if fault.fault == "refuse":  # before the answer, so that whoever reads it meets a closed door
            self._door.refuse(fault.for_ms)
        await _give_json(exchange, faults_shown(self._psp))

    async def _follow_plan(self, exchange: Exchange) -> None:
        self._psp.faults.follow(read(await exchange.body(), Plan))
        await _give_json(exchange, faults_shown(self._psp))

    async def _clear_faults(self, exchange: Exchange) -> None:
        self._psp.faults.clear()
        await _give_json(exchange, faults_shown(self._psp))

    async def _live(self, exchange: Exchange) -> None:
        await exchange.answer(200, b"ok\n", content_type=b"text/plain; charset=utf-8")


def books_shown(psp: Psp, reference: str | None) -> dict[str, Any]:
    """The books as JSON values: all of them, or the charges of one reference. The totals are always of all."""
    entries = psp.books.entries.values()
    return {
        "charges": [
            {**msgspec.structs.asdict(entry.charge), "merchant_key": entry.merchant, "brand": entry.brand}
            | {"last4": entry.last4, "times_asked": entry.times_asked, "answered_us": entry.answered_us}
            for entry in entries
            if reference in (None, entry.charge.reference)
        ],
        "totals": psp.books.totals,
        "charged_twice": psp.books.charged_twice(),
    }


def faults_shown(psp: Psp) -> dict[str, Any]:
    """What is still to go wrong, and how often each kind was hit."""
    faults = psp.faults
    waiting = [{**msgspec.to_builtins(order.fault), "times": order.left} for order in faults.orders]
    return {"waiting": waiting, "plan": faults.plan, "hits": faults.hits}


async def _give(exchange: Exchange, answer: Answer) -> bool:
    extra: list[tuple[bytes, bytes]] = []
    if answer.replayed:
        extra.append((b"idempotent-replayed", b"true"))
    if answer.retry_after_seconds is not None:
        extra.append((b"retry-after", b"%d" % answer.retry_after_seconds))
    return await exchange.answer(answer.status, answer.body, extra=extra)


async def _give_json(exchange: Exchange, value: object) -> None:
    await exchange.answer(200, msgspec.json.encode(value))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
