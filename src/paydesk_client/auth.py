"""Signs requests with scheme PD1: who asks, what exactly is asked, when, and only once.

The string that is signed has nine lines: the scheme's name, method, raw path, raw query, key id, timestamp, nonce,
Idempotency-Key, SHA-256 of the body. Path and query go in as the bytes that are sent, since a signature over anything
re-encoded fails at the first `+`.
"""

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime

import httpx

SCHEME = "PD1-HMAC-SHA256"


def _fresh_nonce() -> str:
    return str(uuid.uuid4())


class PaydeskAuth(httpx.Auth):
    """`httpx.Client(auth=PaydeskAuth(key_id, secret))` or the same with `AsyncClient`: every request leaves signed.

    `secret` is `sk_test_…` or `sk_live_…`; while it is being rolled, give old and new as a sequence of two: both sign.
    Every attempt gets a timestamp and a nonce of its own, so the same `httpx.Request` may be sent again.
    `Idempotency-Key` is signed where the request has one and never made up here. Don't follow redirects: the signature
    holds for one path. `clock` gives seconds since 1970, `nonce` 16 to 64 of [A-Za-z0-9_-].
    """

    requires_request_body = True

    def __init__(
        self,
        key_id: str,
        secret: str | Sequence[str],
        *,
        clock: Callable[[], float] = time.time,
        nonce: Callable[[], str] = _fresh_nonce,
    ) -> None:
        secrets = (secret,) if isinstance(secret, str) else tuple(secret)
        if len(secrets) not in (1, 2) or not all(secrets):
            raise ValueError("PaydeskAuth needs one secret, or two while it is being rolled; none of them empty.")
        if not key_id:
            raise ValueError("PaydeskAuth needs the key's id, such as key_test_…; it is no secret.")
        self._key_id = key_id
        self._secrets = tuple(one.encode() for one in secrets)
        self._clock = clock
        self._nonce = nonce

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        timestamp = datetime.fromtimestamp(int(self._clock()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        nonce = self._nonce()
        signed = string_to_sign(request, self._key_id, timestamp, nonce)
        request.headers["Authorization"] = f"Bearer {self._key_id}"
        request.headers["X-Request-Timestamp"] = timestamp
        request.headers["X-Request-Nonce"] = nonce
        request.headers["X-Signature"] = ",".join(_signature(secret, signed) for secret in self._secrets)
        yield request


def string_to_sign(request: httpx.Request, key_id: str, timestamp: str, nonce: str) -> bytes:
    """The nine lines, from the bytes that httpx will send. `paydesk sign explain` shows the server's for comparison."""
    path, _, query = request.url.raw_path.partition(b"?")
    lines = (
        SCHEME,
        request.method,
        path.decode("ascii"),
        query.decode("ascii"),
        key_id,
        timestamp,
        nonce,
        request.headers.get("Idempotency-Key", ""),
        hashlib.sha256(request.content).hexdigest(),
    )
    return "\n".join(lines).encode()


def _signature(secret: bytes, signed: bytes) -> str:
    return "sha256=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
