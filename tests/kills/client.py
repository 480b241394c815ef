"""A client that creates and pays, keeps what it was told, and asks again where it was told nothing."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx
from msgspec import Struct

from paydesk_client import PaydeskAuth
from tests.kills.promises import Promise
from tests.stage.shopper import DECLINED, VISA
from tests.vault.seal_card import seal_card

CARDS = (VISA, "5555555555554444", "378282246310005", "6011111111111117")
SECONDS = 90.0  # For one payment, restarts and unknown outcomes included.
AGAIN_SECONDS = 0.1
PASSING = ("storage_unavailable", "overloaded", "psp_unavailable")
"""What a 503 may say; each promises that no PSP acted."""


class Shop(Struct, frozen=True, kw_only=True):
    """Whose client it is."""

    paydesk: str
    origin: str
    key_id: str
    secret: str


class GivenUp(Exception):
    """Something was answered that should not be, or nothing for too long."""


class Client:
    """Runs in a thread of its own until `stop` is set, and then to the end of its payment."""

    def __init__(self, name: str, seed: int, shop: Shop, stop: threading.Event) -> None:
        self.promises: list[Promise] = []
        self.wrong: list[str] = []
        """Answers that should not be."""
        self.counts: Counter[str] = Counter()
        self._name = name
        self._dice = random.Random(f"{seed}:{name}")
        self._shop = shop
        self._stop = stop
        auth = PaydeskAuth(shop.key_id, shop.secret)
        self._merchant = httpx.Client(base_url=shop.paydesk, auth=auth, timeout=30, trust_env=False)
        self._browser = httpx.Client(base_url=shop.paydesk, timeout=30, trust_env=False)
        self._clicks = ThreadPoolExecutor(2)
        self._until = 0.0

    def run(self) -> None:
        while not self._stop.is_set():
            self._until = time.monotonic() + SECONDS
            try:
                self._one()
            except Exception as why:
                self.wrong.append(f"{self._name}: {type(why).__name__} {why}")
        self._clicks.shutdown()

    def give_up(self) -> None:
        """Wait for nothing more; the run is over."""
        self._until = 0.0

    def close(self) -> None:
        self._merchant.close()
        self._browser.close()

    def repeat(self, promise: Promise) -> None:
        """The same request again gives the same object, and a paid one stays paid."""
        self._until = time.monotonic() + SECONDS
        again = self._create(promise)
        self.counts["repeats"] += 1
        if again.content != promise.answer or again.headers.get("idempotent-replayed") != "true":
            raise GivenUp(f"{promise.key} was answered {promise.answer!r}, and now {again.content!r}")
        if promise.paid and self._status(promise)["status"] != "succeeded":
            raise GivenUp(f"{promise.intent['id']} was paid and no longer is")

    def _one(self) -> None:
        promise = self._promise()
        self.promises.append(promise)
        promise.answer = self._create(promise).content
        self.counts["opened"] += 1
        self._pay(promise)
        if self._dice.random() < 0.3:
            self.repeat(self._dice.choice([one for one in self.promises if one.answer]))

    def _promise(self) -> Promise:
        key = f"{self._name}-{len(self.promises)}"
        wanted = {
            "amount": self._dice.randint(50, 99_999),
            "currency": self._dice.choice(["usd", "usd", "eur", "jpy"]),
            "metadata": {"order": key},
        }
        return Promise(key=key, body=json.dumps(wanted).encode())

    def _create(self, promise: Promise) -> httpx.Response:
        """Until it is answered; each time with a nonce of its own."""
        headers = {"idempotency-key": promise.key, "content-type": "application/json"}
        while True:
            answer = self._send(
                lambda: self._merchant.post("/v1/payment_intents", content=promise.body, headers=headers)
            )
            if answer and self._is(answer, 200):
                return answer

    def _pay(self, promise: Promise) -> None:
        number = DECLINED if self._dice.random() < 0.15 else self._dice.choice(CARDS)
        if self._dice.random() < 0.1:
            self._click_twice(promise, number)
        sealed = ""
        while not promise.paid:
            sealed = sealed or self._seal(promise, number)
            answer = self._send(lambda sealed=sealed: self._confirm(promise, sealed))
            if answer is None:
                continue  # The same payload again: it is told from another attempt.
            if self._is(answer, 200, 202, 402, 409):
                number = self._heard(promise, answer, number)
                sealed = ""
            elif _code(answer) == "psp_unavailable":
                sealed = ""

    def _heard(self, promise: Promise, answer: httpx.Response, number: str) -> str:
        """What an answer to a confirm says; gives the card to go on with."""
        told = answer.json()
        if answer.status_code == 402:
            promise.declines += 1
            self.counts["declined"] += 1
            return VISA
        if answer.status_code == 409 and _code(answer) not in ("card_key_expired", "operation_in_progress"):
            raise GivenUp(f"{answer.status_code} {answer.text}")
        if told.get("status") == "succeeded":
            promise.paid = True
            self.counts["paid"] += 1
        elif _code(answer) != "card_key_expired":
            self.counts["unknown or running"] += 1
            self._settled(promise)
            return VISA
        return number

    def _click_twice(self, promise: Promise, number: str) -> None:
        """Two payloads at the same moment: two attempts, of which one must be refused or find the other's result."""
        sealed = [self._seal(promise, number) for _ in range(2)]
        self.counts["double clicks"] += 1
        for click in [self._clicks.submit(self._send, lambda one=one: self._confirm(promise, one)) for one in sealed]:
            click.result()
        self._settled(promise)

    def _settled(self, promise: Promise) -> None:
        """Wait until no attempt is under way. Whoever reads that it is paid was told so, too."""
        while (status := self._status(promise))["status"] == "processing":
            time.sleep(0.05)
        if status["status"] == "succeeded":
            promise.paid = True
            self.counts["paid"] += 1

    def _confirm(self, promise: Promise, sealed: str) -> httpx.Response:
        url = f"/checkout/{promise.intent['id']}/confirm"
        return self._browser.post(url, json={"card": sealed}, headers=self._bearer(promise))

    def _status(self, promise: Promise) -> dict[str, Any]:
        return self._read(f"/v1/payment_intents/{promise.intent['id']}/status", promise)

    def _seal(self, promise: Promise, number: str) -> str:
        session = self._read(f"/checkout/{promise.intent['id']}/session", promise)
        jwk = self._read("/checkout/keys", promise)["keys"][0]
        now = datetime.fromisoformat(session["server_time"])
        card = {
            "v": 1,
            "number": number,
            "exp_month": 12,
            "exp_year": now.year + 3,
            "cvc": "1234" if number.startswith("3") else "123",
            "intent": promise.intent["id"],
            "origin": self._shop.origin,
            "iat": int(now.timestamp()),
            "jti": f"{self._dice.getrandbits(128):032x}",
        }
        return seal_card(jwk, card)

    def _read(self, path: str, promise: Promise) -> Any:
        while True:
            answer = self._send(lambda: self._browser.get(path, headers=self._bearer(promise)))
            if answer and self._is(answer, 200):
                return answer.json()

    def _bearer(self, promise: Promise) -> dict[str, str]:
        return {"authorization": f"Bearer {promise.intent['client_secret']}"}

    def _send(self, request: Callable[[], httpx.Response]) -> httpx.Response | None:
        """The answer; None where none came, which says nothing about what was done."""
        if time.monotonic() > self._until:
            raise GivenUp(f"nothing was answered for {SECONDS} s")
        try:
            return request()
        except httpx.TransportError:
            self.counts["no answer"] += 1
            time.sleep(AGAIN_SECONDS)
            return None

    def _is(self, answer: httpx.Response, *statuses: int) -> bool:
        """Whether it is one of these; a 503 that promises to have done nothing is asked again."""
        if answer.status_code in statuses:
            return True
        if answer.status_code == 503 and _code(answer) in PASSING:
            self.counts[_code(answer)] += 1
            time.sleep(AGAIN_SECONDS)
            return False
        raise GivenUp(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")


def _code(answer: httpx.Response) -> str:
    return answer.json().get("error", {}).get("code", "")
