"""The card document: the policy to the letter, the form's promises, and what cannot break out of its place."""

import json
import re
from html.parser import HTMLParser

import pytest

from paydesk import resources
from paydesk.web import page
from paydesk.web.assets import Assets

NONCE = "bm9uY2Utb2YtdGhlLXRlc3Q"
SHOP = "https://shop.example"


@pytest.fixture(scope="module")
def card_page() -> page.Page:
    return page.Page(templates=resources.folder("templates"), assets=Assets(resources.folder("static")))


class Tags(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


def render(card_page: page.Page, **changed: object) -> str:
    facts: dict[str, object] = {"intent_id": "pi_abc", "origins": [SHOP], "nonce": NONCE, "locale": "en"} | changed
    return card_page.render(**facts).decode()  # type: ignore[arg-type]


def test_headers_to_the_letter() -> None:
    assert page.headers(origins=[SHOP, "http://localhost:3000"], nonce=NONCE) == [
        (
            b"content-security-policy",
            b"default-src 'none'; script-src 'nonce-bm9uY2Utb2YtdGhlLXRlc3Q'; "
            b"style-src 'nonce-bm9uY2Utb2YtdGhlLXRlc3Q'; img-src 'self' data:; font-src 'self'; "
            b"connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
            b"frame-ancestors https://shop.example http://localhost:3000; "
            b"require-trusted-types-for 'script'; trusted-types 'none'",
        ),
        (b"content-type", b"text/html; charset=utf-8"),
        (b"permissions-policy", b"payment=(self), camera=(), microphone=(), geolocation=(), usb=(), clipboard-read=()"),
        (b"cross-origin-resource-policy", b"cross-origin"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
        (b"origin-agent-cluster", b"?1"),
        (b"cross-origin-embedder-policy", b"require-corp"),
    ]


def test_without_origins_nobody_may_embed_it() -> None:
    policy = dict(page.headers(origins=[], nonce=NONCE))[b"content-security-policy"]
    assert b"; frame-ancestors 'none'; " in policy


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "", "https://*.example", "https://a.example/path", "https://a.example; script-src *", "ftp://a.example",
     "https://a.example\r\nx: y", "https://a.example https://b.example", "HTTPS://A.EXAMPLE", "https://a.example\n"],
)  # fmt: skip
def test_what_is_no_origin_gets_no_page(card_page: page.Page, origin: str) -> None:
    with pytest.raises(ValueError, match="Not an origin"):
        page.headers(origins=[origin], nonce=NONCE)
    with pytest.raises(ValueError, match="Not an origin"):
        render(card_page, origins=[origin])


def test_twenty_origins_and_no_more() -> None:
    origins = [f"https://shop{n}.example" for n in range(21)]
    assert page.headers(origins=origins[:20], nonce=NONCE)
    with pytest.raises(ValueError, match="At most 20"):
        page.headers(origins=origins, nonce=NONCE)


@pytest.mark.parametrize("nonce", ["", "short", "a' 'unsafe-inline" + "a" * 20, "a" * 65])
def test_a_nonce_that_is_none(nonce: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        page.headers(origins=[], nonce=nonce)


def test_scripts_and_styles_carry_the_nonce_and_their_integrity(card_page: page.Page) -> None:
    tags = Tags(render(card_page))
    assert [script["nonce"] for script in tags.all("script")] == [NONCE, NONCE]
    links = [link for link in tags.all("link") if link["rel"] != "icon"]
    loaded = [*links, *(script for script in tags.all("script") if "src" in script)]
    assert len(loaded) >= 10
    for one in loaded:
        assert one["nonce"] == NONCE
        assert re.fullmatch(r"sha384-[A-Za-z0-9+/]{64}", one["integrity"])


def test_nothing_is_inline(card_page: page.Page) -> None:
    for tag, attributes in Tags(render(card_page)).found:
        assert tag != "style"
        assert not [name for name in attributes if name == "style" or name.startswith("on")], tag


def test_fields_can_be_filled_by_browsers_and_read_by_screen_readers(card_page: page.Page) -> None:
    tags = Tags(render(card_page))
    inputs = {field["id"]: field for field in tags.all("input")}
    assert {name: field["autocomplete"] for name, field in inputs.items()} == {
        "number": "cc-number",
        "expiry": "cc-exp",
        "cvc": "cc-csc",
        "name": "cc-name",
    }
    labels = {label["for"] for label in tags.all("label")}
    ids = {attributes["id"] for _, attributes in tags.found if "id" in attributes}
    for name, field in inputs.items():
        assert name in labels
        assert "name" not in field, "a field with a name could end up in an address"
        assert set(field.get("aria-describedby", "").split()) <= ids
        assert field.get("inputmode") == (None if name == "name" else "numeric")


def test_what_the_script_is_told(card_page: page.Page) -> None:
    [body] = Tags(render(card_page, origins=[SHOP, "http://127.0.0.1:8000"])).all("body")
    assert body["data-intent"] == "pi_abc"
    assert json.loads(body["data-origins"]) == [SHOP, "http://127.0.0.1:8000"]


def test_an_id_cannot_break_out(card_page: page.Page) -> None:
    html = render(card_page, intent_id='pi_"><script>alert(1)</script>')
    assert "<script>alert" not in html
    assert len(Tags(html).all("script")) == 2


@pytest.mark.parametrize(
    ("locale", "language", "kept"),
    [
        ("en", "en", "en"),
        ("de", "de", "de"),
        ("de-AT", "de", "de-AT"),
        ("tlh", "en", "en"),
        ('de"x', "en", "en"),
        ("", "en", "en"),
    ],
)
def test_the_locale_chooses_the_words(card_page: page.Page, locale: str, language: str, kept: str) -> None:
    tags = Tags(render(card_page, locale=locale))
    assert tags.all("html") == [{"lang": language}]
    assert tags.all("body")[0]["data-locale"] == kept


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de-AT"),
        ("en;q=0.5, de;q=0.7", "de"),
        ("xx, DE-ch;q=0.3", "de-ch"),
        ("de;q=0", "en"),
        ("*", "en"),
        ("", "en"),
        ("de;q=abc", "en"),
        ("," * 5000, "en"),
    ],
)
def test_the_browsers_language(card_page: page.Page, header: str, locale: str) -> None:
    assert card_page.locale_for(header) == locale


def test_every_language_has_every_word() -> None:
    folder = resources.folder("templates") / "words"
    english = shape(json.loads((folder / "en.json").read_text()))
    for path in folder.glob("*.json"):
        assert shape(json.loads(path.read_text())) == english, path.name


def shape(words: dict[str, object]) -> dict[str, object]:
    """The keys, and the places that a text has, without the text."""
    return {
        key: shape(word) if isinstance(word, dict) else sorted(re.findall(r"\{\w+\}", str(word)))
        for key, word in words.items()
    }


def test_languages_begin_with_english(card_page: page.Page) -> None:
    assert card_page.languages == ("en", "de")
