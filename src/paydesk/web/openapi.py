"""`/openapi.json`: the API's description, made from the routes and the types (https://spec.openapis.org/oas/v3.1.1)."""

import inspect
import re
from collections.abc import Iterable
from http import HTTPStatus

import msgspec

from paydesk import __version__, resources
from paydesk.events.record import EVENT_TYPES
from paydesk.web.answers import ErrorAnswer, Event
from paydesk.web.routes import ROUTES, Parameter, Route, is_signed_change, refusals
from paydesk.web.schemas import Schema, components, reference

ABOUT = (
    "A merchant's server opens payment intents with signed requests; the shopper pays in a frame; signed webhooks, a "
    "status route and a stream say how it went. Amounts are integers in the currency's minor unit, times RFC 3339 in "
    "UTC. What is not understood is refused, unknown fields too."
)

TAGS = {
    "v1": ("Your server", "Signed requests. Status and stream also take a client secret."),
    "checkout": ("The shopper's browser", "What the card form asks, with the client secret of one payment intent."),
    "psp": ("The PSP", "What it is to call when something changed, with the secret of its notices."),
    "": ("Whoever runs it", "Whether it lives, and whether it takes requests."),
}
"""By the first part of a path."""

ID = "[0-9a-hjkmnp-tv-z]{34}"
PARTS = {
    "intent": ("The payment intent's id.", f"^pi_{ID}$"),
    "refund": ("The refund's id.", f"^re_{ID}$"),
    "late_payment": ("The late payment's id.", f"^lp_{ID}$"),
    "state": ("Which challenge, and what proves it: as in `next_action.url`.", f"^at_{ID}[.][A-Za-z0-9_-]{{22}}$"),
    "dispute": ("The dispute's id.", f"^dp_{ID}$"),
    "event": ("The event's id.", f"^evt_{ID}$"),
    "endpoint": ("The endpoint's id.", f"^we_{ID}$"),
    "psp": ("The adapter's name.", "^[a-z]+$"),
    "account": ("The account's id.", "^acct_[0-9a-hjkmnp-tv-z]{8}$"),
    "key": ("The idempotency key.", "^[A-Za-z0-9._:-]{1,255}$"),
}
"""The parts of paths: what they are, and their form."""

SCHEMES: dict[str, Schema] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "key_test_… or key_live_…",
        "description": "The id of an API key: a public name, never the secret.",
    },
    "timestamp": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Request-Timestamp",
        "description": "RFC 3339, UTC, whole seconds, as in `2023-10-15T14:22:31Z`; at most 300 s from the server's.",
    },
    "nonce": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Request-Nonce",
        "description": "16 to 64 characters of A-Z, a-z, 0-9, `_` and `-`, new for every attempt.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Signature",
        "description": (
            "`sha256=` and the lower-case hex of HMAC-SHA256 with the key's whole secret, over nine lines joined with "
            "`\\n`, each exactly as sent: `PD1-HMAC-SHA256`, method, raw path, raw query without `?` or empty, key id, "
            "X-Request-Timestamp, X-Request-Nonce, Idempotency-Key or empty, lower-case hex SHA-256 of the raw body. "
            "Two signatures with a comma between while the secret is rolled."
        ),
    },
    "client_secret": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "pi_…_secret_…",
        "description": "The `client_secret` of the payment intent in the path.",
    },
}
SIGNED: Schema = {"key": [], "timestamp": [], "nonce": [], "signature": []}
SHOPPER: Schema = {"client_secret": []}
SECURITY = {"signature": [SIGNED], "client_secret": [SHOPPER], "either": [SIGNED, SHOPPER], "none": []}

HEADERS: dict[str, tuple[str, str]] = {
    "Request-Id": ("Names this request in the server's log.", "^req_[0-9a-hjkmnp-tv-z]+$"),
    "Idempotent-Replayed": ("There, and `true`, where the answer is the kept one of an earlier request.", "^true$"),
    "Retry-After": ("When to come back, in seconds.", "^[0-9]+$"),
    "ETag": ("The version, in quotes.", '^"[0-9]+"$'),
}
"""Of answers."""


def description(origin: str) -> bytes:
    """The whole description as JSON; `origin` is where this Paydesk is reached."""
    routes = [route for route in ROUTES if route.media]
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "Paydesk", "version": __version__, "description": ABOUT},
        "servers": [{"url": origin}],
        "tags": [{"name": name, "description": says} for name, says in TAGS.values()],
        "paths": paths,
        "webhooks": {event_type: {"post": _webhook(event_type)} for event_type in EVENT_TYPES},
        "components": {
            "schemas": components(
                requests=[route.body for route in routes], answers=[ErrorAnswer, Event, *(r.answer for r in routes)]
            ),
            "responses": {"Error": _answer("The error.", reference(ErrorAnswer), ("Request-Id", "Retry-After"))},
            "headers": {name: _header(*header) for name, header in HEADERS.items()},
            "securitySchemes": SCHEMES,
        },
    }
    return msgspec.json.encode(whole)


def _operation(route: Route) -> Schema:
    summary, _, more = inspect.cleandoc(route.handler.__doc__ or "").partition("\n\n")
    room = route.path.split("/")[1]
    operation: Schema = {
        "operationId": f"{route.handler.__module__.rpartition('.')[2]}_{route.handler.__name__}",
        "tags": [TAGS[room if room in TAGS else ""][0]],
        "summary": " ".join(summary.split()),
        "security": SECURITY[route.security],
        "parameters": [*_parts(route.path), *(_parameter(one) for one in route.parameters), *_idempotency(route)],
        "responses": _responses(route),
    }
    if more:
        operation["description"] = " ".join(more.split())
    if route.body:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": reference(route.body)}},
        }
    return operation


def _parts(path: str) -> Iterable[Schema]:
    for name in re.findall(r"{(\w+)}", path):
        says, form = PARTS[name]
        schema = {"type": "string", "pattern": form}
        yield {"name": name, "in": "path", "required": True, "description": says, "schema": schema}


def _parameter(parameter: Parameter) -> Schema:
    schema: Schema = {"type": "string"}
    if parameter.whole:
        schema = {"type": "integer", "minimum": parameter.whole[0], "maximum": parameter.whole[1]}
    if parameter.default is not None:
        schema["default"] = parameter.default
    told: Schema = {"name": parameter.name, "in": parameter.place, "description": parameter.says, "schema": schema}
    return told | ({"required": True} if parameter.needed else {})


def _idempotency(route: Route) -> Iterable[Schema]:
    if is_signed_change(route):
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": route.needs_idempotency_key,
            "description": "Names what is asked for: a repeat within 24 hours gets the same answer and nothing more.",
            "schema": {"type": "string", "pattern": PARTS["key"][1]},
        }


def _responses(route: Route) -> Schema:
    headers = ["Request-Id"]
    headers += ["Idempotent-Replayed"] if is_signed_change(route) else []
    headers += ["ETag"] if any(status == HTTPStatus.NOT_MODIFIED for status, _ in route.also) else []
    good = reference(route.answer) if route.answer else {"type": "string"}
    responses = {"200": _answer("As asked for.", good, headers, route.media)}
    for status, says in route.also:
        responses[str(status)] = _answer(says, good if status < 300 else None, headers)
    for status, codes in sorted(refusals(route).items()):
        said = ", ".join(f"`{code}`" for code in codes)
        responses[str(status)] = {"$ref": "#/components/responses/Error", "description": said}
    return responses | {"default": {"$ref": "#/components/responses/Error"}}


def _answer(says: str, schema: Schema | None, headers: Iterable[str], media: str | None = "application/json") -> Schema:
    named = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    answer: Schema = {"description": says, "headers": named}
    return answer | {"content": {media: {"schema": schema}}} if schema else answer


def _header(says: str, form: str) -> Schema:
    return {"description": says, "schema": {"type": "string", "pattern": form}}


def _webhook(event_type: str) -> Schema:
    """What an endpoint is sent; its sentence is that of the published schema."""
    published = resources.folder("webhooks") / "events" / f"{event_type}.schema.json"
    return {
        "summary": msgspec.json.decode(published.read_bytes())["description"],
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": reference(Event)}}},
        "responses": {"2XX": {"description": "Received."}, "default": {"description": "Sent again later."}},
    }
