"""Opening what the frame sealed: a compact JWE (RFC 7516) with ECDH-ES on P-256 and A256GCM, bound to one intent and
one origin.

Encryption to a public key does not say who sent it. The intent, the origin and the time inside are what stops a payload
from being cut out of one payment and pasted into another; that its `jti` is new is decided in the commit, by the
caller.

Whatever is wrong with form, key agreement, decryption or binding is one refusal with one message, so that nobody learns
which it was.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from joserfc import jwe as jose
from joserfc.errors import JoseError
from msgspec import Meta, Struct

from paydesk.errors import Refusal
from paydesk.vault.cards import Card, CardFacts, brand, check
from paydesk.vault.keys import CardKey, CardKeys

BYTES_MAX = 4096
AGE_MS_MAX = 900_000
WESTERNMOST_MS = 12 * 3_600_000
"""At UTC−12 a month ends twelve hours later: a card is good to the end of its month wherever the shopper is."""

ALGORITHMS = ["ECDH-ES", "A256GCM"]

T = TypeVar("T")
Coordinate = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{43}\Z")]


class Point(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ephemeral public key (RFC 7518, section 4.6.1.1). Whether it lies on the curve is for the key agreement to
    say.
    """

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Coordinate
    y: Coordinate


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The protected header: these five members and no other, so no `zip`, `crit`, `apu`, `jku`."""

    alg: Literal["ECDH-ES"]
    enc: Literal["A256GCM"]
    kid: str
    epk: Point
    typ: Literal["paydesk-card+jwe"]


class Sealed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plaintext. Holds what `Card` holds, so it prints as little."""

    v: Literal[1]
    number: str
    exp_month: int
    exp_year: int
    cvc: str
    intent: str
    origin: str
    iat: int
    """Seconds since 1970, by the server's time that the session gave."""
    jti: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{16,64}\Z")]
    name: Annotated[str, Meta(max_length=200, pattern=r"\A[^\x00-\x1f\x7f]*\Z")] | None = None

    def __repr__(self) -> str:
        return "Sealed(…)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("shown", "nothing")]


def open_card(
    jwe: str, keys: CardKeys, *, intent: str, origins: Sequence[str], now_ms: int, fingerprint: Callable[[str], str]
) -> tuple[Card, CardFacts]:
    """The card in `jwe`, and what may be kept of it.

    `intent` is the intent being paid, `origins` are those that the payload may name; `fingerprint` makes the keyed
    fingerprint of a number. Refuses `card_key_expired`, `card_payload_invalid`, and for a card that can be read but not
    be charged what `cards.check` refuses.
    """
    header = _header(jwe)
    if header is None:
        raise Refusal("card_payload_invalid")
    key = keys.find(header.kid, now_ms)
    if key is None:
        raise Refusal("card_key_expired")
    sealed = _decrypt(jwe, key)
    if sealed is None or not _bound(sealed, intent, origins, now_ms):
        raise Refusal("card_payload_invalid")
    card = _card(sealed)
    today = datetime.fromtimestamp((now_ms - WESTERNMOST_MS) // 1000, UTC)
    check(card, today.year, today.month)
    return card, _facts(card, sealed.jti, digest(jwe), fingerprint)


def digest(jwe: str) -> str:
    """Hex SHA-256 of the payload as it was sent: what makes a repeat recognisable, before its key is looked up."""
    return hashlib.sha256(jwe.encode("utf-8", "surrogatepass")).hexdigest()


# The two functions below return None where others would raise: an exception would carry their frames, and with them the
# plaintext, into whatever prints tracebacks.


def _header(jwe: str) -> Header | None:
    if len(jwe) > BYTES_MAX or not jwe.isascii():
        return None
    protected = jwe.partition(".")[0].encode()
    try:
        return _strict(base64.b64decode(protected + b"=" * (-len(protected) % 4), b"-_", validate=True), Header)
    except (msgspec.MsgspecError, ValueError):
        return None


def _decrypt(jwe: str, key: CardKey) -> Sealed | None:
    try:
        plaintext = jose.decrypt_compact(jwe, key.key, algorithms=ALGORITHMS).plaintext
        return None if plaintext is None else _strict(plaintext, Sealed)
    except (JoseError, msgspec.MsgspecError, ValueError):
        return None


def _strict(data: bytes, shape: type[T]) -> T:
    """Decode JSON of exactly that shape. ValueError or MsgspecError: it is not, or a key stands twice (msgspec alone
    would take the last).
    """
    decoded = msgspec.json.decode(data, type=shape)
    json.loads(data, object_pairs_hook=_each_key_once)
    return decoded


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    once = dict(pairs)
    if len(once) != len(pairs):
        raise ValueError("a key stands twice")
    return once


def _bound(sealed: Sealed, intent: str, origins: Sequence[str], now_ms: int) -> bool:
    return sealed.intent == intent and sealed.origin in origins and abs(now_ms - sealed.iat * 1000) <= AGE_MS_MAX


def _card(sealed: Sealed) -> Card:
    return Card(
        number=sealed.number, exp_month=sealed.exp_month, exp_year=sealed.exp_year, cvc=sealed.cvc, name=sealed.name
    )


def _facts(card: Card, jti: str, payload_digest: str, fingerprint: Callable[[str], str]) -> CardFacts:
    return CardFacts(
        brand=brand(card.number),
        last4=card.number[-4:],
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        fingerprint=fingerprint(card.number),
        jti=jti,
        digest=payload_digest,
    )
