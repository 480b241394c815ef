"""What clients were told, and whether it is still so."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from tests.kills.tables import Record, read_tables

STAYS = {
    "succeeded": ("succeeded",),
    "canceled": ("canceled",),
    "failed": ("failed", "not_made"),
    "won": ("won",),
    "lost": ("lost",),
}
"""What may be found where a client was shown this status."""
SENT_BACK = ("succeeded", "failed")
"""A bank may send a refund back that had succeeded. Whether it did, the PSP's books say."""
LOOKED_AT = ("id", "object", "version", "amount", "currency", "status", "metadata", "amount_received")


class Asked(Struct, kw_only=True):
    """One signed request that changes something, with the idempotency key that each repeat of it has."""

    path: str
    key: str
    body: bytes
    answer: bytes = b""
    """What it was answered with 200; empty until it was, and where it was refused."""


class Promise(Struct, kw_only=True):
    """One payment, as the client that made it was answered."""

    key: str
    """Of its creation, which is also the order's number in the metadata."""
    asked: list[Asked] = field(default_factory=list[Asked])
    """Its creation, then what followed."""
    told: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What was shown of it, intent, refunds and disputes, as far as it is looked at afterwards."""
    declines: int = 0
    """How many attempts were answered as declined."""

    @property
    def intent(self) -> dict[str, Any]:
        return json.loads(self.asked[0].answer)

    def tell(self, shown: dict[str, Any]) -> dict[str, Any]:
        """Keep that this was shown."""
        self.told.append({name: shown[name] for name in LOOKED_AT if name in shown})
        return shown


def broken_promises(database: Path, promises: Sequence[Promise]) -> list[str]:
    """Everything that was acknowledged and is not so, or is there twice, in a stopped database."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = read_tables(connection)
    rows = {row["id"]: row for name in ("payment_intents", "refunds", "disputes") for row in tables[name]}
    kept = {row["idempotency_key"]: row for row in tables["idempotency_keys"]}
    declined = Counter(row["intent"] for row in tables["attempts"] if row["status"] == "declined")
    begun = Counter(_order(row) for row in rows.values())
    broken = [f"the order {order} was begun {times} times" for order, times in begun.items() if order and times > 1]
    for promise in promises:
        for told in promise.told:
            broken += _changed(told, rows)
        for asked in promise.asked:
            broken += _not_kept(asked, kept.get(asked.key))
        found = declined[promise.intent["id"]] if promise.told else 0
        if found < promise.declines:
            broken.append(f"{promise.key}: {promise.declines} declines were acknowledged, and {found} are there")
    return broken


def _order(row: Record) -> str | None:
    return json.loads(row.get("metadata", "{}")).get("order")


def _changed(told: dict[str, Any], rows: dict[str, Record]) -> Iterator[str]:
    """An object that was shown is there, not older, and what can't change did not."""
    row = rows.get(told["id"])
    if row is None:
        yield f"{told['id']} was acknowledged and is not there"
        return
    if row["version"] < told["version"]:
        yield f"{told['id']} was shown in version {told['version']} and is in {row['version']}"
    if (row["amount_minor"], row["currency"]) != (told["amount"], told["currency"]):
        yield f"{told['id']} was acknowledged over {told['amount']} and is over {row['amount_minor']}"
    if "metadata" in told and json.loads(row["metadata"]) != told["metadata"]:
        yield f"{told['id']} was acknowledged with {told['metadata']} and has {row['metadata']}"
    stays = SENT_BACK if (told["object"], told["status"]) == ("refund", "succeeded") else STAYS.get(told["status"])
    if stays and row["status"] not in stays:
        yield f"{told['id']} was acknowledged as {told['status']} and is {row['status']}"
    received = told.get("amount_received")
    if received and row["received_minor"] != received:
        yield f"{told['id']} was acknowledged with {received} received and has {row['received_minor']}"


def _not_kept(asked: Asked, kept: Record | None) -> Iterator[str]:
    """What a repeat would be answered with. A client secret is in the answer to a creation, and never stored."""
    if asked.answer and (kept is None or (not kept["reveals"] and kept["body"] != asked.answer)):
        yield f"{asked.key} was answered {asked.answer!r}, and kept is {kept and kept['body']!r}"
