"""A small run in which all is well, for tests that then damage it."""

import json
import shutil
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from tests.kills.promises import Asked, Promise
from tests.kills.tables import owed
from tests.stage.shopper import DECLINED, VISA
from tests.stage.stage import Merchant, Stage


class Played(Struct, frozen=True, kw_only=True):
    """A stopped database, the PSP's books, the events received, and what was promised."""

    database: Path
    books: Mapping[str, Any]
    received: list[dict[str, Any]]
    promises: list[Promise]


class Player:
    """A merchant and its shoppers, who keep what they are told."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.tea: Merchant = stage.merchant(fee="1.5%+25", notices=True)
        self.promises: list[Promise] = []

    def pay(self, order: str, *cards: str, capture_method: str = "automatic") -> Promise:
        intents = self.tea.client.payment_intents
        wanted = {"capture_method": capture_method, "metadata": {"order": order}}
        answer = intents.create(amount=4200, currency="usd", idempotency_key=order, **wanted)
        promise = Promise(key=order)
        self.promises.append(promise)
        self.keep(promise, order, answer)
        shopper = self.tea.shopper(answer)
        paid = [shopper.pay(card) for card in (*cards, VISA)][-1]
        assert paid.status_code == 200
        promise.tell(paid.json())
        promise.declines = cards.count(DECLINED)
        return promise

    def keep(self, promise: Promise, key: str, answer: dict[str, Any]) -> dict[str, Any]:
        said = json.dumps(answer, separators=(",", ":")).encode()
        promise.asked.append(Asked(path="", key=key, body=b"", answer=said))
        return promise.tell(answer)

    def capture(self, promise: Promise, amount: int) -> None:
        capture = self.tea.client.payment_intents.capture
        key = f"{promise.key}-captured"
        self.keep(promise, key, capture(promise.intent["id"], amount_to_capture=amount, idempotency_key=key))

    def cancel(self, promise: Promise) -> None:
        key = f"{promise.key}-canceled"
        cancel = self.tea.client.payment_intents.cancel
        self.keep(promise, key, cancel(promise.intent["id"], idempotency_key=key))

    def refund(self, promise: Promise, amount: int) -> dict[str, Any]:
        key = f"{promise.key}-refunded-{amount}"
        refund = self.tea.client.refunds.create
        return self.keep(promise, key, refund(promise.intent["id"], amount=amount, idempotency_key=key))

    def send_back(self, refund: dict[str, Any]) -> None:
        (at_psp,) = self._books(refund["id"])["refunds"]
        self._bank(f"refunds/{at_psp['id']}/fail", {})
        self.tea.receiver.wait_for("refund.failed", refund["id"])

    def dispute(self, promise: Promise, amount: int, verdict: str) -> None:
        latest = self.tea.client.payment_intents.retrieve(promise.intent["id"])["latest_attempt"]
        (charge,) = self._books(latest)["charges"]
        self._bank(f"charges/{charge['id']}/dispute", {"amount": amount})
        opened = self.tea.receiver.wait_for("charge.dispute.created").event["data"]["object"]
        self._bank(f"disputes/{self._books(latest)['disputes'][0]['id']}/close", {"status": verdict})
        promise.tell(self.tea.receiver.wait_for("charge.dispute.closed", opened["id"]).event["data"]["object"])

    def _bank(self, path: str, wanted: dict[str, Any]) -> None:
        httpx.post(f"{self.stage.psp}/{path}", json=wanted).raise_for_status()

    def _books(self, reference: str) -> dict[str, Any]:
        return httpx.get(f"{self.stage.psp}/books", params={"reference": reference}).json()


def play(stage: Stage) -> Played:
    player = Player(stage)
    captured = player.pay("held-then-captured", capture_method="manual")
    player.capture(captured, 3000)
    player.refund(captured, 1000)
    player.cancel(player.pay("held-then-canceled", capture_method="manual"))
    player.send_back(player.refund(player.pay("refunded-in-vain"), 500))
    player.dispute(player.pay("disputed"), 700, "lost")
    for promise in (player.pay("declined-first", DECLINED), player.pay("paid-at-once")):
        player.tea.receiver.wait_for("payment_intent.succeeded", promise.intent["id"])
    settle(stage.data / "paydesk.db")
    return Played(
        database=stage.data / "paydesk.db",
        books=httpx.get(f"{stage.psp}/books").json(),
        received=[one.event for one in player.tea.receiver.received],
        promises=player.promises,
    )


def settle(database: Path) -> None:
    until = time.monotonic() + 20
    while owed(database):
        assert time.monotonic() < until, "a duty is never done"
        time.sleep(0.01)


def damaged(played: Played, folder: Path, *statements: str) -> Path:
    """A copy of the data, with what the database's triggers would refuse."""
    data = played.database.parent
    shutil.copytree(data, folder / "data")
    shutil.copy(data.with_suffix(".key"), folder)
    database = folder / "data" / played.database.name
    with closing(sqlite3.connect(database)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
        for _, trigger in triggers:
            connection.execute(trigger)
        connection.commit()
    return database
