"""Signing deliveries: Standard Webhooks 1.0.0 (https://www.standardwebhooks.com), HMAC-SHA256 over id, time, body."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 (a prefix, not a secret)


def new_secret(random24: bytes) -> str:
    """A secret as receivers configure it: `whsec_` and base64."""
    return SECRET_PREFIX + b64encode(random24).decode()


def headers(event_id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The headers of one attempt at `timestamp` (seconds); a signature for each secret that is good now."""
    message = f"{event_id}.{timestamp}.".encode() + body
    return (
        ("content-type", "application/json"),
        ("webhook-id", event_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join(_signature(secret, message) for secret in secrets)),
    )


def _signature(secret: str, message: bytes) -> str:
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
