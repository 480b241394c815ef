"""A shopper's browser over HTTP: reads the session and the card keys, encrypts the card as the frame does, confirms."""

import secrets
from datetime import datetime
from typing import Any

import httpx

from tests.vault.seal_card import seal_card

VISA = "4242424242424242"
DECLINED = "4000000000000002"


class Shopper:
    """Holds one intent's client secret."""

    def __init__(self, paydesk: str, intent: dict[str, Any], shop_origin: str) -> None:
        self.paydesk = paydesk
        self.intent_id = intent["id"]
        self.origin = shop_origin
        self.http = httpx.Client(
            base_url=paydesk, headers={"authorization": f"Bearer {intent['client_secret']}"}, timeout=60
        )

    def session(self) -> dict[str, Any]:
        answer = self.http.get(f"/checkout/{self.intent_id}/session")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def seal(self, number: str = VISA, **other: Any) -> str:
        """A card, encrypted for this intent; `other` overrides what is inside."""
        jwk = self.http.get("/checkout/keys").json()["keys"][0]
        at = datetime.fromisoformat(self.session()["server_time"])
        inside = {
            "v": 1,
            "number": number,
            "exp_month": 12,
            "exp_year": at.year + 3,
            "cvc": "1234" if number.startswith("3") else "123",
            "intent": self.intent_id,
            "origin": self.origin,
            "iat": int(at.timestamp()),
            "jti": secrets.token_urlsafe(16),
        }
        return seal_card(jwk, inside | other)

    def confirm(self, jwe: str) -> httpx.Response:
        return self.http.post(f"/checkout/{self.intent_id}/confirm", json={"card": jwe})

    def pay(self, number: str = VISA, **other: Any) -> httpx.Response:
        return self.confirm(self.seal(number, **other))

    def status(self, **parameters: Any) -> httpx.Response:
        return self.http.get(f"/v1/payment_intents/{self.intent_id}/status", params=parameters)

    def close(self) -> None:
        self.http.close()
