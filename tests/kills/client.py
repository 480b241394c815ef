"""A client: what it does with payments, keeping what it is told, and asking again where it is told nothing."""

import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx

from tests.kills.line import SOON_SECONDS, GivenUp, Line, Shop, code, unexpected
from tests.kills.promises import Asked, Promise
from tests.stage.shopper import DECLINED
from tests.vault.seal_card import seal_card

TWICE = 0.1
"""The share of confirms and of signed requests that come twice at the same moment."""
PAID = ("succeeded", "requires_capture")
WAIT = ("card_key_expired", "operation_in_progress")


class Client:
    """Runs in a thread of its own until `stop` is set, and then to the end of its payment."""

    def __init__(self, name: str, seed: int, shop: Shop, stop: threading.Event) -> None:
        self.promises: list[Promise] = []
        self.wrong: list[str] = []
        """Answers that should not be."""
        self.dice = random.Random(f"{seed}:{name}")
        self.line = Line(shop)
        self.counts = self.line.counts
        self._name = name
        self._shop = shop
        self._stop = stop
        self._clicks = ThreadPoolExecutor(4)  # A request beside another, and each of them twice.

    def run(self, live: Callable[["Client"], None]) -> None:
        while not self._stop.is_set():
            try:
                live(self)
                if self.dice.random() < 0.3:
                    self.repeat(self.dice.choice(self.promises))
            except Exception as why:
                self.wrong.append(f"{self._name}: {type(why).__name__} {why}")
        self._clicks.shutdown()

    def repeat(self, promise: Promise) -> None:
        """The same requests again give the same objects and answers."""
        for asked in promise.asked:
            if asked.answer and (again := self._answer(asked)):
                self.counts["repeats"] += 1
                if again.content != asked.answer or again.headers.get("idempotent-replayed") != "true":
                    raise GivenUp(f"{asked.key} was answered {asked.answer!r}, and now {again.content!r}")

    def open(self, capture_method: str) -> Promise:
        key = f"{self._name}-{len(self.promises)}"
        promise = Promise(key=key)
        self.promises.append(promise)
        wanted = {
            "amount": self.dice.randint(50, 99_999),
            "currency": self.dice.choice(["usd", "usd", "eur", "jpy"]),
            "capture_method": capture_method,
            "metadata": {"order": key},
        }
        self._ask(promise, key, "/v1/payment_intents", wanted)
        self.counts["opened"] += 1
        return promise

    def pay(self, promise: Promise, number: str) -> None:
        """Until the money is taken or held."""
        if self.dice.random() < TWICE and self._paid_by_two_clicks(promise, number):
            return
        card = DECLINED if self.dice.random() < 0.15 else number
        sealed = ""
        for _ in self.line.tries():
            sealed = sealed or self._seal(promise, card)
            answer = self.line.confirm(promise, sealed)
            if answer is None:
                continue  # The same payload again: it is told from another attempt.
            if self.line.takes(answer, 200, 202, 402, 409):
                if self._paid(promise, answer):
                    return
                sealed, card = "", number if code(answer) != "card_key_expired" else card
            elif code(answer) == "psp_unavailable":
                sealed = ""

    def capture(self, promise: Promise, amount: int | None, *refusals: str) -> int:
        """What was taken, which is what was to be; nothing where it was refused as it may be."""
        done = self._do(promise, "capture", {} if amount is None else {"amount_to_capture": amount}, *refusals)
        if done is None:
            return 0
        self.counts["captures"] += 1
        if (done["status"], done["amount_received"]) != ("succeeded", amount or done["amount"]):
            raise GivenUp(f"{done} is what a capture of {amount} brought")
        return done["amount_received"]

    def cancel(self, promise: Promise, *refusals: str) -> bool:
        """Whether it was let go."""
        done = self._do(promise, "cancel", {}, *refusals)
        if done is None:
            return False
        self.counts["cancels"] += 1
        if done["status"] != "canceled":
            raise GivenUp(f"{done} is what canceling brought")
        return True

    def capture_and_cancel(self, promise: Promise) -> None:
        """Both at the same moment: one of them is done."""
        capturing = self._clicks.submit(self.capture, promise, None, "invalid_state")
        canceled = self.cancel(promise, "invalid_state")
        if canceled == bool(capturing.result()):
            raise GivenUp(f"{promise.key} was captured and canceled, or neither")

    def refund(self, promise: Promise, amount: int | None, *refusals: str) -> int:
        """What goes back; nothing where it was refused as it may be."""
        key = f"{promise.key}-refund-{len(promise.asked)}"
        wanted: dict[str, Any] = {"payment_intent": promise.intent["id"], "metadata": {"order": key}}
        if amount is not None:
            wanted["amount"] = amount
        refund = self._ask(promise, key, "/v1/refunds", wanted, *refusals)
        if refund is None:
            return 0
        self.counts["refunds"] += 1
        if refund["amount"] != (amount or refund["amount"]):
            raise GivenUp(f"{refund} is what a refund of {amount} brought")
        return refund["amount"]

    def dispute(self, promise: Promise, verdict: str) -> None:
        """See it opened by the bank, let the bank decide, see it closed."""
        of_intent = f"/v1/disputes?payment_intent={promise.intent['id']}"
        (opened,) = self.line.read(of_intent, lambda listed: bool(listed["data"]))["data"]
        promise.tell(opened)
        (at_psp,) = self.line.psp.get("books", params={"reference": opened["attempt"]}).json()["disputes"]
        self.line.psp.post(f"disputes/{at_psp['id']}/close", json={"status": verdict}).raise_for_status()
        promise.tell(self.line.read(f"/v1/disputes/{opened['id']}", lambda dispute: dispute["status"] == verdict))
        self.counts["disputes"] += 1

    def _do(self, promise: Promise, what: str, wanted: dict[str, Any], *refusals: str) -> dict[str, Any] | None:
        path = f"/v1/payment_intents/{promise.intent['id']}/{what}"
        return self._ask(promise, f"{promise.key}-{what}", path, wanted, *refusals)

    def _ask(
        self, promise: Promise, key: str, path: str, wanted: dict[str, Any], *refusals: str
    ) -> dict[str, Any] | None:
        """The object that it is answered with; None where it is refused as it may be."""
        asked = Asked(path=path, key=key, body=json.dumps(wanted).encode())
        promise.asked.append(asked)
        beside = self._clicks.submit(self.line.ask, asked) if self.dice.random() < TWICE else None
        answer = self._answer(asked, *refusals)
        if beside:
            self.counts["double clicks"] += 1
            beside.result()
        if answer is None:
            return None
        asked.answer = answer.content
        return promise.tell(answer.json())

    def _answer(self, asked: Asked, *refusals: str) -> httpx.Response | None:
        """With 200, as soon as its outcome is known; None where it is refused as it may be."""
        for _ in self.line.tries():
            answer = self.line.ask(asked)
            if answer is None or not self.line.takes(answer, 200, 202, 400, 409):
                continue
            if answer.status_code == 200:
                return answer
            if code(answer) in refusals:
                return None
            if answer.status_code != 202 and code(answer) not in WAIT:
                raise unexpected(answer)
            self.counts["unknown or running"] += 1
            time.sleep(SOON_SECONDS)
        return None

    def _paid(self, promise: Promise, answer: httpx.Response) -> bool:
        """What an answer to a confirm says, waited for where it says nothing yet."""
        if answer.status_code == 402:
            promise.declines += 1
            self.counts["declined"] += 1
            return False
        if answer.status_code == 409 and code(answer) not in WAIT:
            raise unexpected(answer)
        if answer.status_code == 200 and answer.json()["status"] in PAID:
            promise.tell(answer.json())
            self.counts["paid"] += 1
            return True
        if code(answer) == "card_key_expired":
            return False
        self.counts["unknown or running"] += 1
        return self._settled(promise)

    def _paid_by_two_clicks(self, promise: Promise, number: str) -> bool:
        """Two payloads at the same moment: two attempts, of which one must be refused or find the other's result."""
        sealed = [self._seal(promise, number) for _ in range(2)]
        self.counts["double clicks"] += 1
        for click in [self._clicks.submit(self.line.confirm, promise, one) for one in sealed]:
            click.result()
        return self._settled(promise)

    def _settled(self, promise: Promise) -> bool:
        """Wait until no attempt is under way. Whoever reads that it is paid was told so, too."""
        path = f"/v1/payment_intents/{promise.intent['id']}/status"
        seen = self.line.see(path, promise, lambda intent: intent["status"] != "processing")
        if seen["status"] not in PAID:
            return False
        promise.tell(seen)
        self.counts["paid"] += 1
        return True

    def _seal(self, promise: Promise, number: str) -> str:
        session = self.line.see(f"/checkout/{promise.intent['id']}/session", promise)
        jwk = self.line.see("/checkout/keys", promise)["keys"][0]
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
            "jti": f"{self.dice.getrandbits(128):032x}",
        }
        return seal_card(jwk, card)
