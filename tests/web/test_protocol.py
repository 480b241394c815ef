"""The door against clients that are too large, too slow or not speaking HTTP; and against honest ones."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
import uvloop
from uvicorn import Config
from uvicorn.server import ServerState

from paydesk.errors import CODES
from paydesk.web.protocol import limited

Run = Callable[[Coroutine[Any, Any, Any]], Any]
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def runs(story: Coroutine[Any, Any, Any]) -> Any:
        factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.SelectorEventLoop
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(story, 30))

    return runs


class Shop:
    """An application that reads the body and tells what it saw; how it behaves goes by the path."""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.disconnects = 0
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        self.entered.set()
        if scope["path"] == "/early":
            await self.answer(send, b"early")
            return
        if scope["path"] in ("/wait", "/stream"):
            if scope["path"] == "/stream":
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
            await self.go_on.wait()
        if scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": b"done"})
            return
        body = await self.read(receive)
        if body is not None:
            self.bodies.append(body)
            await self.answer(send, b"%s %d" % (scope["raw_path"], len(body)))

    async def read(self, receive: Any) -> bytes | None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnects += 1
                return None
            body += message["body"]
            if not message["more_body"]:
                return body

    async def answer(self, send: Any, body: bytes) -> None:
        length = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": body})


class Door:
    """A server with small limits on a free port, and what it logged."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.logged: list[dict[str, Any]] = []
        self.port = 0
        self.received = 0
        self.writers: list[asyncio.StreamWriter] = []

    def log(self, event: str, **facts: Any) -> None:
        self.logged.append({"event": event, **facts})

    async def connect(self) -> Client:
        client = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(client[1])
        return client

    async def says(self, *parts: bytes) -> "Told":
        """Send the parts on a new connection and read until its end."""
        reader, writer = await self.connect()
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await told(reader)


class Told:
    """Everything that came back until the server closed: answers, taken apart."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        head, _, self.body = data.partition(b"\r\n\r\n")
        self.status = int(head.split(b" ")[1]) if head else 0
        lines = head.decode().split("\r\n")[1:]
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


async def told(reader: asyncio.StreamReader) -> Told:
    return Told(await reader.read())


def story(tell: Callable[[Door], Awaitable[Any]], **limits: Any) -> Coroutine[Any, Any, Any]:
    async def runs() -> Any:
        async with door(**limits) as open_door:
            return await tell(open_door)

    return runs()


@asynccontextmanager
async def door(keep_alive_seconds: float = 5, **limits: Any) -> AsyncIterator[Door]:
    here = Door()
    numbers = count(1)

    class Counting(limited(make_request_id=lambda: f"req_{next(numbers)}", log=here.log, **limits)):  # type: ignore[misc]
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            here.received += len(data)

    config = Config(here.shop, lifespan="off", log_config=None, access_log=False, interface="asgi3")
    config.timeout_keep_alive = keep_alive_seconds  # type: ignore[assignment]
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Counting(config, state, {}), "127.0.0.1", 0)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
        here.shop.go_on.set()
        for writer in here.writers:
            writer.close()
        for connection in list(state.connections):
            connection.transport.abort()
        while state.tasks or state.connections:
            await asyncio.sleep(0)


def get(path: str = "/", *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def post(body: bytes, path: str = "/", *headers: str) -> bytes:
    length = f"Content-Length: {len(body)}"
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", length, *headers, "", ""]).encode() + body


def chunked(*chunks: bytes, path: str = "/") -> bytes:
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + framed


CLOSE = "Connection: close"


def assert_refused(answer: Told, code: str, here: Door) -> None:
    """The one shape, the headers, one answer only, and one line in the log."""
    entry = CODES[code]
    assert answer.status == entry.status
    error = json.loads(answer.body)["error"]
    assert (error["code"], error["type"], error["param"]) == (code, entry.type, None)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["connection"] == "close"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert answer.headers["request-id"] == error["request_id"] == "req_1"
    (line,) = here.logged
    assert (line["code"], line["status"], line["request_id"], line["client"]) == (
        code,
        entry.status,
        "req_1",
        "127.0.0.1",
    )


# Honest clients


def test_requests_are_answered_and_the_connection_is_kept(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        for body in (b"one", b"three", b""):
            writer.write(post(body, "/a%2Fb?x=%7E"))
            answer = await reader.readuntil(b"/a%%2Fb %d" % len(body))
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert here.shop.bodies == [b"one", b"three", b""]
        assert here.shop.scopes[0]["raw_path"] == b"/a%2Fb"
        assert here.shop.scopes[0]["query_string"] == b"x=%7E"
        assert here.logged == []

    run(story(tell))


def test_a_request_may_come_byte_by_byte(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        for byte in post(b"body", "/", CLOSE):
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert (await told(reader)).body == b"/ 4"

    run(story(tell))


def test_pipelined_requests_are_answered_in_order(run: Run) -> None:
    async def tell(here: Door) -> None:
        answer = await here.says(get("/1") + post(b"xx", "/2") + chunked(b"abc", b"", path="/3") + get("/4", CLOSE))
        assert [part for part in (b"/1 0", b"/2 2", b"/3 3", b"/4 0") if part in answer.data] == [
            b"/1 0",
            b"/2 2",
            b"/3 3",
            b"/4 0",
        ]
        assert answer.data.count(b"HTTP/1.1 200") == 4

    run(story(tell))


def test_limits_are_reached_and_not_passed(run: Run) -> None:
    async def tell(here: Door) -> None:
        bare = len(get("/", CLOSE, "X: "))
        assert (await here.says(get("/", CLOSE, "X: " + "y" * (1000 - bare)))).status == 200
        assert (await here.says(post(b"x" * 5000, "/", CLOSE))).body == b"/ 5000"
        last = chunked(*[b"x"] * 5000).replace(b"Host: x", CLOSE.encode()) + b"0\r\n\r\n"
        assert (await here.says(last)).body == b"/ 5000"
        assert here.logged == []

    run(story(tell, header_bytes_max=1000, body_bytes_max=5000))


def test_many_pipelined_heads_are_not_taken_for_one(run: Run) -> None:
    async def tell(here: Door) -> None:
        answer = await here.says(get("/" + "a" * 300) * 9 + get("/", CLOSE))
        assert answer.data.count(b"HTTP/1.1 200") == 10

    run(story(tell, header_bytes_max=400))


def test_a_head_that_begins_late_in_a_chunk_is_counted_alone(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        whole, last = get("/" + "a" * 300), get("/last", CLOSE)
        half = len(whole) // 2
        for part in (whole * 9 + whole[:half], whole[half:] + whole * 9 + last[:9], last[9:]):
            await apart(here, writer, part)
        assert (await told(reader)).data.count(b"HTTP/1.1 200") == 20
        assert here.logged == []

    run(story(tell, header_bytes_max=400))


def test_a_head_after_a_long_body_is_counted_alone(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        head, body = post(bytes(4000))[:-4000], bytes(1000)
        for part in (head, body, body, body, body, get("/last", CLOSE)[:9], get("/last", CLOSE)[9:]):
            await apart(here, writer, part)
        assert (await told(reader)).data.count(b"HTTP/1.1 200") == 2

    run(story(tell, header_bytes_max=400))


async def apart(here: Door, writer: asyncio.StreamWriter, part: bytes) -> None:
    """Send `part` and wait until the server has taken it, so that it comes as a chunk of its own."""
    seen = here.received
    writer.write(part)
    while here.received < seen + len(part):
        await asyncio.sleep(0)


def test_trailers_are_not_headers(run: Run) -> None:
    async def tell(here: Door) -> None:
        await here.says(chunked(b"x").replace(b"Host: x", CLOSE.encode()) + b"0\r\nX-Admin: 1\r\n\r\n")
        names = [name for name, _ in here.shop.scopes[0]["headers"]]
        assert names == [b"connection", b"transfer-encoding"]

    run(story(tell))


def test_an_upgrade_is_not_made_and_ends_the_connection(run: Run) -> None:
    async def tell(here: Door) -> None:
        for kind in ("websocket", "h2c"):
            answer = await here.says(get("/", "Connection: Upgrade", f"Upgrade: {kind}") + get("/second"))
            assert (answer.status, answer.body) == (200, b"/ 0")
            assert answer.headers["connection"] == "close"

    run(story(tell))


# Too large


@pytest.mark.parametrize(
    "parts",
    [
        (get("/" + "a" * 2000),),
        (get("/", "X: " + "y" * 2000),),
        (get("/", *["X: y"] * 300),),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 2000,),
        (b"GET /" + b"a" * 2000,),
        (b"GET / HTTP/1.1\r\n", *[b"X: y\r\n"] * 300),
        (b"GET / HTTP/1.1\r\nX: ", *[b"y" * 100] * 20),
    ],
    ids=range(7),
)
def test_headers_that_are_too_large(run: Run, parts: tuple[bytes, ...]) -> None:
    async def tell(here: Door) -> None:
        assert_refused(await here.says(*parts), "headers_too_large", here)
        assert here.shop.scopes == []

    run(story(tell, header_bytes_max=1000))


def test_a_content_length_that_is_too_large_is_refused_before_the_body(run: Run) -> None:
    async def tell(here: Door) -> None:
        request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5001\r\nExpect: 100-continue\r\n\r\n"
        assert_refused(await here.says(request), "body_too_large", here)
        assert here.shop.scopes == []

    run(story(tell, body_bytes_max=5000))


def test_a_client_that_sends_all_of_it_still_reads_the_refusal(run: Run) -> None:
    async def tell(here: Door) -> None:
        assert_refused(await here.says(post(bytes(3_000_000))), "body_too_large", here)

    run(story(tell))


@pytest.mark.parametrize("path", ["/", "/wait"])
def test_a_chunked_body_is_counted(run: Run, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paydesk.web.protocol.LINGER_SECONDS", 60)  # The application hears of it before.

    async def tell(here: Door) -> None:
        assert_refused(await here.says(chunked(*[bytes(1000)] * 6, path=path)), "body_too_large", here)
        here.shop.go_on.set()
        while not here.shop.disconnects:
            await asyncio.sleep(0)
        assert here.shop.bodies == []

    run(story(tell, body_bytes_max=5000))


@pytest.mark.parametrize(
    "padding", [b"1;" + b"e" * 5000, b"0\r\nX: " + b"y" * 5000, b"0\r\n" + b"X: y\r\n" * 2000], ids=range(3)
)
def test_what_a_chunked_body_hides_is_counted_too(run: Run, padding: bytes) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        writer.write(chunked())
        await here.shop.entered.wait()
        for start in range(0, len(padding), 1000):
            writer.write(padding[start : start + 1000])
            await writer.drain()
        assert_refused(await told(reader), "body_too_large", here)

    run(story(tell, body_bytes_max=100))


# Too slow


def test_headers_that_dribble(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        assert_refused(await dribbling(reader, writer, b"GET / HTTP/1.1\r\n", b"X: y\r\n"), "request_timeout", here)

    run(story(tell, header_timeout_seconds=0.2))


async def dribbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, start: bytes, drop: bytes) -> Told:
    """Send `start` and then `drop` again and again, until the server has had enough."""
    writer.write(start)
    reading = asyncio.ensure_future(told(reader))
    while not reading.done():
        writer.write(drop)
        await asyncio.wait([reading], timeout=0.02)
    return reading.result()


@pytest.mark.parametrize("nothing", [b"", b"\r\n\r\n"])
def test_a_connection_on_which_nothing_is_asked_is_closed_without_a_word(run: Run, nothing: bytes) -> None:
    async def tell(here: Door) -> None:
        assert (await here.says(nothing)).data == b""
        assert here.logged == []

    run(story(tell, header_timeout_seconds=0.1))


def test_the_header_time_begins_anew_with_each_request(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        writer.write(get("/first"))
        await reader.readuntil(b"/first 0")
        answer = await dribbling(reader, writer, b"GET / HTTP/1.1\r\n", b"X: y\r\n")
        assert_refused(answer, "request_timeout", here)

    run(story(tell, header_timeout_seconds=0.2))


def test_an_empty_line_after_an_answer_keeps_no_connection(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        writer.write(get("/first"))
        await reader.readuntil(b"/first 0")
        writer.write(b"\r\n")
        assert await reader.read() == b""

    run(story(tell, header_timeout_seconds=0.1))


@pytest.mark.parametrize("path", ["/", "/wait"])
def test_a_body_that_dribbles(run: Run, path: str) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        start = post(bytes(1000), path)[:-1000]
        assert_refused(await dribbling(reader, writer, start, b"x"), "request_timeout", here)
        here.shop.go_on.set()
        while not here.shop.disconnects:
            await asyncio.sleep(0)

    run(story(tell, body_timeout_seconds=0.2))


def test_a_body_that_dribbles_on_a_kept_connection(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        writer.write(get("/first"))
        await reader.readuntil(b"/first 0")
        assert_refused(await dribbling(reader, writer, post(bytes(1000))[:-1000], b"x"), "request_timeout", here)

    run(story(tell, body_timeout_seconds=0.2))


def test_a_body_that_never_comes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paydesk.web.protocol.LINGER_SECONDS", 60)  # The application hears of it before.

    async def tell(here: Door) -> None:
        assert_refused(await here.says(post(bytes(10))[:-10]), "request_timeout", here)
        while not here.shop.disconnects:
            await asyncio.sleep(0)

    run(story(tell, body_timeout_seconds=0.1))


def test_a_body_that_nobody_reads_and_that_stops_coming(run: Run) -> None:
    async def tell(here: Door) -> None:
        answer = await here.says(post(bytes(10_000_000), "/wait")[:-1])  # More than the buffers in between hold.
        assert_refused(answer, "request_timeout", here)

    run(story(tell, body_timeout_seconds=0.2, body_bytes_max=20_000_000))


def test_a_slow_answer_is_not_a_slow_request(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        writer.write(post(b"body", "/wait", CLOSE))
        await here.shop.entered.wait()
        asyncio.get_running_loop().call_later(0.2, here.shop.go_on.set)
        assert (await told(reader)).status == 200

    run(story(tell, header_timeout_seconds=0.05, body_timeout_seconds=0.05))


def test_the_idle_time_does_not_run_while_a_second_request_is_answered(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        writer.write(get("/first"))
        await reader.readuntil(b"/first 0")
        writer.write(get("/wait", CLOSE))
        asyncio.get_running_loop().call_later(0.2, here.shop.go_on.set)
        assert (await told(reader)).body == b"/wait 0"

    run(story(tell, keep_alive_seconds=0.05))


def test_a_kept_connection_is_closed_when_it_is_idle(run: Run) -> None:
    async def tell(here: Door) -> None:
        assert (await here.says(get("/"))).body == b"/ 0"

    run(story(tell, keep_alive_seconds=0.05))


def test_a_request_that_waits_its_turn_is_not_too_slow(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        writer.write(get("/wait") + post(bytes(1000), "/second", CLOSE)[:-500])
        await here.shop.entered.wait()
        loop = asyncio.get_running_loop()
        loop.call_later(0.2, lambda: (here.shop.go_on.set(), writer.write(bytes(500))))
        answer = await told(reader)
        assert answer.data.count(b"HTTP/1.1 200") == 2
        assert b"/second 1000" in answer.data

    run(story(tell, header_timeout_seconds=0.05, body_timeout_seconds=0.15))


def test_an_answer_before_the_body_ends_the_connection_when_the_body_stays_away(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        answer = await dribbling(reader, writer, post(bytes(1000), "/early")[:-1000], b"x")
        assert answer.body == b"early"

    run(story(tell, body_timeout_seconds=0.2))


# Not HTTP, or not what we take for it


@pytest.mark.parametrize(
    ("request_bytes", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "malformed_request"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "malformed_request"),
        (b"GET / HTTP/9.9\r\n\r\n", "malformed_request"),
        (b"GET / HTTP/2.0\r\n\r\n", "malformed_request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "malformed_request"),
        (b"GET / HTTP/1.1\nHost: x\n\n", "malformed_request"),
        (b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n", "malformed_request"),
        (b"GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n", "malformed_request"),
        (b"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", "malformed_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "malformed_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "malformed_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\nx", "malformed_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\nx", "malformed_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\nx", "malformed_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nx", "malformed_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx", "malformed_request"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nx", "malformed_request"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "malformed_request"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n", "malformed_request"),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "malformed_request"),
        (b"GET /a#b HTTP/1.1\r\n\r\n", "path_not_canonical"),
        (b"GET /# HTTP/1.1\r\n\r\n", "path_not_canonical"),
        (b"GET /a?b#c HTTP/1.1\r\n\r\n", "path_not_canonical"),
        (b"GET /\xc3\xbc HTTP/1.1\r\n\r\n", "path_not_canonical"),
        (b"GET http://evil.example/ HTTP/1.1\r\n\r\n", "path_not_canonical"),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", "path_not_canonical"),
        (b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n", "path_not_canonical"),
    ],
    ids=range(27),
)
def test_what_the_bytes_alone_refuse(run: Run, request_bytes: bytes, code: str) -> None:
    async def tell(here: Door) -> None:
        assert_refused(await here.says(request_bytes), code, here)
        assert here.shop.scopes == []

    run(story(tell))


def test_bytes_after_a_refusal_are_not_a_request(run: Run) -> None:
    async def tell(here: Door) -> None:
        assert_refused(
            await here.says(b"GET /a#b HTTP/1.1\r\n\r\n" + get("/next"), get("/later")), "path_not_canonical", here
        )
        assert here.shop.scopes == []

    run(story(tell))


def test_a_chunk_that_is_none(run: Run) -> None:
    async def tell(here: Door) -> None:
        assert_refused(await here.says(chunked(b"abc") + b"nonsense\r\n"), "malformed_request", here)

    run(story(tell))


# A refusal never overtakes


@pytest.mark.parametrize("queued", [b"", get("/queued")])
def test_an_earlier_answer_is_finished_first(run: Run, queued: bytes) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        writer.write(get("/wait") + queued + b"nonsense\r\n\r\n")
        await here.shop.entered.wait()
        while not here.logged:
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.2, here.shop.go_on.set)
        answer = await told(reader)
        assert (answer.status, answer.body) == (200, b"/wait 0")
        assert [line["code"] for line in here.logged] == ["malformed_request"], "one refusal, though time went on"

    run(story(tell, header_timeout_seconds=0.05))


def test_nothing_is_written_into_an_answer_that_has_begun(run: Run) -> None:
    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        writer.write(chunked(bytes(10), path="/stream"))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"not a chunk")
        assert await reader.read() == b""
        assert [line["code"] for line in here.logged] == ["malformed_request"]

    run(story(tell))


def test_a_client_that_leaves_is_noticed(run: Run) -> None:
    async def tell(here: Door) -> None:
        _, writer = await here.connect()
        writer.write(post(bytes(100))[:-1])
        await here.shop.entered.wait()
        writer.close()
        while not here.shop.disconnects:
            await asyncio.sleep(0)
        assert here.logged == []

    run(story(tell))


def test_a_refused_client_that_never_hangs_up_is_hung_up_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paydesk.web.protocol.LINGER_SECONDS", 0.1)

    async def tell(here: Door) -> None:
        reader, writer = await here.connect()
        writer.write(b"nonsense\r\n\r\n")
        assert_refused(await told(reader), "malformed_request", here)
        with pytest.raises(ConnectionError):
            await talk_on(writer)

    run(story(tell))


async def talk_on(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"more")
        await writer.drain()
        await asyncio.sleep(0.01)
