"""What clients were told, and whether it is still so."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import Struct


class Promise(Struct, kw_only=True):
    """One payment, as the client that made it was answered."""

    key: str
    """The idempotency key, which is also the order's number in the metadata."""
    body: bytes
    """As it was sent."""
    answer: bytes = b""
    """What creating it was answered; empty until it was."""
    paid: bool = False
    declines: int = 0
    """How many attempts were answered as declined."""

    @property
    def intent(self) -> dict[str, Any]:
        return json.loads(self.answer)


def broken_promises(database: Path, promises: Sequence[Promise]) -> list[str]:
    """Everything that was acknowledged and is not so, or is there twice, in a stopped database."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        intents = {
            intent: (amount, currency, status, json.loads(metadata).get("order"))
            for intent, amount, currency, status, metadata in connection.execute(
                "SELECT id, amount_minor, currency, status, metadata FROM payment_intents"
            )
        }
        declined = Counter(
            intent for (intent,) in connection.execute("SELECT intent FROM attempts WHERE status = 'declined'")
        )
    opened = Counter(order for *_, order in intents.values())
    broken = [f"the order {order} was opened {times} times" for order, times in opened.items() if times > 1]
    for promise in promises:
        if promise.answer:
            broken += _broken(promise, intents.get(promise.intent["id"]), declined[promise.intent["id"]])
    return broken


def _broken(promise: Promise, found: tuple[Any, ...] | None, declined: int) -> Iterator[str]:
    intent = promise.intent
    if found is None:
        yield f"{intent['id']} was acknowledged and is not there"
        return
    amount, currency, status, order = found
    if (amount, currency, order) != (intent["amount"], intent["currency"], promise.key):
        yield f"{intent['id']} was acknowledged as {promise.answer!r} and is {found}"
    if promise.paid and status != "succeeded":
        yield f"{intent['id']} was acknowledged as paid and is {status}"
    if declined < promise.declines:
        yield f"{intent['id']}: {promise.declines} declines were acknowledged, and {declined} are there"
