"""PD1: how a request is signed. Nine lines, every field as it came, and HMAC-SHA256 over them.

Nothing is decoded, sorted or normalised, because that is where the clients of other schemes go wrong. All of it is
pure: the caller brings headers, body, secrets and the time, and sees to it that a nonce is used once.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from paydesk.errors import Refusal

SCHEME = "PD1-HMAC-SHA256"
SECRETS_ACTIVE_MAX = 2
"""The current secret and the one before it, while a merchant rolls."""
WINDOW_SECONDS = 300

PARTS = ("scheme", "method", "path", "query", "key_id", "timestamp", "nonce", "idempotency_key", "body")

# Each header with the form it must have and the sentence for those who miss it. The order is that of the checks.
_FORMS: dict[bytes, tuple[str, re.Pattern[bytes], str]] = {
    b"authorization": (
        "Authorization",
        re.compile(rb"Bearer (key_(?:test|live)_[a-z0-9]{1,71})"),
        "`Bearer ` and the key's id, as in `Bearer key_test_…`: the id, never the secret",
    ),
    b"x-request-timestamp": (
        "X-Request-Timestamp",
        re.compile(rb"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)"),
        "a date and time in UTC with whole seconds, as in 2023-10-15T14:22:31Z",
    ),
    b"x-request-nonce": (
        "X-Request-Nonce",
        re.compile(rb"([A-Za-z0-9_-]{16,64})"),
        "16 to 64 characters of A-Z, a-z, 0-9, `_` and `-`, new for every attempt",
    ),
    b"x-signature": (
        "X-Signature",
        re.compile(rb"(sha256=[0-9a-f]{64}(?:,sha256=[0-9a-f]{64})?)"),
        "`sha256=` and 64 lower-case hexadecimal digits; while you roll, two of them with a comma and no space between",
    ),
    b"idempotency-key": (
        "Idempotency-Key",
        re.compile(rb"([A-Za-z0-9._:-]{1,255})"),
        "1 to 255 characters of A-Z, a-z, 0-9, `.`, `_`, `:` and `-`",
    ),
}

# `//`, a dot segment (its dots escaped or not), an escaped `/`, `\` or NUL, what starts a query or a fragment, and all
# that is not visible ASCII: wherever a proxy could read another path than we do.
_PATH_REFUSED = re.compile(rb"//|/(?:\.|%2[eE]){1,2}(?:/|\Z)|%(?:2[fF]|5[cC]|00)|[\\?#]|[^!-~]")
_QUERY_REFUSED = re.compile(rb"#|[^!-~]")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# Stands in where there is no secret, so that an unknown key takes as long as a known one.
_DUMMY_SECRET = "sk_none_" + "A" * 43


class Signed(Struct, frozen=True, kw_only=True):
    """A request whose headers have the right form. Whether the signature holds is not said yet."""

    method: str
    path: str
    """The raw path as sent, escapes and all."""
    query: str
    """The raw query as sent, without `?`; empty if there is none."""
    key_id: str
    timestamp: str
    """As sent; `timestamp_ms` is the same moment."""
    timestamp_ms: int
    nonce: str
    idempotency_key: str
    """Empty if none was sent."""
    signatures: tuple[str, ...]
    """One, or two while the client rolls its secret; each `sha256=…`."""


def parse(
    method: str,
    raw_path: bytes,
    query: bytes,
    headers: Iterable[tuple[bytes, bytes]],
    needs_idempotency_key: bool,
) -> Signed:
    """Read the signed parts of a request; header names in lower case, as ASGI has them.

    Refusals, in this order: `duplicate_header`, then `missing_header` or `malformed_header` header by header,
    `path_not_canonical`, `idempotency_key_missing`.
    """
    found = _once_each(headers)
    key_id = _read(found, b"authorization")
    timestamp = _read(found, b"x-request-timestamp")
    timestamp_ms = _milliseconds(timestamp)
    nonce = _read(found, b"x-request-nonce")
    signatures = _read(found, b"x-signature")
    idempotency_key = _read(found, b"idempotency-key") if b"idempotency-key" in found else ""
    check_path(raw_path, query)
    if needs_idempotency_key and not idempotency_key:
        raise Refusal("idempotency_key_missing", param="Idempotency-Key")
    return Signed(
        method=method,
        path=raw_path.decode("ascii"),
        query=query.decode("ascii"),
        key_id=key_id,
        timestamp=timestamp,
        timestamp_ms=timestamp_ms,
        nonce=nonce,
        idempotency_key=idempotency_key,
        signatures=tuple(signatures.split(",")),
    )


def check_path(raw_path: bytes, query: bytes) -> None:
    """Refuse (`path_not_canonical`) a path or query that some proxy on the way could read otherwise than we do."""
    if not raw_path.startswith(b"/") or _PATH_REFUSED.search(raw_path) or _QUERY_REFUSED.search(query):
        raise Refusal("path_not_canonical")


def canonical(signed: Signed, body: bytes) -> bytes:
    """The string that is signed: nine lines, no newline at the end."""
    return "\n".join(_lines(signed, body)).encode("ascii")


def sign(secret: str, canonical: bytes) -> str:
    """The signature as the header has it. The whole secret is the key, its `sk_…` included."""
    return "sha256=" + hmac.digest(secret.encode(), canonical, "sha256").hex()


def holds(signed: Signed, body: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of the signatures was made with one of the active secrets.

    Takes the same time with no secret, one or two: each is tried against each signature, and dummies fill the places of
    those that are not there, so that the time says nothing about which keys exist or are being rolled.
    """
    text = canonical(signed, body)
    held = False
    for place in range(max(len(secrets), SECRETS_ACTIVE_MAX)):
        real = place < len(secrets)
        expected = sign(secrets[place] if real else _DUMMY_SECRET, text)
        for signature in signed.signatures:
            held |= hmac.compare_digest(expected, signature) & real
    return held


def in_window(signed: Signed, now_ms: int, window_seconds: int = WINDOW_SECONDS) -> bool:
    """Whether the signed time is at most `window_seconds` before or after now."""
    return abs(now_ms - signed.timestamp_ms) <= window_seconds * 1000


def explain(signed: Signed, body: bytes) -> dict[str, str]:
    """What a merchant compares with their own: the string the server built, and the SHA-256 of each of its nine parts.

    The last part is the body itself, so its digest is the ninth line. Holds no secret and nothing made with one.
    """
    lines = _lines(signed, body)
    digests = [hashlib.sha256(line.encode("ascii")).hexdigest() for line in lines[:-1]]
    named = zip(PARTS, [*digests, lines[-1]], strict=True)
    return {"canonical": "\n".join(lines)} | {f"sha256_of_{part}": digest for part, digest in named}


def _lines(signed: Signed, body: bytes) -> tuple[str, ...]:
    return (
        SCHEME,
        signed.method,
        signed.path,
        signed.query,
        signed.key_id,
        signed.timestamp,
        signed.nonce,
        signed.idempotency_key,
        hashlib.sha256(body).hexdigest(),
    )


def _once_each(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _FORMS:
            if name in found:
                title = _FORMS[name][0]
                raise Refusal("duplicate_header", f"{title} stands more than once.", param=title)
            found[name] = value
    return found


def _read(found: dict[bytes, bytes], name: bytes) -> str:
    title, form, sentence = _FORMS[name]
    value = found.get(name)
    if value is None:
        raise Refusal("missing_header", f"{title} is missing: {sentence}.", param=title)
    match = form.fullmatch(value)
    if match is None:
        raise Refusal("malformed_header", f"{title} has another form than this: {sentence}.", param=title)
    return match[1].decode("ascii")


def _milliseconds(timestamp: str) -> int:
    """Since 1970. The form is checked already; what is left is whether the calendar has such a day and such an hour."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        title = "X-Request-Timestamp"
        raise Refusal("malformed_header", f"{title} is not a moment that exists.", param=title) from None
    return (moment - _EPOCH) // _MILLISECOND
