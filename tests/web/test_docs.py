"""The page for people: everything is on it, every link leads somewhere, and what it tells to copy works."""

import asyncio
import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest

from paydesk import resources
from paydesk.errors import CODES, Refusal
from paydesk.events.record import EVENT_TYPES
from paydesk.payments.settle import OWN_CODES
from paydesk.requests import signature
from paydesk.web import docs
from paydesk.web.assets import Assets
from paydesk.web.described import marked, words
from paydesk.web.openapi import description
from paydesk.web.page import Linked
from paydesk.web.routes import ROUTES
from paydesk_sandbox.psp.cards import AFTERWARDS, KNOWN, OWN

ASSETS = Assets(resources.folder("static"))
DESCRIPTION = description("https://pay.example")
LOADER = Linked(url=ASSETS.url("checkout.js"), integrity=ASSETS.integrity("checkout.js"))
PAGE = docs.render(
    DESCRIPTION, templates=resources.folder("templates"), style=ASSETS.url("docs.css"), loader=LOADER
).decode()


class Tags(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.found if attribute in attributes]


TAGS = Tags(PAGE)


def text(fragment: str) -> str:
    """What a reader sees of a piece of HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", fragment)).split())


def row_of(code: str) -> str:
    found = re.search(rf'<tr id="error-{code}">(.*?)</tr>', PAGE, re.DOTALL)
    assert found, code
    return text(found[1])


@pytest.mark.parametrize("code", CODES)
def test_every_error_has_its_line(code: str) -> None:
    url = json.loads(Refusal(code).body("req_0"))["error"]["doc_url"]
    place, _, anchor = url.partition("#")
    assert place in {route.path for route in ROUTES if route.handler is docs.page}
    assert TAGS.values("id").count(anchor) == 1
    assert row_of(code).startswith(f"{code} {CODES[code].status} {CODES[code].type}")


def test_the_loader_can_be_pinned() -> None:
    """By an address that never changes, and the hash of what is served there."""
    found = re.search(r'&lt;script src="(.*?)"\s+integrity="(.*?)"\s+crossorigin="anonymous"', PAGE)
    assert found
    assert found[1].startswith("https://pay.example/checkout.")
    loader = ASSETS.find(found[1].removeprefix("https://pay.example"))
    assert loader
    assert loader.immutable
    digest = base64.b64encode(hashlib.sha384(loader.body).digest()).decode()
    assert html.unescape(found[2]) == f"sha384-{digest}"


def test_links_within_the_page_lead_somewhere() -> None:
    ids = TAGS.values("id")
    assert len(set(ids)) == len(ids)
    links = [link.removeprefix("#") for link in TAGS.values("href") if link.startswith("#")]
    assert len(links) > 100
    assert not set(links) - set(ids)
    assert {link for link in TAGS.values("href") if not link.startswith("#")} == {
        "/openapi.json",
        ASSETS.url("docs.css"),
    }


@pytest.mark.parametrize(
    "route",
    [r for r in ROUTES if r.path.startswith(("/v1/", "/checkout/"))],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_every_route_is_on_it(route: Any) -> None:
    operation = json.loads(DESCRIPTION)["paths"][route.path][route.method.lower()]
    found = re.search(rf'<article id="{operation["operationId"]}">(.*?)</article>', PAGE, re.DOTALL)
    assert found
    shown = text(found[1])
    assert shown.startswith(f"{route.method} {route.path} ")
    guards = {"signature": "signed", "client_secret": "client secret", "either": "signed, or client secret"}
    assert f'<span class="guard">{guards.get(route.security, "open to all")}</span>' in found[1]
    for parameter in operation["parameters"]:
        assert f"{parameter['name']} {parameter['in']}" in shown
    assert all(code in shown for code in route.refusals)


def test_the_policy_holds() -> None:
    policy = dict(docs.HEADERS)[b"content-security-policy"]
    assert policy.startswith(b"default-src 'none'; style-src 'self'; ")
    assert not {"script", "style", "iframe", "form", "img", "base"} & {tag for tag, _ in TAGS.found}
    attributes = {name for _, present in TAGS.found for name in present}
    assert not [name for name in attributes if name == "style" or name.startswith("on")]
    sheets = [attributes["href"] for tag, attributes in TAGS.found if tag == "link"]
    assert len(sheets) == 1
    sheet = ASSETS.find(sheets[0])
    assert sheet is not None
    assert b"url(" not in sheet.body
    assert b"@import" not in sheet.body


def test_the_signature_to_copy_holds() -> None:
    found = re.search(r'<code id="sign-python">(.*?)</code>', PAGE, re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    exec(html.unescape(found[1]), names)
    secret = "sk_test_" + "x" * 43
    for query, body, key in (("", b"", ""), ("limit=3", b'{"amount":1}', "order-1001")):
        headers = names["signed_headers"]("key_test_abc", secret, "POST", "/v1/payment_intents", query, body, key)
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        signed = signature.parse("POST", b"/v1/payment_intents", query.encode(), raw, bool(key))
        assert signature.holds(signed, body, [secret])
        assert not signature.holds(signed, body + b" ", [secret])


def test_the_nine_lines_are_in_the_order_that_is_signed() -> None:
    found = re.search(rf"<code>({signature.SCHEME}\n.*?)</code>", PAGE, re.DOTALL)
    assert found
    lines = html.unescape(found[1]).split("\n")
    stands_for = ("PD1", "METHOD", "path", "query", "key id", "Timestamp", "Nonce", "Idempotency-Key", "body")
    assert len(lines) == len(signature.PARTS)
    assert all(part in line for part, line in zip(stands_for, lines, strict=True))


@pytest.mark.parametrize(
    ("table", "theirs"),
    [(docs.TEST_CARDS, KNOWN), (docs.TEST_FAULTS, OWN), (docs.TEST_AFTERWARDS, AFTERWARDS)],
    ids=["cards", "faults", "afterwards"],
)
def test_test_cards_are_those_of_the_sandbox(table: tuple[tuple[str, str], ...], theirs: Any) -> None:
    assert sorted(number for number, _ in table) == sorted(card.number for card in theirs)
    assert all(number in PAGE for number, _ in table)


def test_test_cards_end_as_it_says() -> None:
    says = dict(docs.TEST_CARDS)
    for card in KNOWN:
        if card.decline_code is None:
            assert says[card.number].startswith("Paid")
        else:
            wanted = [card.decline_code] if card.decline_code in OWN_CODES else ["card_declined", card.decline_code]
            assert re.findall("`(.*?)`", says[card.number]) == wanted


def test_every_event_type_is_on_it_with_its_sentence() -> None:
    for event_type in EVENT_TYPES:
        found = re.search(rf'<tr id="event-{re.escape(event_type)}">(.*?)</tr>', PAGE, re.DOTALL)
        assert found
        assert text(found[1]) == f"{event_type} {json.loads(DESCRIPTION)['webhooks'][event_type]['post']['summary']}"


def test_text_is_escaped_and_codes_are_linked() -> None:
    assert marked("a < `b<c>`.") == "a &lt; <code>b&lt;c&gt;</code>."
    assert marked("`nonce_reused`") == '<a href="#error-nonce_reused"><code>nonce_reused</code></a>'


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "maxLength": 9}, "string, up to 9 characters"),
        ({"type": "string", "minLength": 5, "maxLength": 9}, "string, 5 to 9 characters"),
        ({"type": "integer", "minimum": 1, "maximum": 100}, "integer, 1 to 100"),
        ({"type": "integer", "minimum": 0, "maximum": 2**53}, "integer"),
        ({"enum": ["a", "<"]}, "<code>a</code> or <code>&lt;</code>"),
        ({"anyOf": [{"$ref": "#/components/schemas/Sum"}, {"type": "null"}]}, '<a href="#object-Sum">Sum</a> or null'),
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "object, each value a string"),
    ],
)
def test_schemas_in_words(schema: dict[str, Any], said: str) -> None:
    assert words(schema) == said


def test_handlers_answer_with_what_the_desk_holds() -> None:
    call: Any = SimpleNamespace(desk=SimpleNamespace(openapi=lambda: b"{}", docs=lambda: b"<!doctype html>"))
    described, page = asyncio.run(docs.openapi(call)), asyncio.run(docs.page(call))
    assert (described.status, described.body) == (200, b"{}")
    assert dict(described.headers)[b"content-type"] == b"application/json"
    assert (page.status, page.body, page.headers) == (200, b"<!doctype html>", docs.HEADERS)
