"""Requests as bytes, made before they are measured: signed ones, a shopper's ones with a sealed card, a PSP's."""

import hashlib
import hmac
import secrets
import time
from datetime import UTC, datetime
from string import ascii_lowercase
from urllib.parse import urlsplit

import msgspec
from joserfc import jwe
from joserfc.jwk import ECKey

from bench.orders import Setting

SHOP = "https://shop.example"
CARD = "4242424242424242"


class Opened(msgspec.Struct, frozen=True):
    """What is read of an intent that was opened."""

    id: str
    client_secret: str


class Requests:
    """Makes requests to one Paydesk, with one merchant's key."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._host = urlsplit(setting.paydesk).netloc
        self._psp_host = urlsplit(setting.psp).netloc

    def ping(self) -> bytes:
        return self._signed("GET", "/v1/ping")

    def list(self) -> bytes:
        return self._signed("GET", "/v1/payment_intents")

    def create(self) -> bytes:
        order = "".join(secrets.choice(ascii_lowercase) for _ in range(16))  # Digits might look like a card's.
        body = b'{"amount":4200,"currency":"usd","metadata":{"order":"%s"}}' % order.encode()
        return self._signed("POST", "/v1/payment_intents", body, idempotency_key=f"order-{order}")

    def confirm(self, intent: Opened, jwk: dict[str, str], key: ECKey) -> bytes:
        """The frame's one request, with the card sealed for this intent."""
        body = msgspec.json.encode({"card": sealed(intent.id, jwk, key)})
        return self._shopper("POST", f"/checkout/{intent.id}/confirm", intent, body)

    def status(self, intent: Opened) -> bytes:
        return self._shopper("GET", f"/v1/payment_intents/{intent.id}/status", intent)

    def stream(self, intent: Opened) -> bytes:
        return self._shopper("GET", f"/v1/payment_intents/{intent.id}/stream", intent)

    def card_keys(self) -> bytes:
        return whole("GET", "/checkout/keys", self._host, {})

    def charge(self) -> bytes:
        """What Paydesk asks the PSP, asked by us."""
        reference = f"at_{secrets.token_hex(16)}"
        card = {"number": CARD, "exp_month": 12, "exp_year": 2040, "cvc": "123", "name": None}
        charge = {"reference": reference, "amount": 4200, "currency": "usd", "capture": True, "card": card}
        headers = {"authorization": "Bearer psp_of_the_bench", "idempotency-key": f"{reference}:authorise:1"}
        return whole("POST", "/v1/charges", self._psp_host, headers, msgspec.json.encode(charge))

    def _shopper(self, method: str, path: str, intent: Opened, body: bytes = b"") -> bytes:
        return whole(method, path, self._host, {"authorization": f"Bearer {intent.client_secret}"}, body)

    def _signed(self, method: str, path: str, body: bytes = b"", *, idempotency_key: str = "") -> bytes:
        """Signed with PD1, for now: good for five minutes."""
        setting, nonce = self._setting, secrets.token_urlsafe(16)
        timestamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        digest = hashlib.sha256(body).hexdigest()
        lines = ("PD1-HMAC-SHA256", method, path, "", setting.key_id, timestamp, nonce, idempotency_key, digest)
        signature = hmac.digest(setting.secret.encode(), "\n".join(lines).encode(), "sha256").hex()
        headers = {
            "authorization": f"Bearer {setting.key_id}",
            "x-request-timestamp": timestamp,
            "x-request-nonce": nonce,
            "x-signature": f"sha256={signature}",
        }
        if idempotency_key:
            headers["idempotency-key"] = idempotency_key
        return whole(method, path, self._host, headers, body)


def whole(method: str, path: str, host: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def sealed(intent: str, jwk: dict[str, str], key: ECKey) -> str:
    """The card as the frame seals it (protocol: ECDH-ES on P-256, A256GCM), bound to the intent and the shop."""
    inside = {
        "v": 1,
        "number": CARD,
        "exp_month": 12,
        "exp_year": datetime.now(UTC).year + 3,
        "cvc": "123",
        "intent": intent,
        "origin": SHOP,
        "iat": int(time.time()),
        "jti": secrets.token_urlsafe(16),
    }
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": jwk["kid"], "typ": "paydesk-card+jwe"}
    return jwe.encrypt_compact(header, msgspec.json.encode(inside), key, algorithms=["ECDH-ES", "A256GCM"])
