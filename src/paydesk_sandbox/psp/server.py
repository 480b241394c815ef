"""The PSP over HTTP: the rules on this machine's clock. What a merchant asks comes first."""

import os
import time

from starlette.types import Receive, Scope, Send

from paydesk_sandbox.bodies import Unreadable
from paydesk_sandbox.door import Door
from paydesk_sandbox.psp.answers import Answer, refused
from paydesk_sandbox.psp.bank import Bank
from paydesk_sandbox.psp.calls import Call
from paydesk_sandbox.psp.exchange import BodyTooLarge, Exchange
from paydesk_sandbox.psp.faults import Handling
from paydesk_sandbox.psp.notices import NoticeEndpoint
from paydesk_sandbox.psp.people import People
from paydesk_sandbox.psp.routes import Route, Routes, now_ms
from paydesk_sandbox.psp.rules import Psp
from paydesk_sandbox.psp.sending import Sending
from paydesk_sandbox.psp.terms import Terms


class PspServer:
    """The ASGI app."""

    def __init__(self, door: Door, *, terms: Terms, notices: NoticeEndpoint | None = None) -> None:
        self._door = door
        self._psp = Psp(salt=os.urandom(16), terms=terms, notices=notices)
        self._sending = Sending(door, self._psp)
        self._routes: Routes = {**People(door, self._psp).routes, **Bank(self._psp).routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        exchange = Exchange(scope, receive, send)
        try:
            if exchange.path.startswith("/v1/"):
                await self._asked(exchange)
            else:
                await self._route(exchange)
                self._sending.wake()
        except BodyTooLarge:
            await exchange.give(refused(413, "body_too_large", "The body is too large."))
        except Unreadable as wrong:
            await exchange.give(refused(400, "invalid_request", str(wrong)))

    async def _live(self, receive: Receive, send: Send) -> None:
        """As long as the process."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._sending.end()
        await send({"type": "lifespan.shutdown.complete"})

    async def _asked(self, exchange: Exchange) -> None:
        call = Call(
            method=exchange.method,
            path=exchange.path,
            query=exchange.query,
            authorisation=exchange.header(b"authorization"),
            idempotency_key=exchange.header(b"idempotency-key"),
            body=await exchange.body(),
        )
        handling = self._psp.meet(call, now_ms())
        if handling.act_after_ms:
            await self._door.pause(handling.act_after_ms)
        answer = self._psp.act(call, handling, now_ms())
        self._sending.wake()
        if handling.end_after_ms:
            await self._door.pause(handling.end_after_ms)
        await self._end(exchange, handling, answer)

    async def _end(self, exchange: Exchange, handling: Handling, answer: Answer | None) -> None:
        if handling.ending == "refuse":
            self._door.refuse(handling.refuse_ms)
        if answer is None:
            await (exchange.hang_up() if handling.ending == "close" else exchange.reset())
        elif await exchange.give(answer) and answer.charge:
            self._psp.books.answered(answer.charge, time.time_ns() // 1000)

    def _methods(self, parts: tuple[str, ...]) -> dict[str, Route] | None:
        """What may be done at this path, of which the second part may be an id."""
        if parts in self._routes or len(parts) < 2:
            return self._routes.get(parts)
        return self._routes.get((parts[0], "*", *parts[2:]))

    async def _route(self, exchange: Exchange) -> None:
        methods = self._methods(tuple(exchange.path.split("/")[1:]))
        if methods is None:
            await exchange.give(refused(404, "not_found", "There is no such route."))
        elif exchange.method not in methods:
            await exchange.give(refused(405, "method_not_allowed", "The route exists, but not with this method."))
        else:
            await methods[exchange.method](exchange)
