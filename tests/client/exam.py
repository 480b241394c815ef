"""A server of a few lines, and one way to ask it with either sender."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from paydesk_client import AsyncPaydesk, Paydesk, Retries

BASE = "https://pay.example"
KEY = "key_test_4g7k2m9x0123456789abcdef"
SECRET = "sk_test_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
SENDERS = ["blocking", "awaited"]
INTENT = "pi_4g7k2m9x01kdwcj3tjeajr24pa3eywnyp2"

Answer = httpx.Response | type[httpx.RequestError]


@dataclass
class Server:
    """Gives its answers in order, the last one for ever; keeps what it was sent and how long the client waited."""

    answers: list[Answer]
    seen: list[httpx.Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers[min(len(self.seen), len(self.answers) - 1)]
        self.seen.append(request)
        if isinstance(answer, httpx.Response):
            # A fresh one each time: httpx binds a response to the client that reads it.
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        raise answer("the line went dead", request=request)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def pause_async(self, seconds: float) -> None:
        self.pauses.append(seconds)


def ask(sender: str, server: Server, call: Callable[[Any], Any], retries: Retries | None = None) -> dict[str, Any]:
    """What `call` gives with this sender; `call` takes either client and makes one call."""
    transport = httpx.MockTransport(server.handle)
    if sender == "blocking":
        with Paydesk(BASE, KEY, SECRET, transport=transport, retries=retries, sleep=server.pause) as paydesk:
            return call(paydesk)

    async def awaited() -> dict[str, Any]:
        async with AsyncPaydesk(
            BASE, KEY, SECRET, transport=transport, retries=retries, sleep=server.pause_async
        ) as paydesk:
            return await call(paydesk)

    return asyncio.run(awaited())


def refusal(status: int, kind: str, code: str, *, headers: Any = None, **more: Any) -> httpx.Response:
    """An error as Paydesk writes it; `more` goes into the error."""
    error = {"type": kind, "code": code, "message": "No.", "param": None, "request_id": "req_1", **more}
    return httpx.Response(status, json={"error": error}, headers=headers)


def signature_of(
    method: str, target: str, headers: Mapping[str, str], body: bytes, *, key_id: str = KEY, secret: str = SECRET
) -> str:
    """PD1 once more, from the raw request target, so that the client's own way of building the string is not asked."""
    path, _, query = target.partition("?")
    lines = ["PD1-HMAC-SHA256", method, path, query, key_id]
    lines += [headers["x-request-timestamp"], headers["x-request-nonce"], headers.get("idempotency-key", "")]
    lines += [hashlib.sha256(body).hexdigest()]
    return "sha256=" + hmac.new(secret.encode(), "\n".join(lines).encode(), "sha256").hexdigest()


def holds(request: httpx.Request) -> bool:
    """Whether the signature of a request that a Server kept is right."""
    expected = signature_of(request.method, request.url.raw_path.decode(), request.headers, request.content)
    return request.headers["x-signature"] == expected and request.headers["authorization"] == f"Bearer {KEY}"


def fields(request: httpx.Request) -> Any:
    return json.loads(request.content)
