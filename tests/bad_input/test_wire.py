"""Bytes that are no request, or one that no proxy may read otherwise than we do. Each is answered in the one shape."""

import os
import socket
import time

import pytest

from tests.bad_input.inputs import NO_REQUESTS, PATHS
from tests.bad_input.wire import Signer, Wire, head, read, whole

PING = b"/v1/ping"
CREATE = b"/v1/payment_intents"


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_a_proxy_may_read_otherwise(wire: Wire, signer: Signer, path: bytes) -> None:
    wire.ask(whole("GET", path, signer.headers("GET", path))).refused(400, "path_not_canonical")


@pytest.mark.parametrize("target", [b"http://paydesk/v1/ping", b"https://evil.example/v1/ping", b"*", b"paydesk:443"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_targets_that_are_no_path(wire: Wire, method: str, target: bytes) -> None:
    answer = wire.ask(whole(method, target, {}))
    assert answer.status in (400, 405), answer
    assert answer.error["code"] in ("path_not_canonical", "malformed_request", "method_not_allowed")


@pytest.mark.parametrize("path", [b"/v1/", b"/v1/ping/", b"/V1/ping", b"/v2/ping", b"/v1/payouts/po_1", b"/a/b/c"])
def test_routes_that_are_none(wire: Wire, signer: Signer, path: bytes) -> None:
    for method in ("GET", "POST", "DELETE"):
        wire.ask(whole(method, path, signer.headers(method, path))).refused(404, "route_missing")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", b"/v1/ping", {"GET", "HEAD"}),
        ("DELETE", b"/v1/payment_intents", {"GET", "HEAD", "POST"}),
        ("PUT", b"/v1/payment_intents", {"GET", "HEAD", "POST"}),
        ("PATCH", b"/v1/webhook_endpoints/we_1", {"GET", "HEAD", "DELETE"}),
        ("OPTIONS", b"/v1/payment_intents", {"GET", "HEAD", "POST"}),
        ("TRACE", b"/v1/ping", {"GET", "HEAD"}),
        ("GET", b"/checkout/pi_1/confirm", {"POST"}),
    ],
)
def test_methods_that_a_route_does_not_have(
    wire: Wire, signer: Signer, method: str, path: bytes, allowed: set[str]
) -> None:
    answer = wire.ask(whole(method, path, signer.headers(method, path)))
    answer.refused(405, "method_not_allowed")
    assert {one.strip() for one in answer.headers["allow"].split(",")} == allowed


@pytest.mark.parametrize("name", NO_REQUESTS)
def test_bytes_that_are_no_request(wire: Wire, name: str) -> None:
    answer = wire.ask(NO_REQUESTS[name])
    assert answer.status == 400, answer
    assert answer.error["code"] in ("malformed_request", "path_not_canonical", "missing_header")


def test_headers_that_are_too_large(wire: Wire, signer: Signer) -> None:
    headers = signer.headers("GET", PING)
    wire.ask(whole("GET", PING, headers | {"X-A": "a" * 16 * 1024})).refused(431, "headers_too_large")
    many = [(b"X-%d" % number, b"a") for number in range(3000)]
    wire.ask(whole("GET", PING, many)).refused(431, "headers_too_large")
    wire.ask(whole("GET", PING + b"?a=" + b"a" * 16 * 1024, headers)).refused(431, "headers_too_large")


def test_headers_that_never_end(wire: Wire) -> None:
    answer = wire.ask(
        b"GET /v1/ping HTTP/1.1\r\n", more=b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", times=2000
    )
    answer.refused(431, "headers_too_large")


def test_a_body_that_is_too_large(wire: Wire, signer: Signer) -> None:
    body = b" " * (256 * 1024 + 1)
    headers = signer.headers("POST", CREATE, body, idempotency_key="k")
    wire.ask(whole("POST", CREATE, headers, body)).refused(413, "body_too_large")
    said = [(b"Content-Length", b"99999999999999")]
    wire.ask(head("POST", CREATE, said)).refused(413, "body_too_large")


def test_a_body_that_never_ends(wire: Wire, signer: Signer) -> None:
    headers = signer.headers("POST", CREATE, idempotency_key="k") | {"Transfer-Encoding": "chunked"}
    chunked = [(name.encode(), value.encode()) for name, value in headers.items()]
    chunk = b"1000\r\n" + b"a" * 0x1000 + b"\r\n"
    wire.ask(head("POST", CREATE, chunked), more=chunk, times=5000).refused(413, "body_too_large")


def test_a_body_of_the_largest_size_is_read(wire: Wire, signer: Signer) -> None:
    body = b'{"amount":0,"currency":"usd"' + b" " * (256 * 1024 - 29) + b"}"
    assert len(body) == 256 * 1024
    headers = signer.headers("POST", CREATE, body, idempotency_key="k") | {"Content-Type": "application/json"}
    wire.ask(whole("POST", CREATE, headers, body)).refused(400, "amount_too_small")


def test_a_request_that_does_not_arrive(wire: Wire, signer: Signer) -> None:
    """A second is what this server gives to headers, and another one to a body."""
    began = time.monotonic()
    wire.ask(b"GET /v1/ping HTTP/1.1\r\nHost: a\r\n").refused(408, "request_timeout")
    headers = signer.headers("POST", CREATE, b"{}", idempotency_key="k") | {"Content-Length": "2"}
    wire.ask(whole("POST", CREATE, headers) + b"{").refused(408, "request_timeout")
    assert 1.9 < time.monotonic() - began < 20


def test_a_request_that_dribbles_is_no_request_either(wire: Wire) -> None:
    with socket.create_connection(wire.where, timeout=30) as connection:
        connection.sendall(b"GET /v1/ping HTTP/1.1\r\n")
        connection.settimeout(0.05)
        answer = b""
        while not answer:
            try:
                connection.sendall(b"X-A: a\r\n")
                answer = connection.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                continue
        connection.settimeout(30)
        read(connection).refused(408, "request_timeout")


def test_who_leaves_in_the_middle_does_no_harm(wire: Wire, signer: Signer) -> None:
    body = b'{"amount":1000,"currency":"usd"}'
    headers = signer.headers("POST", CREATE, body, idempotency_key="k") | {"Content-Type": "application/json"}
    request = whole("POST", CREATE, headers, body)
    for end in (3, len(request) // 2, len(request) - 1):
        with socket.create_connection(wire.where, timeout=30) as connection:
            connection.sendall(request[:end])


def test_random_bytes(wire: Wire) -> None:
    for length in (1, 7, 100, 5000, 40_000):
        with socket.create_connection(wire.where, timeout=30) as connection:
            try:
                connection.sendall(os.urandom(length) + b"\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(100)
            except (BrokenPipeError, ConnectionResetError):
                continue
            assert not answer or answer.startswith(b"HTTP/1.1 4"), answer


def test_one_bad_request_does_not_spoil_what_came_before_it(wire: Wire, signer: Signer) -> None:
    good = head("GET", PING, [(name.encode(), value.encode()) for name, value in signer.headers("GET", PING).items()])
    with socket.create_connection(wire.where, timeout=30) as connection:
        connection.sendall(good + b"GARBAGE\r\n\r\n")
        assert read(connection).status == 200


def test_every_answer_has_its_request_id(wire: Wire) -> None:
    ids = [wire.ask(whole("GET", path, {})).headers["request-id"] for path in (b"/livez", b"/none", b"//", PING)]
    ids.append(wire.ask(b"\x00\r\n\r\n").headers["request-id"])
    assert len(set(ids)) == 5
    assert all(one.startswith("req_") for one in ids)
