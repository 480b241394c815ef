"""HTTP out against real servers: each way of failing, by what the other side can have seen."""

import asyncio
import datetime
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from paydesk.world import Answer, NoAnswer, NotSent, Outgoing, Reach
from paydesk.world.egress import parse_networks
from paydesk.world.http import HttpOut, listens_there
from tests.world.raw_server import Act, RawServer, Visit, raw_server

Run = Callable[[Coroutine[Any, Any, Any]], Any]
LOOPBACK = parse_networks("127.0.0.0/8, ::1/128")


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def runs(story: Coroutine[Any, Any, Any]) -> Any:
        factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.SelectorEventLoop
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(story, 30))

    return runs


def post(url: str, **changes: Any) -> Outgoing:
    fields: dict[str, Any] = {"method": "POST", "url": url, "body": b'{"n":1}', "reach": "anywhere"}
    return Outgoing(**(fields | changes))


class Story:
    """One server, one HttpOut, and what came of some requests."""

    def __init__(self, act: Act, **server: Any) -> None:
        self._act = act
        self._server = server

    async def tell(self, told: Callable[[HttpOut, RawServer], Awaitable[Any]]) -> Any:
        async with raw_server(self._act, **self._server) as server:
            out = HttpOut(LOOPBACK, lambda: ())
            try:
                return await told(out, server)
            finally:
                await out.close()


async def ok(visit: Visit) -> None:
    await visit.answer()


def one(act: Act, run: Run, *, path: str = "/", scheme: str = "http", **changes: Any) -> Any:
    """What one POST gives; and it never arrives twice."""
    server = {"tls": changes.pop("tls")} if "tls" in changes else {}

    async def told(out: HttpOut, server: RawServer) -> Any:
        got = await out.send(post(server.url(path, scheme=scheme), **changes))
        assert len(server.visits) <= 1
        assert not isinstance(got, NotSent) or not server.visits, "what arrived was not `not sent`"
        return got

    return run(Story(act, **server).tell(told))


# The good way, and what goes over the wire


def test_an_answer(run: Run) -> None:
    async def act(visit: Visit) -> None:
        await visit.answer(b"thanks", b"HTTP/1.1 202 Accepted\r\nX-One: a\r\nx-one: b\r\nX-Raw: caf\xe9\r\n")

    got = one(act, run)
    assert isinstance(got, Answer)
    assert (got.status, got.body, got.truncated) == (202, b"thanks", False)
    assert got.headers["x-one"] == "b"
    assert got.headers["x-raw"].encode("utf-8") == "caf\N{REPLACEMENT CHARACTER}".encode()


def test_the_request_goes_out_as_it_was_given(run: Run) -> None:
    async def told(out: HttpOut, server: RawServer) -> Visit:
        headers = (("Content-Type", "application/json"), ("Accept-Encoding", "br"), ("X-Sign", "a=b"))
        await out.send(post(server.url("/a%2Fb/../c//d?x=%7E+%20&y"), headers=headers))
        return server.visits[0]

    visit = run(Story(ok).tell(told))
    assert visit.head.startswith(b"POST /a%2Fb/../c//d?x=%7E+%20&y HTTP/1.1\r\n")
    assert visit.body == b'{"n":1}'
    assert visit.header("accept-encoding") == ["identity"]
    assert visit.header("content-type") == ["application/json"]
    assert visit.header("user-agent") == ["Paydesk"]
    assert visit.header("x-sign") == ["a=b"]
    assert visit.header("cookie") == []


def test_an_empty_post_says_so(run: Run) -> None:
    async def told(out: HttpOut, server: RawServer) -> Visit:
        await out.send(post(server.url(), body=b""))
        return server.visits[0]

    visit = run(Story(ok).tell(told))
    assert visit.header("content-length") == ["0"]
    assert visit.header("content-type") == []


def test_connections_are_kept_and_cookies_are_not(run: Run) -> None:
    async def act(visit: Visit) -> None:
        await visit.answer(b"", b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n")

    async def told(out: HttpOut, server: RawServer) -> None:
        for _ in range(3):  # aiohttp's own jar takes cookies from names alone.
            assert isinstance(await out.send(post(server.url(host="localhost"))), Answer)
        assert (len(server.visits), server.connections) == (3, 1)
        assert not any(visit.header("cookie") for visit in server.visits)

    run(Story(act).tell(told))


def test_each_reach_has_connections_of_its_own(run: Run) -> None:
    async def told(out: HttpOut, server: RawServer) -> None:
        assert isinstance(await out.send(post(server.url(), reach="operator")), Answer)
        assert isinstance(await out.send(post(server.url(), reach="anywhere")), Answer)
        assert await out.send(post(server.url(), reach="merchant")) == NotSent("address_not_allowed")
        assert server.connections == 2

    run(Story(ok).tell(told))


def test_no_proxy_is_taken_from_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert isinstance(one(ok, run), Answer)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_shown_and_never_followed(run: Run, status: int) -> None:
    async def act(visit: Visit) -> None:
        await visit.answer(b"", b"HTTP/1.1 %d Elsewhere\r\nLocation: /other\r\n" % status)

    got = one(act, run)
    assert (got.status, got.headers["location"]) == (status, "/other")


# Answers that are too much


@pytest.mark.parametrize("framing", ["length", "chunked", "until the end"])
def test_of_a_long_answer_only_the_beginning_is_read(run: Run, framing: str) -> None:
    body = bytes(range(256)) * 120  # 30 KiB

    async def act(visit: Visit) -> None:
        if framing == "length":
            await visit.answer(body)
        elif framing == "chunked":
            await visit.say(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
            )
        else:
            await visit.say(b"HTTP/1.1 200 OK\r\n\r\n" + body)
            visit.writer.close()

    async def told(out: HttpOut, server: RawServer) -> None:
        got = await out.send(post(server.url()))
        assert isinstance(got, Answer)
        assert (got.body, got.truncated) == (body[: 16 * 1024], True)
        assert not (await out.send(post(server.url(), answer_bytes_max=len(body)))).truncated  # type: ignore[union-attr]

    run(Story(act).tell(told))


def test_an_endless_answer_is_cut(run: Run) -> None:
    async def act(visit: Visit) -> None:
        await visit.say(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await visit.say(bytes(65536))

    got = one(act, run)
    assert (len(got.body), got.truncated) == (16 * 1024, True)


def test_a_compressed_answer_is_not_unpacked(run: Run) -> None:
    async def act(visit: Visit) -> None:
        await visit.answer(b"not gzip at all", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n")

    assert one(act, run).body == b"not gzip at all"


# Sent, and no whole answer


async def reset(visit: Visit) -> None:
    wire = visit.writer.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visit.writer.transport.abort()


async def close(visit: Visit) -> None:
    visit.writer.close()


async def silence(visit: Visit) -> None:
    await asyncio.Event().wait()


def saying(*parts: bytes, then: Act = close) -> Act:
    async def act(visit: Visit) -> None:
        for part in parts:
            await visit.say(part)
        await then(visit)

    return act


async def dribble(visit: Visit) -> None:
    await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        await visit.say(b"x")
        await asyncio.sleep(0.01)


async def dribbled_headers(visit: Visit) -> None:
    await visit.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        await visit.say(b"X: y\r\n")
        await asyncio.sleep(0.05)


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (reset, "connection_lost"),
        (close, "closed_without_answer"),
        (silence, "timeout"),
        (dribble, "timeout"),
        (dribbled_headers, "timeout"),
        (saying(HEAD + b"Content-Length: 9\r\n\r\nhalf"), "answer_incomplete"),
        (saying(HEAD + b"Content-Length: 9\r\n\r\nhalf", then=reset), "answer_incomplete"),
        (saying(HEAD + b"Content-Length: 9\r\n\r\nhalf", then=silence), "timeout"),
        (saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), "answer_incomplete"),
        (saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), "answer_"),
        (saying(HEAD[:9]), "closed_without_answer"),
        (saying(b"SSH-2.0-OpenSSH_9.9\r\n"), "answer_unreadable"),
        (saying(b"\x00\xff" * 50), "answer_unreadable"),
        (saying(HEAD + b"X: " + b"y" * 20_000 + b"\r\n\r\n"), "answer_unreadable"),
        (saying(HEAD + b"X: y\r\n" * 5000 + b"\r\n"), "answer_unreadable"),
        (saying(HEAD + b"X\x00: y\r\n\r\n"), "answer_unreadable"),
        (saying(b"HTTP/1.1 100 Continue\r\n\r\n" * 3, then=silence), "timeout"),
    ],
    ids=range(17),
)
def test_without_a_whole_answer_nobody_knows(run: Run, act: Act, reason: str) -> None:
    got = one(act, run, total_timeout_seconds=0.4)
    assert isinstance(got, NoAnswer)
    assert got.reason.startswith(reason)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH"])
@pytest.mark.parametrize("end", [close, reset])
def test_on_a_kept_connection_that_dies_nothing_is_sent_twice(run: Run, method: str, end: Act) -> None:
    async def act(visit: Visit) -> None:
        await (ok if visit.head.startswith(b"OPTIONS") else end)(visit)

    async def told(out: HttpOut, server: RawServer) -> None:
        await out.send(post(server.url(), method="OPTIONS"))
        got = await out.send(post(server.url(), method=method))
        assert isinstance(got, NoAnswer)
        assert (len(server.visits), server.connections) == (2, 1)

    run(Story(act).tell(told))


def test_a_kept_connection_that_was_closed_meanwhile_is_not_used(run: Run) -> None:
    async def act(visit: Visit) -> None:
        await visit.answer()
        visit.writer.close()
        await visit.writer.wait_closed()

    async def told(out: HttpOut, server: RawServer) -> None:
        for count in (1, 2):
            assert isinstance(await out.send(post(server.url())), Answer)
            await asyncio.wait(server.tasks)
            await until(lambda: not kept(out))
            assert server.connections == count

    run(Story(act).tell(told))


def test_what_is_said_unasked_on_a_kept_connection_is_nobodys_answer(run: Run) -> None:
    idle = asyncio.Event()

    async def act(visit: Visit) -> None:
        await visit.answer()
        if visit.connection == 1:  # As load balancers do before they close an idle connection.
            await idle.wait()
            await visit.answer(b"idle", b"HTTP/1.1 408 Request Timeout\r\n")

    async def told(out: HttpOut, server: RawServer) -> None:
        assert (await out.send(post(server.url()))).status == 200  # type: ignore[union-attr]
        idle.set()
        await until(lambda: any(protocol.should_close for protocol in kept(out)))
        assert (await out.send(post(server.url()))).status == 200  # type: ignore[union-attr]
        assert server.connections == 2

    run(Story(act).tell(told))


def kept(out: HttpOut) -> list[Any]:
    """The connections that wait for another request. Looks inside aiohttp, since it shows them nowhere else."""
    pools = [session.connector._conns for session in out._sessions.values()]  # type: ignore[union-attr]
    return [entry[0] for pool in pools for entries in pool.values() for entry in entries if entry[0].is_connected()]


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0)


# Not sent


def test_a_closed_port(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Bound and not listening: connecting is refused, and nobody else gets the port.
        assert send_once(run, post(f"http://127.0.0.1:{taken.getsockname()[1]}/")) == NotSent("connect_failed")


def send_once(run: Run, request: Outgoing, own: tuple[tuple[str, int], ...] = ()) -> Any:
    async def story() -> Any:
        out = HttpOut(LOOPBACK, lambda: own)
        try:
            return await out.send(request)
        finally:
            await out.close()

    return run(story())


def test_a_name_that_does_not_resolve(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert send_once(run, post("http://nowhere.example/")) == NotSent("dns_failed")


def test_a_name_that_is_none(run: Run) -> None:
    assert send_once(run, post(f"http://{'a' * 70}.example/")) == NotSent("dns_failed")


@pytest.mark.parametrize(
    "url",
    ["", "shop.example", "ftp://127.0.0.1/", "ws://127.0.0.1/", "http://", "http://[::1", "http://a b/", "http://ü/"],
)
def test_a_url_that_is_none(run: Run, url: str) -> None:
    assert send_once(run, post(url)) == NotSent("url_invalid")


@pytest.mark.parametrize("limit", ["connect_timeout_seconds", "total_timeout_seconds"])
def test_a_handshake_that_never_ends(run: Run, limit: str) -> None:
    reason = "connect_timeout" if limit.startswith("connect") else "timeout"
    assert one(ok, run, scheme="https", **{limit: 0.3}) == NotSent(reason)


def test_tls_with_someone_who_speaks_none(run: Run) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await reader.read(1)
        writer.close()

    async def story() -> Any:
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        out = HttpOut((), lambda: ())
        try:
            return await out.send(post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))
        finally:
            await out.close()
            server.close()

    assert run(story()) == NotSent("tls_failed")


def test_a_certificate_that_nobody_vouches_for(run: Run, tmp_path: Path) -> None:
    assert one(ok, run, scheme="https", tls=self_signed(tmp_path)) == NotSent("tls_certificate_invalid")


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    pem = folder / "both.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_a_header_that_would_split_the_request(run: Run) -> None:
    async def told(out: HttpOut, server: RawServer) -> Any:
        got = await out.send(post(server.url(), headers=(("X-A", "b\r\nX-C: d"),)))
        assert server.visits == []
        return got

    assert run(Story(ok).tell(told)).reason == "request_invalid"


def test_after_closing_nothing_is_sent(run: Run) -> None:
    async def told(out: HttpOut, server: RawServer) -> None:
        await out.send(post(server.url()))
        await out.close()
        assert await out.send(post(server.url())) == NotSent("closed")
        assert len(server.visits) == 1

    run(Story(ok).tell(told))


def test_a_cancelled_caller_stays_cancelled(run: Run) -> None:
    arrived = asyncio.Event()

    async def act(visit: Visit) -> None:
        arrived.set()
        await silence(visit)

    async def told(out: HttpOut, server: RawServer) -> None:
        asking = asyncio.create_task(out.send(post(server.url())))
        await arrived.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    run(Story(act).tell(told))


# The guard, where sockets are made

SPELLINGS = [
    "127.0.0.1",
    "127.0.0.2",
    "localhost",
    "LOCALHOST",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "127.1",
    "0.0.0.0",
    "0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "10.0.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "[::ffff:168.63.129.16]",
]


@pytest.mark.parametrize("reach", ["merchant", "operator"])
def test_no_spelling_passes_the_guard(reach: Reach) -> None:
    async def told(_: HttpOut, server: RawServer) -> None:
        guarded = HttpOut((), lambda: ())  # Not even the operator opened anything.
        for host in SPELLINGS:
            got = await guarded.send(post(server.url(host=host), reach=reach))
            assert got == NotSent("address_not_allowed"), host
        await guarded.close()
        assert server.connections == 0

    asyncio.run(Story(ok).tell(told))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1"])
def test_the_operator_reaches_what_was_opened(run: Run, host: str) -> None:
    async def told(out: HttpOut, server: RawServer) -> None:
        assert isinstance(await out.send(post(server.url(host=host), reach="operator")), Answer)
        assert await out.send(post(server.url(host=host), reach="merchant")) == NotSent("address_not_allowed")
        assert server.connections == 1

    run(Story(ok).tell(told))


def test_a_name_is_judged_by_the_address_it_is_connected_to(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def to_loopback(host: str, port: int, **_: object) -> list[Any]:
        assert host == "shop.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async def told(out: HttpOut, server: RawServer) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", to_loopback)
        url = server.url(host="shop.example")
        assert await out.send(post(url, reach="merchant")) == NotSent("address_not_allowed")
        assert isinstance(await out.send(post(url, reach="operator")), Answer)
        assert server.connections == 1

    run(Story(ok).tell(told))


def test_of_several_addresses_the_closed_ones_are_left_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def two(_: str, port: int, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("10.0.0.1", "127.0.0.1")]

    async def told(out: HttpOut, server: RawServer) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", two)
        url = server.url(host="shop.example")
        assert isinstance(await out.send(post(url, reach="operator")), Answer)
        assert await out.send(post(url, reach="merchant")) == NotSent("address_not_allowed")

    run(Story(ok).tell(told))


@pytest.mark.parametrize("listening", ["127.0.0.1", "0.0.0.0", "::"])
def test_our_own_door_is_closed_to_the_operator_too(run: Run, listening: str) -> None:
    async def told(_: HttpOut, server: RawServer) -> None:
        out = HttpOut(LOOPBACK, lambda: [(listening, server.port)])
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            got = await out.send(post(server.url(host=host), reach="operator"))
            assert got == NotSent("address_not_allowed"), host
        assert isinstance(await out.send(post(server.url(), reach="anywhere")), Answer)
        await out.close()

    run(Story(ok).tell(told))


def test_who_listens_everywhere_listens_on_each_address_of_the_machine() -> None:
    everywhere = [("0.0.0.0", 8080)]
    assert listens_there("127.0.0.5", 8080, everywhere)
    assert not listens_there("127.0.0.5", 8081, everywhere)
    assert not listens_there("127.0.0.5", 8080, [("127.0.0.1", 8080)])
    assert not listens_there("192.0.2.1", 8080, everywhere)


def test_an_address_of_this_machine_is_closed_where_we_listen_on_all(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paydesk.world.http.allowed", lambda *_: True)  # As an address in the operator's network is.
    url = "http://127.0.0.5:8080/"
    got = send_once(run, post(url, reach="operator"), own=(("0.0.0.0", 8080),))
    assert got == NotSent("address_not_allowed")


def test_reasons_name_no_address(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        for reach in ("anywhere", "merchant"):
            got = send_once(run, post(f"http://localhost:{port}/", reach=reach))
            assert not any(part in got.reason for part in ("127", "::1", "localhost", port))
