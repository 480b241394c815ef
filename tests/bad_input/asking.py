"""A request to any route, signed as the route wants it: well, unless something of it is overridden."""

import json
import re
import secrets
import time
from typing import Any

import httpx

from paydesk.web import admin
from paydesk.web.routes import ROUTES, Route
from tests.bad_input.furnished import NOWHERE, Furnished
from tests.bad_input.wire import Signer, Wire, whole
from tests.journeys.telling import signed as signed_notice

ADMIN = "admin: "
BY_NAME = {named: route for route in ROUTES for named in [f"{route.method} {route.path}"]} | {
    f"{ADMIN}{route.method} {route.path}": route for route in admin.ROUTES
}
"""Every route of both listeners."""
HANG_SECONDS = 15.0
STATES = {
    "capture": "held",
    "confirm": "open",
    "cancel": "open",
    "{intent}": "open",
    "session": "open",
    "{state}": "asking",
}
"""By the last part of a path: the state of an intent, or of a challenge, with which it goes furthest."""


class Asker:
    """Builds requests about what a furnished merchant has."""

    def __init__(self, furnished: Furnished) -> None:
        self.furnished = furnished
        stage = furnished.stage
        page = httpx.get(f"{stage.paydesk}/checkout/{furnished.ids['intent'][0]}").text
        self.asset = re.findall(r"/static/([\w.-]+)", page)[0]
        self.wires = {"": Wire(stage.paydesk, HANG_SECONDS), ADMIN: Wire(stage.admin, HANG_SECONDS)}

    def wire(self, name: str) -> Wire:
        return self.wires[ADMIN if name.startswith(ADMIN) else ""]

    def target(self, route: Route, **parts: str) -> str:
        """The path with ids of things that are there, where `parts` says nothing else."""
        return re.sub(r"{(\w+)}", lambda found: parts.get(found[1]) or self._id(route, found[1]), route.path)

    def _id(self, route: Route, part: str) -> str:
        if part == "name":
            return "checkout.js" if route.path == "/{name}" else self.asset
        state = STATES.get(route.path.rpartition("/")[2], part) if part in ("intent", "state") else part
        return self.furnished.ids[state][0]

    def body(self, route: Route) -> dict[str, Any]:
        """What may be in a body of this route, so that there is something to spoil."""
        ids = self.furnished.ids
        match route.path:
            case "/v1/payment_intents":
                return {"amount": 4200, "currency": "usd"}
            case "/v1/payment_intents/{intent}":
                return {"description": "tea"}
            case "/v1/payment_intents/{intent}/confirm":
                return {"payment_method": ids["payment_method"][0]}
            case "/v1/payment_intents/{intent}/capture":
                return {"amount_to_capture": 100}
            case "/v1/refunds":
                return {"payment_intent": ids["intent"][0], "amount": 1}
            case "/v1/webhook_endpoints":
                return {"url": NOWHERE}
            case "/checkout/{intent}/confirm":
                return {"card": "x"}
            case "/psp/{psp}/notices/{account}":
                return {"id": f"n_{secrets.token_hex(8)}", "type": "charge.updated", "created_ms": 1,
                        "object": {"id": "ch_1", "reference": "at_1", "object": "charge"}}  # fmt: skip
            case _:
                return {}

    def wish(self, name: str) -> dict[str, Any]:
        """What of a request makes it one that is answered well; what it uses up is made for it."""
        route, parts, more = BY_NAME[name], dict[str, str](), dict[str, Any]()
        furnished = self.furnished
        match route.method, route.path.rpartition("/")[2]:
            case "POST", "capture":
                parts["intent"] = furnished.paid(capture_method="manual")
            case "POST", "confirm":
                parts["intent"] = furnished.open()
                if route.security == "client_secret":
                    more = {"body": {"card": furnished.shopper(parts["intent"]).seal()}}
            case "POST", "cancel":
                parts["intent"] = furnished.open()
            case "POST", "keep":
                parts["late_payment"] = furnished.ids["late_payment"][-1]
            case "DELETE", "{endpoint}":
                parts["endpoint"] = furnished.endpoint()
            case "GET", "entries":
                more = {"query": f"ledger_account={furnished.ids['ledger_account'][0]}"}
            case _:
                pass
        return {"parts": parts, **more}

    def request(
        self,
        route: Route,
        *,
        target: bytes | None = None,
        query: str = "",
        parts: dict[str, str] | None = None,
        body: object = None,
        method: str = "",
        signer: Signer | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        """Its bytes. A `body` that is none is one that may be; `headers` replace those that sign."""
        if target is None:
            target = self.target(route, **(parts or {})).encode("latin-1") + (f"?{query}".encode() if query else b"")
        has_body = route.method == "POST"
        made = body if isinstance(body, bytes) else json.dumps(self.body(route) if body is None else body).encode()
        sent = made if has_body or isinstance(body, bytes) else b""
        signed = self.signed(route, method or route.method, target, sent, signer=signer)
        media = {"Content-Type": "application/json"} if sent else {}
        return whole(method or route.method, target, media | signed | (headers or {}), sent)

    def signed(
        self, route: Route, method: str, target: bytes, body: bytes, *, key: str = "", signer: Signer | None = None
    ) -> dict[str, str]:
        """The headers that say who asks; with a `key`, under this idempotency key."""
        by = signer or self.furnished.signer
        if route.path.startswith("/psp/"):
            return signed_notice(body, self.furnished.merchant.facts["notice_secret"], time.time_ns() // 1_000_000)
        if route.security == "client_secret":
            found = re.search(rb"pi_[0-9a-z]+", target)
            secret = self.furnished.client_secrets.get(found[0].decode() if found else "", "none")
            return {"Authorization": f"Bearer {secret}"}
        if route.security == "none":
            return {}
        change = method not in ("GET", "HEAD")
        return by.headers(method, target, body, idempotency_key=(key or secrets.token_hex(8)) if change else None)
