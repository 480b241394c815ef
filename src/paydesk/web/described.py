"""The API's description as `/docs` shows it: operations and objects in words, with links between them."""

import re
from typing import Any

from markupsafe import Markup, escape
from msgspec import Struct

from paydesk.errors import CODES

METHODS = ("get", "post", "delete")

EXACT_MAX = 2**53
"""As far as JSON's numbers are exact everywhere: a limit there says nothing to people."""

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


def marked(text: str) -> Markup:
    """What stands in backticks as code; a code of the table of errors also as a link to its line."""
    parts = re.split(r"`([^`]+)`", text)
    return Markup().join(_code(part) if place % 2 else escape(part) for place, part in enumerate(parts))


def _code(text: str) -> Markup:
    linked = Markup('<a href="#error-{0}"><code>{0}</code></a>')
    return linked.format(text) if text in CODES else Markup("<code>{}</code>").format(text)


def operations(api: dict[str, Any], tag: str) -> list[Operation]:
    """What stands under this tag, in the order of the routes."""
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


def objects(api: dict[str, Any]) -> list[tuple[str, dict[str, Any], list[Field]]]:
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
        case {"minimum": low, "maximum": high} if high < EXACT_MAX:
            return Markup("{}, {} to {}").format(schema["type"], low, high)
        case {"maxLength": high}:
            low = f"{schema['minLength']} to" if "minLength" in schema else "up to"
            return Markup("string, {} {} characters").format(low, high)
    return escape(schema["type"])
