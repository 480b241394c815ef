"""A Paydesk server for the frame's tests: the real page and files, and JSON endpoints that do as a test tells them.

It opens what the frame sealed with a real P-256 key, so a test sees what the server would see. What a confirm does
follows from `plans`, one per new payload; a payload that was seen before is a repeat and shows the current state, as
protocol.md has it.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from joserfc import jwe
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from paydesk import resources
from paydesk.web.assets import Assets
from paydesk.web.page import Page

NONCE = "dGhlLW5vbmNlLW9mLWEtdGVzdA"
ENDED = {"succeeded", "canceled"}

ERRORS = {
    "card_declined": (402, "card_error", "Your card was declined."),
    "incorrect_cvc": (402, "card_error", "The security code is incorrect."),
    "card_key_expired": (409, "invalid_request_error", "Encrypt with the new key."),
    "card_payload_invalid": (400, "invalid_request_error", "The encrypted card could not be used."),
    "operation_in_progress": (409, "invalid_request_error", "Still running."),
    "psp_unavailable": (503, "api_error", "The PSP could not be reached."),
    "rate_limited": (429, "rate_limit_error", "Too many requests."),
    "invalid_client_secret": (401, "authentication_error", "The client secret does not belong to this intent."),
    "internal_error": (500, "api_error", "A fault of ours."),
}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Stub:
    """State is changed by the test's thread and by requests; one that waits for a change looks again and again."""

    intent: str = "pi_abcdefgh01jd3k2m4n5p6q7r8s9t0v1w2x"
    origins: list[str] = field(default_factory=list)
    plans: deque[str] = field(default_factory=deque)
    """What the next new payloads lead to: a status, or a code of ERRORS. Empty: succeeded."""
    streams: bool = True
    fields: dict[str, Any] = field(default_factory=dict)
    """Fields of the session and the projection that a test wants otherwise."""
    status: str = "requires_payment_method"
    error: dict[str, str] | None = None
    version: int = 1
    cards: list[dict[str, Any]] = field(default_factory=list)
    """Every payload as it was opened, in the order of arrival; repeats are not opened again."""
    payloads: list[str] = field(default_factory=list)
    """Every JWE that came, repeats included."""
    asked: list[str] = field(default_factory=list)
    """Method and path of each request for JSON."""
    keys: list[ECKey] = field(default_factory=list)
    server_time: str | None = None
    closed: bool = False

    def __post_init__(self) -> None:
        self.page_assets = Assets(resources.folder("static"))
        self.page = Page(templates=resources.folder("templates"), assets=self.page_assets)
        self.new_key()

    @property
    def secret(self) -> str:
        return f"{self.intent}_secret_c2VjcmV0LW9mLWEtdGVzdA"

    def new_key(self) -> None:
        """The newest first; an old one is gone at once."""
        self.keys = [ECKey.generate_key("P-256", {"kid": f"card_{len(self.payloads)}_{len(self.keys)}"})]

    def become(self, status: str, error: str | None = None) -> None:
        """The intent is now in `status`; whoever waits for it hears so."""
        self.status, self.version = status, self.version + 1
        self.error = {"code": error, "message": ERRORS[error][2]} if error else None

    def close(self) -> None:
        """Whoever still waits for a change goes home."""
        self.closed = True

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/checkout/keys", self.get_keys),
                Route("/checkout/{intent}", self.get_page),
                Route("/checkout/{intent}/session", self.get_session),
                Route("/checkout/{intent}/confirm", self.post_confirm, methods=["POST"]),
                Route("/v1/payment_intents/{intent}/status", self.get_status),
                Route("/v1/payment_intents/{intent}/stream", self.get_stream),
                Route("/challenge", self.get_challenge),
                Route("/{path:path}", self.get_asset),
            ]
        )

    async def get_page(self, request: Request) -> Response:
        locale = request.query_params.get("locale", "en")
        html = self.page.render(intent_id=self.intent, origins=self.origins, nonce=NONCE, locale=locale)
        return raw(html, self.page.headers(origins=self.origins, nonce=NONCE))

    async def get_asset(self, request: Request) -> Response:
        asset = self.page_assets.find(request.url.path)
        return raw(asset.body, asset.headers()) if asset else Response(status_code=404)

    async def get_challenge(self, request: Request) -> Response:
        """The bank's page: the shopper agrees, and comes back to the card document."""
        html = f'<a id="agree" href="/checkout/{self.intent}">Agree</a>'
        return Response(html, media_type="text/html", headers={"Cross-Origin-Embedder-Policy": "require-corp"})

    async def get_keys(self, request: Request) -> Response:
        self.asked.append("keys")
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def get_session(self, request: Request) -> Response:
        self.asked.append("session")
        if request.headers.get("authorization") != f"Bearer {self.secret}":
            return self.refusal("invalid_client_secret")
        session = {"object": "checkout_session", "methods": ["card"], "languages": ["en"]}
        return JSONResponse(self.projection() | session | {"server_time": self.server_time or now()})

    async def get_status(self, request: Request) -> Response:
        self.asked.append("status")
        if "after" in request.query_params:
            await self.until_above(int(request.query_params["after"]))
        return JSONResponse(self.projection())

    async def get_stream(self, request: Request) -> Response:
        self.asked.append("stream")
        if not self.streams:
            return Response("a proxy that streams nothing", status_code=502)
        return StreamingResponse(self.events(), media_type="text/event-stream")

    async def events(self) -> AsyncIterator[bytes]:
        yield b": here\n\n"
        seen = 0
        while True:
            await self.until_above(seen)
            if self.closed:
                return
            seen = self.version
            yield f"event: status\nid: {seen}\ndata: {json.dumps(self.projection())}\n\n".encode()
            if self.status in ENDED:
                return

    async def until_above(self, version: int) -> None:
        while self.version <= version and not self.closed:
            await asyncio.sleep(0.02)  # Bridges two threads; nothing is decided by how long it takes.

    async def post_confirm(self, request: Request) -> Response:
        self.asked.append("confirm")
        body = await request.json()
        assert list(body) == ["card"], "the frame sends a card and nothing else"
        repeat = body["card"] in self.payloads
        self.payloads.append(body["card"])
        if repeat:
            return self.answer()
        return self.carry_out(self.plans.popleft() if self.plans else "succeeded", body["card"])

    def carry_out(self, plan: str, card: str) -> Response:
        if plan == "card_key_expired":
            self.new_key()
            return self.refusal(plan)
        opened = jwe.decrypt_compact(card, self.keys[0], algorithms=["ECDH-ES", "A256GCM"])
        self.cards.append(json.loads(opened.plaintext or b"") | {"header": opened.headers()})
        if plan in ("card_declined", "incorrect_cvc"):
            self.become("requires_payment_method", error=plan)
            return self.answer()
        if plan in ERRORS:
            return self.refusal(plan)
        self.become(plan)
        return self.answer()

    def answer(self) -> Response:
        if self.error:
            return self.refusal(self.error["code"])
        status = 202 if self.status == "processing" else 200
        return JSONResponse(self.projection(), status_code=status)

    def refusal(self, code: str) -> Response:
        status, kind, message = ERRORS[code]
        error = {"type": kind, "code": code, "message": message, "param": None}
        body: dict[str, Any] = {"error": error}
        if status in (402, 409) and code != "card_key_expired":
            body["payment_intent"] = self.projection()
        return JSONResponse(body, status_code=status, headers={"Retry-After": "1"} if status in (429, 503) else {})

    def projection(self) -> dict[str, Any]:
        phases = {"requires_payment_method": "not_started", "succeeded": "success", "canceled": "failed"}
        return {
            "object": "payment_intent",
            "id": self.intent,
            "amount": 1999,
            "currency": "usd",
            "amount_decimal": "19.99",
            "merchant_name": "Lamp & Shade",
            "livemode": True,
            "status": self.status,
            "phase": "failed" if self.error else phases.get(self.status, "executing"),
            "version": self.version,
            "return_url": None,
            "last_payment_error": self.error,
            "next_action": {"type": "challenge", "url": "/challenge"} if self.status == "requires_action" else None,
        } | self.fields


def raw(body: bytes, headers: list[tuple[bytes, bytes]]) -> Response:
    response = Response(body)
    response.raw_headers = [*headers, (b"content-length", str(len(body)).encode())]
    return response
