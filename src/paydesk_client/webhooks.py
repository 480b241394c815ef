"""Verifies what Paydesk sends: Standard Webhooks 1.0.0, scheme v1
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).

    webhook-signature: v1,<base64 HMAC-SHA256(key, webhook-id + "." + webhook-timestamp + "." + body)>

`webhooks/signatures.json` has vectors, the refusals among them.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

Why = Literal[
    "missing_header", "malformed_header", "timestamp_out_of_range", "invalid_signature", "malformed_body", "bad_secret"
]


class WebhookVerificationError(ValueError):
    """Don't trust this call: answer 400. The message says what to look at; `why` is the same in one word."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(why, message)
        self.why = why
        self.message = message

    def __str__(self) -> str:
        return self.message


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance_seconds: int = 300,
    now: float | None = None,
) -> dict[str, Any]:
    """The event, if Paydesk signed exactly these bytes within `tolerance_seconds` of `now`.

    `body` is the raw body, before anything parsed it. `secret` is the endpoint's `whsec_…`; of several, one must fit.
    `now` is in seconds since 1970, this machine's clock when None. Raises WebhookVerificationError.
    Afterwards act once per `webhook-id`: a retry has the same one.
    """
    if not isinstance(body, bytes | bytearray):
        raise TypeError("Give verify_webhook the body as the bytes that came, not as text or as parsed JSON.")
    keys = _keys(secret)
    webhook_id, timestamp, signatures = _read_headers(headers)
    _check_time(int(timestamp), time.time() if now is None else now, tolerance_seconds)
    _check_signature(_signed(webhook_id, timestamp, body), signatures, keys)
    return _event(body)


def sign_webhook(
    body: bytes, secret: str | Sequence[str], *, webhook_id: str, timestamp: int | None = None
) -> dict[str, str]:
    """The headers Paydesk would send with `body`, for your own tests; `timestamp` in seconds since 1970, else now."""
    stamp = str(int(time.time()) if timestamp is None else timestamp)
    signed = _signed(webhook_id, stamp, body)
    signatures = " ".join(_signature(key, signed) for key in _keys(secret))
    return {"webhook-id": webhook_id, "webhook-timestamp": stamp, "webhook-signature": signatures}


def _read_headers(headers: Mapping[str, str]) -> tuple[str, str, str]:
    found = {name.lower(): value for name, value in headers.items()}
    values = tuple(found.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature"))
    if not all(values):
        raise WebhookVerificationError(
            "missing_header",
            "webhook-id, webhook-timestamp and webhook-signature must all be there. Did Paydesk send this, and does "
            "every proxy in between hand these headers on?",
        )
    if not re.fullmatch(r"[!-~]{1,256}", values[0]) or not re.fullmatch(r"[0-9]{1,15}", values[1]):
        raise WebhookVerificationError(
            "malformed_header", "webhook-id must be an event's id and webhook-timestamp whole seconds since 1970."
        )
    return values[0], values[1], values[2]


def _check_time(timestamp: int, now: float, tolerance_seconds: int) -> None:
    offset = int(now) - timestamp
    if abs(offset) > tolerance_seconds:
        raise WebhookVerificationError(
            "timestamp_out_of_range",
            f"webhook-timestamp is {abs(offset)} s {'behind' if offset > 0 else 'ahead of'} this machine's clock; "
            f"{tolerance_seconds} s are allowed. Check the clock (NTP); if it is right, an old call is sent again.",
        )


def _check_signature(signed: bytes, signatures: str, keys: Sequence[bytes]) -> None:
    """Compares base64 with base64, as bytes: constant time, and no second spelling of the same signature passes."""
    good = [_signature(key, signed).encode() for key in keys]
    given = [one.encode("utf-8", "surrogatepass") for one in signatures.split(" ")]
    matches = [hmac.compare_digest(one, ours) for one in given for ours in good]
    if not any(matches):
        raise WebhookVerificationError(
            "invalid_signature",
            "No v1 signature of this call holds. Use the secret of this very endpoint, and the body as the bytes that "
            "came: parsing it and writing it again changes them.",
        )


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise WebhookVerificationError("malformed_body", "The signature holds, but the body is not a JSON object.")
    return event


def _keys(secret: str | Sequence[str]) -> list[bytes]:
    keys = [_key(one) for one in ([secret] if isinstance(secret, str) else secret)]
    if not keys:
        raise WebhookVerificationError("bad_secret", "No secret was given: without one nothing can be verified.")
    return keys


def _key(secret: str) -> bytes:
    """Standard Webhooks asks for 24 to 64 bytes; an empty key would let anybody sign."""
    prefix, text = secret[:6], secret[6:].rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if prefix != "whsec_" or not 24 <= len(key) <= 64:
        raise WebhookVerificationError(
            "bad_secret",
            "This is no endpoint's secret: take the whole whsec_… that was shown when the endpoint was made.",
        )
    return key


def _signed(webhook_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{webhook_id}.{timestamp}.".encode() + body


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
