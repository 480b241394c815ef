"""The protocol's list of bad input, for any route: each with what it is, and whether it must be refused."""

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from paydesk.web.routes import Route, is_signed_change
from tests.bad_input.asking import BY_NAME, Asker
from tests.bad_input.inputs import (
    BROKEN_JWES,
    HEADER_FORMS,
    JWE_HEADERS,
    MEDIA,
    NO_REQUESTS,
    NOT_JSON,
    SIGNATURE,
    with_header,
)
from tests.bad_input.wire import Header, at, head

SIGNING = ("Authorization", "X-Request-Timestamp", "X-Request-Nonce", "X-Signature")
SECRETS = ["", "Bearer", "Bearer x", "Basic x", "Bearer pi_\xe9", "Bearer pi_1_secret_" + "a" * 3000, "Bearer {id}"]
NOTICES = ["", "t=1", "v1=" + "ab" * 32, "t=1,v1=" + "ab" * 32, "t=99999999999999999999,v1=ab", "t=1,t=2,v1=", "=,=,="]
UNKNOWN_QUERIES = ["amount=1", "client_secret=x", "status=succeeded", "a", "&", "%ff=%ff"]
QUERIES = [
    "=", "limit=0", "limit=-1", "limit=101", "limit=%D9%A1%D9%A0", "limit=1e1", "limit=%2B1", "limit=1&limit=2",
    "limit=", "limit=" + "9" * 5000, "starting_after=x&ending_before=y", "starting_after=%00", "starting_after=",
    "starting_after=" + "a" * 5000, "ending_before=%ED%A0%80", "payment_intent=%00", "payment_intent=' OR 1=1--",
    "ledger_account=%00", "ledger_account=" + "a" * 5000, "wait=61", "wait=-1", "wait=1.5", "wait=%D9%A1",
    "after=99999999999999999999", "after=-1", "locale=%00", "locale=" + "x" * 300, "locale=..%2f..%2fen",
    "isolated=%00",
]  # fmt: skip
IDS = [
    "0", "a" * 5000, "pi_" + "0" * 34, "pi_" + "z" * 34, "{id}0", "{ID}", "%00", "%0a", "%ff", "%E2%82%AC", "%2e%2e",
    "..%2f..%2fetc%2fpasswd", "4242424242424242", "'%20OR%201=1--", "evt_" + "0" * 34, "null", "-1", "%7B%7D",
]  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "STEAL", "get")
VALUES = [
    *(b"null true 1000 0 -1 -0 10.0 1e3 1e400 NaN 9007199254740992 9223372036854775808 []".split()),
    b"9" * 39, b"[1000]", b"{}", b'{"a":{"b":"c"}}', b'{"a":1}', b'{"":"a"}', b'"1000"', b'""', b'" "', b'"a\\u0000b"',
    b'"\\ud83d"', b'"\xff"', b'"\xed\xa0\x80"', b'"' + b"a" * 5000 + b'"', b'"*"', b'"uS"', b'"XXX"',
    '"uѕd"'.encode(), b'"4242424242424242"', b'"javascript:alert(1)"', b'"https://u:p@x.example/"',
    b'"http://169.254.169.254/"', b'"http://[::ffff:7f00:1]/"', b'"https://0x7f.1/"', b'"https://shop.example;x"',
    b'"https://[::1"', b'"https://x.example:99999/"', b'"http://2130706433/"', b'"http://xn--/"', b'["*",1]',
    b'["nope"]',
    json.dumps({f"key{n}": "" for n in range(51)}).encode(), b'{"a":"' + b"b" * 501 + b'"}',
    b'{"a":"4242 4242 4242 4242"}', b'{"a":"1","a":"2"}',
]  # fmt: skip
BYTES_MAX = 256 * 1024


class Bad(Struct, frozen=True, kw_only=True):
    """One request."""

    what: str
    data: bytes
    refused: bool = True
    """Whether it must be. What is bad for one route may be nothing to another."""
    more: bytes = b""
    times: int = 0
    """`more` follows so often, as long as it is read."""


def listed(asker: Asker, route: Route) -> Iterator[Bad]:
    """All of it."""
    yield from headers(asker, route)
    yield from paths(asker, route)
    yield from ids(asker, route)
    yield from bodies(asker, route)
    yield from values(asker, route)
    yield from cards(asker, route)


def no_requests() -> Iterator[Bad]:
    """Bytes that reach no route."""
    for what, data in NO_REQUESTS.items():
        yield Bad(what=what, data=data)
    yield Bad(
        what="headers that never end", data=b"GET / HTTP/1.1\r\n", more=b"X-A: " + b"a" * 40 + b"\r\n", times=2000
    )
    yield Bad(what="headers that stop", data=b"GET / HTTP/1.1\r\nHost: a\r\n")


def headers(asker: Asker, route: Route) -> Iterator[Bad]:
    """Who asks, said wrongly."""

    def with_(name: str, value: str) -> Bad:
        return Bad(what=f"{name}: {value[:60]!r}", data=asker.request(route, headers={name: value}))

    if route.path.startswith("/psp/"):
        yield from (with_("psp-signature", value) for value in NOTICES)
    elif route.security == "client_secret":
        yield from (with_("Authorization", value.format(id=asker.furnished.ids["intent"][0])) for value in SECRETS)
    elif route.security != "none":
        signer = asker.furnished.signer
        for name in (*SIGNING, "Idempotency-Key") if is_signed_change(route) else SIGNING:
            for form in HEADER_FORMS[name]:
                value = form.replace("{key}", signer.key_id).replace("{secret}", signer.secret)
                if value.strip() == value:  # Space around a value is not part of it.
                    yield with_(name, value.encode().decode("latin-1"))
        yield with_("X-Signature", SIGNATURE)
        yield from _signed_wrongly(asker, route)


def _signed_wrongly(asker: Asker, route: Route) -> Iterator[Bad]:
    target, body = asker.target(route).encode(), json.dumps(asker.body(route)).encode() if route.body else b""
    signer, change = asker.furnished.signer, "k" if is_signed_change(route) else None
    for what, off in (("too old", at(-301)), ("from the future", at(303)), ("with a sign", "+" + at(0))):
        signed = signer.headers(route.method, target, body, idempotency_key=change, timestamp=off)
        yield Bad(what=f"a time {what}", data=asker.request(route, body=body or None, headers=signed))
    good = signer.headers(route.method, target, body, idempotency_key=change)
    for name in SIGNING:
        pairs: list[Header] = [(one.encode(), value.encode()) for one, value in good.items()]
        again = next(pair for pair in pairs if pair[0].decode() == name)
        length = [(b"Content-Length", b"%d" % len(body))]
        yield Bad(what=f"{name} twice", data=head(route.method, target, [*pairs, again, *length]) + body)
        left = [pair for pair in pairs if pair is not again]
        yield Bad(what=f"no {name}", data=head(route.method, target, [*left, *length]) + body)
    if "{" in route.path:
        yield Bad(what="another merchant's key", data=asker.request(route, signer=asker.furnished.stranger))


def paths(asker: Asker, route: Route) -> Iterator[Bad]:
    """Queries, targets that a proxy may read otherwise, and methods."""
    plain = asker.target(route)
    for query in UNKNOWN_QUERIES:
        must = plain.startswith("/v1/")
        yield Bad(what=f"?{query}", data=asker.request(route, query=query), refused=must)
    for query in QUERIES:
        sent = query.replace(" ", "%20")
        yield Bad(what=f"?{query[:60]}", data=asker.request(route, query=sent), refused=False)
    target = plain.encode()
    odd = [
        b"/" + target,
        target + b"/",
        target + b"/..",
        target + b"%00",
        target + b"#f",
        target + b"\xff",
        b"/." + target,
    ]
    odd += [
        target + b"\x7f",
        target + b"%2f",
        target + b"\\",
        b"http://paydesk" + target,
        target + b"%20",
        target + b";a",
    ]
    odd += [b"/x/.." + target, target + b"?\xe9", target + b"?a=" + b"a" * 17_000]
    for one in odd:
        yield Bad(what=f"the target {one[:80]!r}", data=asker.request(route, target=one))
    escaped = b"/%%%02x" % target[1] + target[2:]
    yield Bad(what=f"the target {escaped!r}", data=asker.request(route, target=escaped), refused=False)
    allowed = {one.method for one in BY_NAME.values() if one.path == route.path} | {"HEAD"}
    for method in METHODS:
        yield Bad(what=f"method {method}", data=asker.request(route, method=method), refused=method not in allowed)


def ids(asker: Asker, route: Route) -> Iterator[Bad]:
    """Ids of nothing, of something else, and of no form."""
    for part in re.findall(r"{(\w+)}", route.path):
        real = asker.target(route).split("/")[route.path.split("/").index(f"{{{part}}}")]
        for form in IDS:
            bad = form.replace("{id}", real).replace("{ID}", real.upper())
            data = asker.request(route, parts={part: bad})
            yield Bad(what=f"{part}: {bad[:60]}", data=data, refused=bad.lower() != real)


def bodies(asker: Asker, route: Route) -> Iterator[Bad]:
    """What is no JSON, not plain JSON, too much, or stops."""
    must = route.body is not None
    good = json.dumps(asker.body(route)).encode()
    for what, body in NOT_JSON.items():
        yield Bad(what=what, data=asker.request(route, body=body), refused=must)
    if route.method != "POST":
        return
    for media in MEDIA:
        yield Bad(what=str(media), data=asker.request(route, headers=media), refused=must)
    yield Bad(what="gzip", data=asker.request(route, body=gzip.compress(good)), refused=must)
    for unknown in ("status", "amount_received", "account", "id", "__proto__", "4242424242424242", "\r\nX-Evil: 1"):
        body = asker.body(route) | {unknown: "succeeded"}
        yield Bad(what=f"an unknown {unknown!r}", data=asker.request(route, body=body), refused=must)
    yield Bad(what="too large", data=asker.request(route, body=b" " * (BYTES_MAX + 1)))
    target, chunk = asker.target(route).encode(), b"1000\r\n" + b"a" * 0x1000 + b"\r\n"
    signed = [(one.encode(), v.encode()) for one, v in asker.signed(route, "POST", target, b"").items()]
    never = head("POST", target, [*signed, (b"Transfer-Encoding", b"chunked")])
    yield Bad(what="a body that never ends", data=never, more=chunk, times=5000)
    yield Bad(what="a body that stops", data=head("POST", target, [*signed, (b"Content-Length", b"2")]) + b"{")


def values(asker: Asker, route: Route) -> Iterator[Bad]:
    """Every value that no field, or hardly one, may have, in each field of the body."""
    for field in fields(route.body) if route.body else ():
        rest = {name: value for name, value in asker.body(route).items() if name != field.encode_name}
        begun = json.dumps(rest)[:-1] + (", " if rest else "")
        for value in VALUES:
            body = f'{begun}"{field.encode_name}": '.encode() + value + b"}"
            what = f"{field.encode_name} = {value[:60]!r}"
            yield Bad(what=what, data=asker.request(route, body=body), refused=False)


def cards(asker: Asker, route: Route) -> Iterator[Bad]:
    """Card payloads that can't be opened, or belong to another intent."""
    if route.body is None or "card" not in {field.name for field in fields(route.body)}:
        return
    shopper = asker.furnished.shopper(asker.furnished.ids["intent"][0])
    good = shopper.seal()
    tokens: dict[str, Any] = {what: with_header(good, **changed) for what, changed in JWE_HEADERS.items()}
    tokens |= {what: spoil(good) for what, spoil in BROKEN_JWES.items()} | {"another intent": good}
    for what, token in tokens.items():
        yield Bad(what=f"a card: {what}", data=asker.request(route, body={"card": token}))
