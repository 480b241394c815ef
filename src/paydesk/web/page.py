"""The documents for shoppers: their headers and their HTML (protocol.md, section 5). Pure: what is in them comes in as
parameters. The card document is here; those of a challenge build on it (`challenge_page.py`).

The words come from `templates/words/<language>.json`, one file per language: the labels and what the script says.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2
import msgspec

from paydesk.web.assets import Assets

ORIGINS_MAX = 20
ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
NONCE = re.compile(r"[A-Za-z0-9_-]{22,64}")
LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")

ENGLISH = "en"
STYLE = "frame.css"

POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src {frames}; base-uri 'none'; form-action {forms}; frame-ancestors {ancestors}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
NOBODY = "'none'"
OURSELVES = "'self'"

Headers = list[tuple[bytes, bytes]]

CONSTANT: tuple[tuple[bytes, bytes], ...] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"permissions-policy",
        b"payment=(self), camera=(), microphone=(), geolocation=(), usb=(), clipboard-read=()",
    ),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"origin-agent-cluster", b"?1"),
)


MISSING: tuple[tuple[bytes, bytes], ...] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)


class Linked(msgspec.Struct, frozen=True, kw_only=True):
    """A file of `static/` as the page names it."""

    url: str
    integrity: str


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A template of `templates/`, and the script of `static/` that it starts."""

    template: str
    entry: str


CARD = Document(template="checkout.html", entry="frame.js")
CHALLENGE = Document(template="challenge.html", entry="challenge.js")
RETURN = Document(template="return.html", entry="return.js")


def headers(*, origins: Sequence[str], nonce: str) -> Headers:
    """The headers of the card document, content type included.

    `origins` are the merchant's registered ones, found through the intent; without any, only the top level may show the
    page. `nonce` is new for each answer: 22 to 64 letters of base64url. ValueError for what could break out of its
    place in the policy; that is a bug of the caller, since origins are vetted when they are registered.
    """
    policy = policy_header(origins=origins, nonce=nonce, frames=OURSELVES)
    return [policy, *CONSTANT, (b"cross-origin-embedder-policy", b"require-corp")]


def policy_header(
    *, origins: Sequence[str], nonce: str, frames: str, forms: str = NOBODY, around: Sequence[str] = ()
) -> tuple[bytes, bytes]:
    """The Content-Security-Policy: what may be framed in the document, and who may stand around it."""
    _check(origins, nonce)
    ancestors = " ".join((*around, *origins)) or NOBODY
    policy = POLICY.format(nonce=nonce, frames=frames, forms=forms, ancestors=ancestors)
    return b"content-security-policy", policy.encode("ascii")


class _Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """A document, ready to be filled in."""

    template: jinja2.Template
    entry: Linked
    modules: list[Linked]


class Page:
    """The templates, compiled once, with all their words."""

    def __init__(self, *, templates: Path, assets: Assets) -> None:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._words = _read_words(templates / "words")
        self._style = _linked(assets, STYLE)
        self._documents = {
            document: _Compiled(
                template=environment.get_template(document.template),
                entry=_linked(assets, document.entry),
                modules=[_linked(assets, name) for name in assets.modules(document.entry)],
            )
            for document in (CARD, CHALLENGE, RETURN)
        }
        self._missing = environment.get_template("missing.html")

    @property
    def languages(self) -> tuple[str, ...]:
        """What the page can be read in, English first: what a session lists."""
        return (ENGLISH, *(language for language in self._words if language != ENGLISH))

    def headers(self, *, origins: Sequence[str], nonce: str) -> Headers:
        """See the function of this name; here so that a route needs the page alone."""
        return headers(origins=origins, nonce=nonce)

    def render(
        self,
        *,
        intent_id: str,
        origins: Sequence[str],
        nonce: str,
        locale: str,
        document: Document = CARD,
        **facts: object,
    ) -> bytes:
        """A document as UTF-8, the card's or another with its `facts`. `locale` is a language tag ("de-AT"); one that
        we have no words for gets English.
        """
        _check(origins, nonce)
        known = self._choose(locale)
        language = known.partition("-")[0]
        compiled = self._documents[document]
        return compiled.template.render(
            intent_id=intent_id,
            origins=list(origins),
            nonce=nonce,
            locale=known,
            language=language,
            words=self._words[language],
            entry=compiled.entry,
            style=self._style,
            modules=compiled.modules,
            **facts,
        ).encode()

    def render_missing(self, *, locale: str) -> bytes:
        """What a shopper reads at the address of a payment that does not exist."""
        language = self._choose(locale).partition("-")[0]
        return self._missing.render(language=language, words=self._words[language]["missing"]).encode()

    def locale_for(self, accept_language: str) -> str:
        """The first tag of an Accept-Language header (RFC 9110 §12.5.4) that we have words for, else English."""
        ranked = sorted((_ranked(part) for part in accept_language[:1000].split(",")), key=lambda pair: -pair[0])
        tags = [tag for weight, tag in ranked if weight > 0]
        return next((tag for tag in tags if tag.partition("-")[0] in self._words and self._choose(tag) == tag), ENGLISH)

    def _choose(self, locale: str) -> str:
        known = LOCALE.fullmatch(locale) and locale.partition("-")[0] in self._words
        return locale if known else ENGLISH


def _read_words(folder: Path) -> Mapping[str, dict[str, object]]:
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=dict[str, object])
        for path in sorted(folder.glob("*.json"))
    }


def _linked(assets: Assets, name: str) -> Linked:
    return Linked(url=assets.url(name), integrity=assets.integrity(name))


def _ranked(part: str) -> tuple[int, str]:
    """The part "de-AT;q=0.8" as (800, "de-AT"); a weight that is none counts as zero. The language in lower case."""
    tag, _, weight = part.strip().partition(";q=")
    thousandths = re.fullmatch(r"(0|1)(?:\.([0-9]{0,3}))?", weight.strip()) if weight else None
    language, dash, rest = tag.strip().partition("-")
    rank = 1000 if not weight else 0
    if thousandths:
        rank = min(1000, int(thousandths[1]) * 1000 + int((thousandths[2] or "").ljust(3, "0")))
    return rank, language.lower() + dash + rest


def _check(origins: Sequence[str], nonce: str) -> None:
    if not NONCE.fullmatch(nonce):
        raise ValueError("The nonce must be 22 to 64 letters of base64url.")
    if len(origins) > ORIGINS_MAX:
        raise ValueError(f"At most {ORIGINS_MAX} origins may embed a page.")
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise ValueError(f"Not an origin that can stand in a policy: {origin!r}")
