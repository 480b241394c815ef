"""Signing: the published vectors, and the bytes that really leave."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from paydesk_client import PaydeskAuth
from paydesk_client.auth import string_to_sign
from tests.client.exam import BASE, KEY, SECRET, signature_of

VECTORS = json.loads((Path(__file__).parents[2] / "webhooks" / "signatures.json").read_bytes())["api_requests"]
GOOD = [vector for vector in VECTORS if vector["accepted"]]
NEW = "sk_test_HBwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo"


def request_of(vector: dict[str, Any]) -> httpx.Request:
    query = f"?{vector['query']}" if vector["query"] else ""
    headers = {"Idempotency-Key": vector["idempotency_key"]} if vector["idempotency_key"] else {}
    content = vector["body"].encode()
    return httpx.Request(vector["method"], BASE + vector["path"] + query, headers=headers, content=content)


def secrets_of(vector: dict[str, Any]) -> list[str]:
    """Vectors name the server's secrets; who signed with another one, or with two, is told by the signature."""
    if "," in vector["signature"]:
        return [NEW, *vector["secrets"]]
    return vector["secrets"][-1:] if vector["name"] != "two active secrets on the server" else [vector["secrets"][1]]


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])
def test_the_vectors_are_signed_as_published(vector: dict[str, Any]) -> None:
    request = request_of(vector)
    at = datetime.fromisoformat(vector["timestamp"]).timestamp()
    auth = PaydeskAuth(vector["key_id"], secrets_of(vector), clock=lambda: at + 0.999, nonce=lambda: vector["nonce"])
    next(auth.auth_flow(request))
    signed = string_to_sign(request, vector["key_id"], vector["timestamp"], vector["nonce"])
    assert signed.decode() == vector["canonical"]
    assert request.headers["X-Request-Timestamp"] == vector["timestamp"]
    assert request.headers["X-Signature"] == vector["signature"]


def test_there_are_vectors() -> None:
    assert len(GOOD) >= 7
    assert any("," in vector["signature"] for vector in GOOD)


def test_the_same_request_sent_again_gets_a_new_nonce_and_time_and_one_of_each_header() -> None:
    times = iter([1_700_000_000.0, 1_700_000_001.0])
    auth = PaydeskAuth(KEY, SECRET, clock=lambda: next(times))
    request = httpx.Request("GET", f"{BASE}/v1/ping")
    seen = []
    for _ in range(2):
        next(auth.auth_flow(request))
        seen.append(dict(request.headers))
    assert seen[0]["x-request-nonce"] != seen[1]["x-request-nonce"]
    assert seen[0]["x-request-timestamp"] != seen[1]["x-request-timestamp"]
    assert seen[1]["x-signature"] == signature_of("GET", "/v1/ping", seen[1], b"")
    names = [name for name, _ in request.headers.raw]
    assert len(names) == len(set(names))


def test_no_idempotency_key_is_made_up() -> None:
    request = httpx.Request("POST", f"{BASE}/v1/x")
    next(PaydeskAuth(KEY, SECRET).auth_flow(request))
    assert "Idempotency-Key" not in request.headers


@pytest.mark.parametrize("secret", ["", [], [SECRET, ""], [SECRET, SECRET, SECRET]])
def test_no_secret_or_too_many(secret: str | list[str]) -> None:
    with pytest.raises(ValueError, match="one secret, or two") as refused:
        PaydeskAuth(KEY, secret)
    assert SECRET not in str(refused.value)


def test_no_key_id() -> None:
    with pytest.raises(ValueError, match="key's id"):
        PaydeskAuth("", SECRET)


def test_no_secret_shows_in_what_is_printed() -> None:
    assert SECRET not in repr(PaydeskAuth(KEY, SECRET))


class Wire(BaseHTTPRequestHandler):
    """Says what the signature should have been, from the request's own line and bytes."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        right = signature_of(self.command, self.path, headers, body)
        answer = json.dumps({"holds": headers["x-signature"] == right, "target": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def wire() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Wire) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


TARGETS = [
    "/v1/payment_intents?metadata%5Border%5D=a%20b+c&limit=10",
    "/v1/payment_intents?b=2&a=1&a=0",
    "/v1/payment_intents?x=%e2%98%95&empty=",
    "/v1/ping",
    "/v1/ping?",
]


@pytest.mark.parametrize("target", TARGETS)
def test_the_bytes_on_the_wire_are_the_bytes_that_were_signed(target: str) -> None:
    with wire() as base, httpx.Client(auth=PaydeskAuth(KEY, SECRET), transport=httpx.HTTPTransport()) as http:
        assert http.get(base + target).json() == {"holds": True, "target": target}
        assert http.post(base + target, json={"tea": "茶 ☕"}).json()["holds"]


def test_an_async_client_signs_a_streamed_body_too() -> None:
    async def ask(base: str) -> dict[str, Any]:
        async def body() -> AsyncIterator[bytes]:
            yield b'{"amount":'
            yield b"4200}"

        transport = httpx.AsyncHTTPTransport()
        async with httpx.AsyncClient(auth=PaydeskAuth(KEY, SECRET), transport=transport) as http:
            headers = {"Content-Length": "15", "Idempotency-Key": "order-1001"}
            return (await http.post(f"{base}/v1/payment_intents", content=body(), headers=headers)).json()

    with wire() as base:
        assert asyncio.run(ask(base))["holds"]


def test_the_time_is_utc_in_whole_seconds() -> None:
    request = httpx.Request("GET", f"{BASE}/v1/ping")
    next(PaydeskAuth(KEY, SECRET, clock=lambda: 1_700_000_000.9).auth_flow(request))
    said = request.headers["X-Request-Timestamp"]
    assert datetime.fromisoformat(said) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert said == "2023-11-14T22:13:20Z"
