"""The door: one ASGI application. Finds the route, calls its handler, turns errors into the one shape, writes one log
line.
"""

from collections.abc import Iterable
from contextlib import aclosing

from starlette.exceptions import HTTPException
from starlette.routing import Route as StarletteRoute
from starlette.routing import Router

from paydesk.errors import Refusal
from paydesk.requests.signature import check_path
from paydesk.store import StorageFault
from paydesk.store.ids import letters
from paydesk.web.call import JSON, Call, ClientGone, Headers, Receive, Response, Scope, Send, Streaming
from paydesk.web.desk import DoorDesk
from paydesk.web.routes import ROUTES, Handler, Route

UNREAD_MAX = 60  # What of a stranger's path or method a log line shows.


class Door:
    """Handles one request at a time per call; holds no state but the routes and the desk."""

    def __init__(self, desk: DoorDesk, routes: Iterable[Route] = ROUTES, *, per_address: bool = True) -> None:
        self._desk = desk
        self._per_address = desk.per_address if per_address else None
        self._router = Router(list(_routes(routes)), redirect_slashes=False, default=_no_route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        desk = self._desk
        began = desk.world.monotonic()
        call = Call(scope, receive, desk, new_request_id(desk))
        scope["call"], scope["app"] = call, self
        answer = Answering(call, send)
        try:
            self._check(call)
            await self._router(scope, receive, answer.send)
        except ClientGone:
            answer.status = 499
        except HTTPException as why:
            await answer.refuse(Refusal("method_not_allowed", allow=(why.headers or {}).get("Allow")))
        except Refusal as why:
            await answer.refuse(why)
        except StorageFault as why:  # In a read: what changes something is refused by the committer.
            desk.log.error("storage_unreadable", request_id=call.request_id, reason=str(why))
            await answer.refuse(Refusal("storage_unavailable", retry_after_seconds=1))
        except Exception as why:
            desk.log.error("request_failed", request_id=call.request_id, exc_info=why)
            await answer.refuse(Refusal("internal_error"))
        self._write_line(call, answer, desk.world.monotonic() - began)

    def _check(self, call: Call) -> None:
        desk = self._desk
        if self._per_address and (wait := self._per_address.take(call.address, desk.world.monotonic())):
            raise Refusal("rate_limited", retry_after_seconds=wait)
        check_path(call.raw_path, call.query)

    def _write_line(self, call: Call, answer: "Answering", seconds: float) -> None:
        route = call.scope.get("route_path", "")
        self._desk.metrics.requests.labels(route, str(answer.status)).inc()
        self._desk.metrics.request_seconds.labels(route).observe(seconds)
        self._desk.log.info(
            "request",
            request_id=call.request_id,
            method=call.method[:UNREAD_MAX],
            route=route,
            status=answer.status,
            code=answer.code,
            account=call.account,
            ms=round(seconds * 1000, 2),
        )


class Answering:
    """Sends one answer; knows its status for the log, and whether it has begun."""

    def __init__(self, call: Call, send: Send) -> None:
        self.status = 0
        self.code: str | None = None
        self.send = send
        self._call = call
        call.scope["answering"] = self

    async def refuse(self, why: Refusal) -> None:
        """The error, unless an answer has begun: then the connection just ends."""
        if self.status:
            return
        self.code = why.code
        self._call.desk.metrics.refusals.labels(why.code).inc()
        headers = [*JSON]
        if why.retry_after_seconds is not None:
            headers.append((b"retry-after", str(why.retry_after_seconds).encode()))
        if why.allow:
            headers.append((b"allow", why.allow.encode()))
        await self.give(Response(status=why.status, body=why.body(self._call.request_id), headers=headers))

    async def give(self, response: Response) -> None:
        """A whole answer."""
        length = [(b"content-length", str(len(response.body)).encode())] if response.status != 304 else []
        await self._begin(response.status, [*response.headers, *length])
        await self.send({"type": "http.response.body", "body": response.body})

    async def give_streaming(self, streaming: Streaming) -> None:
        """An answer as it comes. The first chunk is made before the answer begins, so it can still be a refusal."""
        async with aclosing(streaming.chunks) as chunks:
            first = await anext(chunks, b"")
            await self._begin(200, streaming.headers)
            if self._call.method != "HEAD":
                await self.send({"type": "http.response.body", "body": first, "more_body": True})
                async for chunk in chunks:
                    await self.send({"type": "http.response.body", "body": chunk, "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})

    async def _begin(self, status: int, headers: Headers) -> None:
        self.status = status
        whole = [*headers, (b"request-id", self._call.request_id.encode())]
        await self.send({"type": "http.response.start", "status": status, "headers": whole})


class Endpoint:
    """A handler as an ASGI application, which Starlette calls without building a request object."""

    def __init__(self, path: str, handler: Handler) -> None:
        self._path = path
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route_path"] = self._path
        answering: Answering = scope["answering"]
        made = await self._handler(scope["call"])
        await (answering.give_streaming(made) if isinstance(made, Streaming) else answering.give(made))


def new_request_id(desk: DoorDesk) -> str:
    """`req_…`: in every answer and every log line."""
    return f"req_{letters(desk.world.random(15))}"


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    raise Refusal("route_missing")


def _routes(routes: Iterable[Route]) -> Iterable[StarletteRoute]:
    """One Starlette route per path, so that another method on it is told apart from no such path."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for route in routes:
        by_path.setdefault(route.path, {})[route.method] = Endpoint(route.path, route.handler)
    for path, methods in by_path.items():
        yield StarletteRoute(path, endpoint=ByMethod(methods), methods=list(methods))


class ByMethod:
    """The endpoint for the request's method. Only methods that the route names arrive here; HEAD is answered as GET."""

    def __init__(self, methods: dict[str, Endpoint]) -> None:
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._methods["GET" if scope["method"] == "HEAD" else scope["method"]](scope, receive, send)
