"""The HTTP/1.1 door: uvicorn's httptools protocol with the limits it lacks, and refusals in our one shape.

uvicorn takes headers of any size for any time, bodies of any size, and answers what its parser refuses in plain text.
Here every such request gets an error as JSON with a `Request-Id`, and its connection ends. A refusal never overtakes:
where an earlier request of the same connection is still being answered, that answer is finished and the connection
closed after it, which tells a pipelining client to send the rest again (RFC 9112, section 9.3.2).

Written against uvicorn's `protocols/http/httptools_impl.py`; it relies on `cycle`, `pipeline`, `flow`,
`_start_asgi_task` and the parser's callbacks. httptools itself refuses two Content-Lengths, and one beside a
Transfer-Encoding.
"""

from asyncio import BaseTransport, TimerHandle
from collections.abc import Callable
from typing import Any, cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from paydesk.errors import Refusal
from paydesk.web.connections import Connections
from paydesk.web.together import Together

IDLE, HEAD, BODY = range(3)

SLASH = ord("/")

FRAMING = frozenset((b"content-length", b"transfer-encoding"))

FRAMING_MAX = 8
"""How many times its body a chunked request may be: six bytes a byte is the worst that honest chunks cost."""

LINGER_SECONDS = 2.0
"""How long what a refused client still sends is read and dropped: closing at once would reset the connection, and the
reset can reach the client before our answer is read."""


class Stop(Exception):
    """Raised inside a parser's callback: the parser stops at that byte, and the request is refused with `code`."""

    def __init__(self, code: str, message: str = "") -> None:
        self.code = code
        self.message = message


class Limited(HttpToolsProtocol):
    """One connection. `limited` makes the subclass that uvicorn is given."""

    # Slots, because with ten attributes more the instance's dict would outgrow what CPython makes fast (thirty).
    __slots__ = (
        "_active",
        "_body_bytes",
        "_chunk_bytes",
        "_counted",
        "_deaf",
        "_messages",
        "_part_bytes",
        "_phase",
        "_timer",
        "_watched",
    )

    header_bytes_max = 16 * 1024
    header_timeout_seconds = 10.0
    body_bytes_max = 256 * 1024
    body_timeout_seconds = 30.0
    room: Connections | None = None
    make_request_id: Callable[[], str]
    log: Callable[..., object]
    parser: httptools.HttpRequestParser

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._phase = IDLE
        """Which part of a request is being read."""
        self._messages = 0
        self._chunk_bytes = 0
        self._part_bytes = 0
        """Raw bytes of the open part, those of the chunk in which it began left out unless it began the chunk."""
        self._body_bytes = 0
        self._active: RequestResponseCycle | None = None
        """The request that the application is answering; `cycle` is the newest that was read."""
        self._deaf = False
        self._timer: TimerHandle | None = None
        self._watched: tuple[int, int] | None = None
        self._counted = ""
        """The address that this connection counts for; empty where it was turned away."""

    # The connection

    def connection_made(self, transport: BaseTransport) -> None:  # type: ignore[override]
        super().connection_made(cast(Any, transport))
        address = self.client[0] if self.client else "?"
        if self.room and not self.room.come(address):
            self._turn_away()
            return
        self._counted = address
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._set_timer(None)
        if self.room and self._counted:
            self.room.leave(self._counted)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._deaf:
            return
        phase, messages = self._phase, self._messages
        self._chunk_bytes = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # Answered as if it had not asked; the parser reads nothing after it.
            self._deaf = True
            self.cycle.keep_alive = False
        except httptools.HttpParserError as why:
            self._refuse(reason_of(why))
            return
        if self._phase and self._is_too_long(phase, messages):
            self._refuse(Stop("headers_too_large" if self._phase == HEAD else "body_too_large"))
        elif self._phase or self._watched or not self._is_answering():  # A request that came whole has none of these.
            self._watch()

    # What the parser calls

    def on_message_begin(self) -> None:
        self._phase = HEAD
        self._messages += 1
        self._part_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._judge_head()
        self._phase = BODY
        self._part_bytes = self._body_bytes = 0
        super().on_headers_complete()
        self.headers = []  # Trailers go in here, and not among the headers that a proxy in front may have vetted.

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self.body_bytes_max:
            raise Stop("body_too_large")
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._phase = IDLE
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._active = cycle
        cycle.transport = cast(Any, Together(cycle, self.loop))
        super()._start_asgi_task(cycle, app)

    def _should_upgrade(self) -> bool:
        return False  # There are no WebSockets here.

    # Sizes

    def _judge_head(self) -> None:
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise Stop("malformed_request", "The request is not HTTP/1.1.")
        if self._part_bytes + self._chunk_bytes > self.header_bytes_max and self._head_bytes() > self.header_bytes_max:
            raise Stop("headers_too_large")
        if self.url[0] != SLASH:
            raise Stop("path_not_canonical", "The request target must be a path.")
        if b"#" in self.url:  # uvicorn would drop it and what follows.
            raise Stop("path_not_canonical")
        for header in self.headers:
            if header[0] in FRAMING:
                self._judge_framing(*header, version)

    def _judge_framing(self, name: bytes, value: bytes, version: str) -> None:
        if name == b"content-length":
            if int(value) > self.body_bytes_max:
                raise Stop("body_too_large")
        elif value.lower() != b"chunked" or version == "1.0":
            raise Stop("malformed_request", "The only Transfer-Encoding is `chunked`, in HTTP/1.1.")

    def _head_bytes(self) -> int:
        line = len(self.parser.get_method()) + len(self.url) + len(b"  HTTP/1.1\r\n")
        return line + sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers)

    def _is_too_long(self, phase: int, messages: int) -> bool:
        """Whether the part that is still open took too many raw bytes; `phase` and `messages` are from before a chunk.

        The parser shows a header only when it is whole, and of chunked framing and trailers nothing at all.
        """
        began_the_chunk = phase == IDLE and self._phase == HEAD and self._messages == messages + 1
        if began_the_chunk or (self._phase == phase and self._messages == messages):
            self._part_bytes += self._chunk_bytes
        return self._part_bytes > (self.header_bytes_max if self._phase == HEAD else FRAMING_MAX * self.body_bytes_max)

    # Times

    def _watch(self) -> None:
        """Have a timer run for the part that is awaited, from when it was first awaited, however its bytes dribble."""
        awaited = self._awaited()
        if awaited != self._watched:
            self._set_timer(awaited)

    def _awaited(self) -> tuple[int, int] | None:
        if self._phase:
            return self._messages, self._phase
        if self._is_answering():
            return None
        return self._messages, HEAD  # A new connection, or an empty line between requests.

    def _set_timer(self, awaited: tuple[int, int] | None) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._watched = awaited
        if awaited:
            seconds = self.header_timeout_seconds if awaited[1] == HEAD else self.body_timeout_seconds
            self._timer = self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        if self._is_queued() and self.flow.read_paused:  # It is we who do not read.
            self._set_timer(self._watched)
        elif self._phase == IDLE:  # Nothing was asked, so there is nothing to answer.
            self.transport.close()
        else:
            self._refuse(Stop("request_timeout"))

    # Refusing

    def _is_answering(self) -> bool:
        return self._active is not None and not self._active.response_complete

    def _own(self) -> RequestResponseCycle | None:
        """The cycle of the request that is being read, if its headers were whole."""
        return self.cycle if self._phase == BODY else None

    def _is_queued(self) -> bool:
        """Whether an earlier request is still being answered."""
        return self._is_answering() and self._active is not self._own()

    def _refuse(self, stop: Stop) -> None:
        self._deaf = True
        self._set_timer(None)
        refusal = Refusal(stop.code, stop.message)
        request_id = self._logged(refusal)
        if self._is_queued():
            assert self._active is not None
            self._active.keep_alive = False
            self.pipeline.clear()
            return
        own = self._own()
        if own is None or not own.response_started:
            self.transport.write(self._answer(refusal, request_id))
        if own is not None:
            own.disconnected = True
            own.message_event.set()
        self._linger()

    def _turn_away(self) -> None:
        """Say why and close at once: to linger would hold the very file that is missing."""
        self._deaf = True
        refusal = Refusal("overloaded", "Too many connections are open.")
        self.transport.write(self._answer(refusal, self._logged(refusal)))
        self.transport.close()

    def _logged(self, refusal: Refusal) -> str:
        """The id under which the log tells of it."""
        request_id = self.make_request_id()
        self.log(
            "request refused at the door",
            code=refusal.code,
            status=refusal.status,
            request_id=request_id,
            client=self.client[0] if self.client else None,
        )
        return request_id

    def _answer(self, refusal: Refusal, request_id: str) -> bytes:
        body = refusal.body(request_id)
        headers = [
            *self.server_state.default_headers,
            (b"Content-Type", b"application/json"),
            (b"Content-Length", b"%d" % len(body)),
            (b"Cache-Control", b"no-store"),
            (b"Request-Id", request_id.encode()),
            (b"Connection", b"close"),
        ]
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        return STATUS_LINE[refusal.status] + lines + b"\r\n" + body

    def _linger(self) -> None:
        if not self.transport.can_write_eof():  # TLS
            self.transport.close()
            return
        self.flow.resume_reading()
        self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def reason_of(why: httptools.HttpParserError) -> Stop:
    """What the parser stopped at: our own word if a callback of ours raised it."""
    if isinstance(why.__context__, Stop):
        return why.__context__
    if isinstance(why, httptools.HttpParserInvalidURLError):  # Bytes outside ASCII among them.
        return Stop("path_not_canonical", "The request target holds a character that must be percent-encoded.")
    return Stop("malformed_request")


def silent(event: str, **facts: object) -> None:
    """Log nothing."""


def limited(
    *,
    header_bytes_max: int = Limited.header_bytes_max,
    header_timeout_seconds: float = Limited.header_timeout_seconds,
    body_bytes_max: int = Limited.body_bytes_max,
    body_timeout_seconds: float = Limited.body_timeout_seconds,
    room: Connections | None = None,
    make_request_id: Callable[[], str],
    log: Callable[..., object] = silent,
) -> type[HttpToolsProtocol]:
    """The protocol class for uvicorn's `http=`.

    `header_bytes_max` is for request line and headers together. The header time begins with the connection, later with
    a request's first byte; the body time when its headers were whole. `room` is for the connections of this listener;
    who finds none gets 503 unasked, and is gone. `log` is called once per refusal, with a sentence and `code`,
    `status`, `request_id` and `client`.
    """
    limits = {
        "header_bytes_max": header_bytes_max,
        "header_timeout_seconds": header_timeout_seconds,
        "body_bytes_max": body_bytes_max,
        "body_timeout_seconds": body_timeout_seconds,
        "room": room,
        "make_request_id": staticmethod(make_request_id),
        "log": staticmethod(log),
    }
    return type("LimitedProtocol", (Limited,), limits)
