"""`/openapi.json`, made from the types, and `/docs`, a page for people made from the same and from the table of errors."""

import re
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup, escape
from msgspec import Struct

from paydesk.errors import CODES
from paydesk.web.call import Call, Headers, Response

METHODS = ("get", "post", "delete")

HEADERS: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]

TEST_CARDS = (
    ("4242424242424242", "Paid (Visa)"),
    ("5555555555554444", "Paid (Mastercard)"),
    ("378282246310005", "Paid (American Express: four digits of CVC)"),
    ("6011111111111117", "Paid (Discover)"),
    ("4000000000000259", "Paid"),
    ("4000000000000002", "Declined: `card_declined`, `generic_decline`"),
    ("4000000000009995", "Declined: `card_declined`, `insufficient_funds`"),
    ("4000000000009987", "Declined: `card_declined`, `lost_card`"),
    ("4000000000009979", "Declined: `card_declined`, `stolen_card`"),
    ("4100000000000019", "Declined: `card_declined`, `fraudulent`"),
    ("4000000000003220", "Declined: `card_declined`, `authentication_required` (it asks for 3-D Secure)"),
    ("4000008400001629", "Declined: `card_declined`, `authentication_required` (it asks for 3-D Secure)"),
    ("4000000000000069", "Declined: `expired_card`"),
    ("4000000000000127", "Declined: `incorrect_cvc`"),
    ("4000000000000119", "Declined: `processing_error`"),
    ("4242424242424241", "Refused before any PSP is asked: `incorrect_number`"),
)
TEST_FAULTS = (
    ("4000009900000103", "Paid, answered after 3 s"),
    ("4000009900000186", "Waits 3 s, then is paid"),
    ("4000009900000111", "Paid, never answered: `processing` at first"),
    ("4000009900000152", "Paid, answered with 500: `processing` at first"),
    ("4000009900000160", "Paid, answered with garbage: `processing` at first"),
    ("4000009900000178", "Paid, answered with another amount: `processing` at first"),
    ("4000009900000129", "Not charged, never answered: `processing` at first, then payable again"),
    ("4000009900000137", "Not charged, answered with 503: `processing` at first, then payable again"),
    ("4000009900000194", "Not charged, the connection is reset: `processing` at first, then payable again"),
    ("4000009900000145", "Not charged, answered with 429: `psp_unavailable`, payable as before"),
)
"""What the sandbox PSP makes of a number; the second table is of what goes wrong on the way."""

SECURED = {
    (): "open to all",
    ("signature",): "signed",
    ("client_secret",): "client secret",
    ("signature", "client_secret"): "signed, or client secret",
}
"""How a route is guarded, by the last scheme of each way in."""


class Field(Struct, frozen=True, kw_only=True):
    """One parameter, or one field of a body or an object."""

    name: str
    place: str = ""
    kind: Markup
    needed: bool
    says: str


class Operation(Struct, frozen=True, kw_only=True):
    """One method on one path, as the page shows it."""

    anchor: str
    method: str
    path: str
    summary: str
    secured: str
    parameters: list[Field]
    body: list[Field]
    answers: list[tuple[str, str, Markup]]
    """Status, sentence, type."""
    refusals: list[tuple[str, str]]
    """Status and codes."""


async def openapi(call: Call) -> Response:
    """The API's description (OpenAPI 3.1)."""
    return Response(body=call.desk.openapi)


async def page(call: Call) -> Response:
    """Routes and error codes, for people."""
    return Response(body=call.desk.docs, headers=HEADERS)


def render(description: bytes, *, templates: Path, style: str) -> bytes:
    """The page as UTF-8, made from what `/openapi.json` answers. `style` is the address of its style sheet."""
    api = msgspec.json.decode(description)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = marked
    return (
        environment.get_template("docs.html")
        .render(
            api=api,
            style=style,
            origin=api["servers"][0]["url"],
            rooms=[(tag, _operations(api, tag["name"])) for tag in api["tags"]],
            codes=CODES,
            events=[(name, item["post"]["summary"]) for name, item in api["webhooks"].items()],
            objects=_objects(api),
            cards=TEST_CARDS,
            faults=TEST_FAULTS,
        )
        .encode()
    )


def marked(text: str) -> Markup:
    """What stands in backticks as code; a code of the table of errors also as a link to its line."""
    parts = re.split(r"`([^`]+)`", text)
    return Markup().join(_code(part) if place % 2 else escape(part) for place, part in enumerate(parts))


def _code(text: str) -> Markup:
    linked = Markup('<a href="#error-{0}"><code>{0}</code></a>')
    return linked.format(text) if text in CODES else Markup("<code>{}</code>").format(text)


def _operations(api: dict[str, Any], tag: str) -> list[Operation]:
    return [
        _operation(api, method, path, item[method])
        for path, item in api["paths"].items()
        for method in METHODS
        if method in item and tag in item[method]["tags"]
    ]


def _operation(api: dict[str, Any], method: str, path: str, told: dict[str, Any]) -> Operation:
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    answers = {status: answer for status, answer in told["responses"].items() if status < "4"}
    return Operation(
        anchor=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        secured=SECURED[tuple([*way][-1] for way in told["security"])],
        parameters=[_parameter(parameter) for parameter in told["parameters"]],
        body=_fields(api, body["$ref"].rpartition("/")[2]) if body else [],
        answers=[(status, answer["description"], _content(answer)) for status, answer in answers.items()],
        refusals=[
            (status, answer["description"])
            for status, answer in told["responses"].items()
            if status not in answers and "description" in answer
        ],
    )


def _parameter(told: dict[str, Any]) -> Field:
    return Field(
        name=told["name"],
        place=told["in"],
        kind=words(told["schema"]),
        needed=told.get("required", False),
        says=told["description"],
    )


def _content(answer: dict[str, Any]) -> Markup:
    for media, content in answer.get("content", {}).items():
        return words(content["schema"]) if media == "application/json" else Markup("<code>{}</code>").format(media)
    return Markup()


def _fields(api: dict[str, Any], name: str) -> list[Field]:
    schema = api["components"]["schemas"][name]
    return [
        Field(name=field, kind=words(told), needed=field in schema["required"], says=told.get("description", ""))
        for field, told in schema.get("properties", {}).items()
    ]


def _objects(api: dict[str, Any]) -> list[tuple[str, dict[str, Any], list[Field]]]:
    """What answers and events hold: every schema that takes unknown fields, so every one that is no request's."""
    schemas = api["components"]["schemas"]
    told = [name for name, schema in schemas.items() if schema.get("additionalProperties", True)]
    return [(name, schemas[name], _fields(api, name)) for name in told]


def words(schema: dict[str, Any]) -> Markup:
    """A JSON Schema in words; what it refers to as a link."""
    match schema:
        case {"$ref": place}:
            return Markup('<a href="#object-{0}">{0}</a>').format(place.rpartition("/")[2])
        case {"anyOf": several}:
            return Markup(" or ").join(words(one) for one in several)
        case {"enum": values}:
            return Markup(" or ").join(Markup("<code>{}</code>").format(value) for value in values)
        case {"type": "array", "items": items}:
            return Markup("list of ") + words(items)
        case {"type": "object", "additionalProperties": values}:
            return Markup("object, each value a ") + words(values)
        case {"minimum": low, "maximum": high}:
            return Markup("{}, {} to {}").format(schema["type"], low, high)
        case {"maxLength": high}:
            return Markup("string of {} to {} characters").format(schema.get("minLength", 0), high)
    return escape(schema["type"])
