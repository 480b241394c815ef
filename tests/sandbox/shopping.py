"""A shop process with a fake Paydesk beside it, and webhooks as Paydesk would sign them."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from paydesk_client import sign_webhook
from tests.sandbox.fake_paydesk import FakePaydesk, serving
from tests.sandbox.processes import Running, running

SECRET = "whsec_" + base64.b64encode(b"the endpoint's secret: 32 bytes.").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"its secret before it was rolled.").decode()
SETTINGS = {"SHOP_KEY_ID": "key_test_1", "SHOP_SECRET": "sk_test_1", "SHOP_WEBHOOK_SECRET": f"{SECRET} {OLD_SECRET}"}


class Town:
    """The shop, the fake Paydesk it pays through, and a client of the shop."""

    def __init__(self, shop: Running, paydesk: FakePaydesk, paydesk_url: str, http: httpx.Client) -> None:
        self.shop = shop
        self.paydesk = paydesk
        self.paydesk_url = paydesk_url
        self.http = http

    def buy(self, *items: tuple[str, int]) -> dict[str, Any]:
        basket = [{"sku": sku, "quantity": quantity} for sku, quantity in items or [("tea", 1)]]
        answer = self.http.post("/orders", json={"items": basket})
        assert answer.status_code == 201
        return answer.json()

    def send(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return self.http.post("/webhooks", content=body, headers={**headers, "content-type": "application/json"})

    def tell_paid(self, order: dict[str, Any], webhook_id: str, secret: str = SECRET) -> httpx.Response:
        body = succeeded(order)
        return self.send(body, sign_webhook(body, secret, webhook_id=webhook_id))

    def books(self) -> dict[str, Any]:
        return self.http.get("/books").json()

    def in_books(self, order: dict[str, Any]) -> dict[str, Any]:
        return next(entry for entry in self.books()["orders"] if entry["order"] == order["order"])


def succeeded(order: dict[str, Any], **told: Any) -> bytes:
    """The body of a webhook that says the order is paid."""
    intent = {"id": order["payment_intent"], "amount": order["amount"], "currency": order["currency"], **told}
    return json.dumps({"type": "payment_intent.succeeded", "data": {"object": intent}}).encode()


def environment(**changed: str) -> dict[str, str]:
    return {**os.environ, **SETTINGS, **changed}


@contextmanager
def town() -> Iterator[Town]:
    fake = FakePaydesk()
    with serving(fake.app()) as port:
        paydesk_url = f"http://127.0.0.1:{port}"
        with (
            running("shop", "--paydesk", paydesk_url, environment=environment()) as shop,
            httpx.Client(base_url=shop.url, timeout=20) as http,
        ):
            yield Town(shop, fake, paydesk_url, http)


def refused_start(paydesk_url: str, **changed: str) -> str:
    """What the shop says when it does not start."""
    command = [sys.executable, "-m", "paydesk_sandbox", "shop", "--port", "0", "--paydesk", paydesk_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=environment(**changed))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr
