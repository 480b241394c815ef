"""The protocol's list of bad input, as far as it is the same for many routes."""

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.stage.shopper import VISA

GOOD: dict[str, Any] = {"amount": 1000, "currency": "usd"}


def body(**changed: Any) -> bytes:
    return json.dumps(GOOD | changed).encode()


def raw(amount: str) -> bytes:
    return b'{"amount":%s,"currency":"usd"}' % amount.encode()


NOT_JSON = {
    "a key twice": b'{"amount":1,"amount":1000,"currency":"usd"}',
    "a key twice, once escaped": b'{"amount":1,"\\u0061mount":1000,"currency":"usd"}',
    "a key twice inside": b'{"amount":1000,"currency":"usd","metadata":{"a":"1","a":"2"}}',
    "NaN": raw("NaN"),
    "Infinity": raw("Infinity"),
    "-Infinity": raw("-Infinity"),
    "1e400": raw("1e400"),
    "-1e400": raw("-1e400"),
    "5 000 nested arrays": b'{"amount":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "5 000 arrays that never close": b"[" * 5000,
    "5 000 nested objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "100 000 nested arrays": b"[" * 100_000 + b"]" * 100_000,
    "5 000 digits": raw("9" * 5000),
    "5 000 digits of a fraction": raw("0." + "9" * 5000),
    "5 000 digits of an exponent": raw("1e" + "9" * 5000),
    "a leading zero": raw("0100"),
    "a leading plus": raw("+100"),
    "hexadecimal": raw("0x64"),
    "an underscore": raw("1_000"),
    "Arabic-Indic digits": '{"amount":١٠٠,"currency":"usd"}'.encode(),
    "an escaped NUL": b'{"amount":1000,"currency":"usd","description":"a\\u0000b"}',
    "an escaped NUL in a key": b'{"amount":1000,"currency":"usd","metadata":{"a\\u0000":"b"}}',
    "a raw NUL": b'{"amount":1000,"currency":"usd","description":"a\x00b"}',
    "a raw newline in a string": b'{"amount":1000,"currency":"usd","description":"a\nb"}',
    "half of a surrogate pair": b'{"amount":1000,"currency":"usd","description":"\\ud83d"}',
    "the other half": b'{"amount":1000,"currency":"usd","description":"\\ude00"}',
    "the halves the wrong way round": b'{"amount":1000,"currency":"usd","description":"\\ude00\\ud83d"}',
    "a surrogate in UTF-8": b'{"amount":1000,"currency":"usd","description":"\xed\xa0\x80"}',
    "invalid UTF-8": b'{"amount":1000,"currency":"usd","description":"\xff\xfe"}',
    "an overlong slash": b'{"amount":1000,"currency":"usd","description":"\xc0\xaf"}',
    "a cut-off character": b'{"amount":1000,"currency":"usd","description":"\xf0\x9f"}',
    "a BOM": b"\xef\xbb\xbf" + body(),
    "UTF-16": body().decode().encode("utf-16"),
    "UTF-32": body().decode().encode("utf-32"),
    "an array": b"[1000]",
    "a string": b'"1000"',
    "a number": b"1000",
    "null": b"null",
    "two objects": body() + body(),
    "something behind it": body() + b"x",
    "a comma too many": b'{"amount":1000,"currency":"usd",}',
    "a comment": b'{"amount":1000,/* dollars */"currency":"usd"}',
    "single quotes": b"{'amount':1000,'currency':'usd'}",
    "no end": b'{"amount":1000,"currency":"us',
    "spaces alone": b"   ",
    "a form": b"amount=1000&currency=usd",
    "XML": b"<amount>1000</amount>",
}


MEDIA = [
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "multipart/form-data; boundary=x"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"Content-Type": "application/json; charset=latin-1"},
    {"Content-Type": 'application/json; charset="utf-8'},
    {"Content-Type": "application/json; charset='utf-8'"},
    {"Content-Type": "application/jsonp"},
    {"Content-Type": "application/json, text/plain"},
    {"Content-Type": ""},
    {"Content-Encoding": "gzip"},
    {"Content-Encoding": "identity"},
    {"Content-Encoding": "br, gzip"},
]


SIGNATURE = "sha256=" + "ab" * 32

HEADER_FORMS = {
    "Authorization": [
        "",
        "Bearer",
        "Bearer ",
        "bearer {key}",
        "Basic {key}",
        "Bearer  {key}",
        "Bearer {key} ",
        "Bearer {key},Bearer {key}",
        "Bearer {secret}",
        "{key}",
        "Bearer KEY_TEST_ABC",
        "Bearer key_prod_abc",
        "Bearer key_test_" + "a" * 72,
        "Bearer key_test_a\xe9",
    ],
    "X-Request-Timestamp": [
        "",
        "1700000000",
        "1700000000000",
        "+1700000000",
        "-1700000000",
        "2023-10-15T14:22:31",
        "2023-10-15T14:22:31.000Z",
        "2023-10-15T14:22:31+00:00",
        "2023-10-15 14:22:31Z",
        "2023-10-15t14:22:31z",
        "+2023-10-15T14:22:31Z",
        "12023-10-15T14:22:31Z",
        "2023-02-30T14:22:31Z",
        "2023-13-15T14:22:31Z",
        "2023-10-15T24:00:00Z",
        "2023-10-15T14:22:60Z",
        "0000-10-15T14:22:31Z",
        "２０２３-10-15T14:22:31Z",
        "Sun, 15 Oct 2023 14:22:31 GMT",
    ],
    "X-Request-Nonce": [
        "",
        "n" * 15,
        "n" * 65,
        "n" * 15 + ".",
        "n" * 15 + "\xe9",
        "n" * 8 + " " + "n" * 8,
        '"' + "n" * 16 + '"',
    ],
    "X-Signature": [
        "",
        "sha256=",
        SIGNATURE[:-1],
        SIGNATURE + "0",
        SIGNATURE.upper(),
        "sha256=" + "AB" * 32,
        "SHA256=" + "ab" * 32,
        "sha512=" + "ab" * 32,
        "ab" * 32,
        f"{SIGNATURE}, {SIGNATURE}",
        f"{SIGNATURE},",
        f"{SIGNATURE};{SIGNATURE}",
        ",".join([SIGNATURE] * 3),
        "sha256=" + "zz" * 32,
        "v1=" + "ab" * 32,
    ],
    "Idempotency-Key": ["", "a" * 256, "order 1001", "order/1001", '"order-1001"', "order-1001\xe9", "order\t1001"],
}


PATHS = [
    b"//v1/ping",
    b"/v1//ping",
    b"/v1/./ping",
    b"/v1/../v1/ping",
    b"/v1/ping/..",
    b"/v1/ping/.",
    b"/v1/%2e%2e/v1/ping",
    b"/v1/%2E/ping",
    b"/v1/.%2e/ping",
    b"/v1%2fping",
    b"/v1%2Fping",
    b"/v1%5cping",
    b"/v1%5Cping",
    b"/v1\\ping",
    b"/v1/ping%00",
    b"/v1/payment_intents/%00",
    b"/v1/p\xc3\xafng",
    b"/v1/ping\xff",
    b"/v1/ping#fragment",
    b"/v1/ping?a=b#fragment",
    b"/v1/ping?\xe9",
    b"/v1/ping\x7f",
]


NO_REQUESTS = {
    "garbage": b"\x00\x01\x02\x03garbage\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32) + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": b"GET /v1/ping HTTP/9.9\r\n\r\n",
    "a method of nobody": b"STEAL /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method in lower case": b"get /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /v1/ping\r\n\r\n",
    "a space in the path": b"GET /v1/ ping HTTP/1.1\r\nHost: a\r\n\r\n",
    "a header without a colon": b"GET /v1/ping HTTP/1.1\r\nHost: a\r\nNonsense\r\n\r\n",
    "a header with a space in its name": b"GET /v1/ping HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n",
    "a space before the colon": b"GET /v1/ping HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\na",
    "a NUL in a header": b"GET /v1/ping HTTP/1.1\r\nHost: a\r\nX-A: a\x00b\r\n\r\n",
    "a folded header": b"GET /v1/ping HTTP/1.1\r\nHost: a\r\nX-A: a\r\n b\r\n\r\n",
    "two lengths": b"POST /v1/payment_intents HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": (
        b"POST /v1/ping HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a length below zero": b"POST /v1/payment_intents HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a length in words": b"POST /v1/payment_intents HTTP/1.1\r\nHost: a\r\nContent-Length: two\r\n\r\nab",
    "a length with a plus": b"POST /v1/payment_intents HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nab",
    "another coding": b"POST /v1/payment_intents HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "two codings": b"POST /v1/payment_intents HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a chunk that lies": b"POST /v1/payment_intents HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a chunk of half the world": (
        b"POST /v1/payment_intents HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"
    ),
}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def with_header(token: str, **changed: Any) -> str:
    """Another protected header in front of the same rest."""
    header, rest = token.split(".", 1)
    return b64(json.dumps(json.loads(unb64(header)) | changed).encode()) + "." + rest


JWE_HEADERS: dict[str, dict[str, Any]] = {
    "alg none": {"alg": "none"},
    "alg dir": {"alg": "dir"},
    "alg ECDH-ES+A256KW": {"alg": "ECDH-ES+A256KW"},
    "alg RSA1_5": {"alg": "RSA1_5"},
    "alg RSA-OAEP": {"alg": "RSA-OAEP"},
    "alg PBES2": {"alg": "PBES2-HS256+A128KW", "p2s": "c2FsdHNhbHQ", "p2c": 2_000_000_000},
    "alg A256GCMKW": {"alg": "A256GCMKW"},
    "enc A128GCM": {"enc": "A128GCM"},
    "enc A128CBC-HS256": {"enc": "A128CBC-HS256"},
    "zip": {"zip": "DEF"},
    "crit": {"crit": ["exp"], "exp": 0},
    "crit without anything": {"crit": []},
    "typ": {"typ": "JWT"},
    "cty": {"cty": "json"},
    "jku": {"jku": "https://evil.example/keys"},
    "x5u": {"x5u": "https://evil.example/keys"},
    "jwk": {"jwk": {"kty": "oct", "k": "AAAA"}},
    "apu": {"apu": "AAAA"},
    "b64": {"b64": False},
    "kid that is no text": {"kid": 1},
    "epk off the curve": {"epk": {"kty": "EC", "crv": "P-256", "x": b64(b"\x01" * 32), "y": b64(b"\x02" * 32)}},
    "epk at zero": {"epk": {"kty": "EC", "crv": "P-256", "x": b64(bytes(32)), "y": b64(bytes(32))}},
    "epk beyond the field": {"epk": {"kty": "EC", "crv": "P-256", "x": b64(b"\xff" * 32), "y": b64(b"\xff" * 32)}},
    "epk of another curve": {"epk": {"kty": "EC", "crv": "P-384", "x": b64(b"\x01" * 48), "y": b64(b"\x02" * 48)}},
    "epk of a twist": {"epk": {"kty": "OKP", "crv": "X25519", "x": b64(b"\x01" * 32)}},
    "epk that is short": {"epk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
    "epk with a private part": {
        "epk": {"kty": "EC", "crv": "P-256", "x": b64(b"\x01" * 32), "y": b64(b"\x02" * 32), "d": "AA"}
    },
    "epk that is null": {"epk": None},
}


BROKEN_JWES: dict[str, Callable[[str], object]] = {
    "nothing": lambda token: "",
    "one part": lambda token: token.split(".")[0],
    "four parts": lambda token: token.rpartition(".")[0],
    "six parts": lambda token: token + ".AAAA",
    "an encrypted key": lambda token: token.replace("..", ".AAAA."),
    "no tag": lambda token: token.rpartition(".")[0] + ".",
    "a short tag": lambda token: token[:-4],
    "padding": lambda token: token + "=",
    "a space": lambda token: token + " ",
    "a newline": lambda token: token + "\n",
    "standard base64": lambda token: token.replace("_", "/").replace("-", "+") + "+",
    "more than 4 KiB": lambda token: token + "A" * 4096,
    "not ASCII": lambda token: "é" + token,
    "JSON serialisation": lambda token: json.dumps({"protected": token.split(".")[0], "ciphertext": "AA"}),
    "a JWT": lambda token: "eyJhbGciOiJub25lIn0.e30.",
    "dots": lambda token: "....",
    "a header of brackets": lambda token: b64(b"[" * 2000) + "....",
    "a plain card": lambda token: json.dumps({"number": VISA}),
}
