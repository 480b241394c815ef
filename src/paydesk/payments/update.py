"""Changing an intent: what it asks for while it is open and nothing runs, what it says about itself at any time."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from paydesk.errors import Refusal
from paydesk.payments.errand import check_free
from paydesk.payments.rows import Intent, PaymentMethod
from paydesk.payments.shapes import render
from paydesk.payments.states import Move, Status, move
from paydesk.payments.tell import change
from paydesk.requests.once import Reply
from paydesk.store import Command, Key, Work

OPEN = (Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_CONFIRMATION)
ANY_TIME = ("description", "metadata")

METADATA_KEYS_MAX = 50
METADATA_BYTES_MAX = 8 * 1024
"""Of the whole as UTF-8 JSON without spaces."""


class Update(Command[Reply], frozen=True):
    """New values of an intent; UNSET leaves one as it is. Every value was checked at the door."""

    account: str
    intent: str
    cause: str
    amount_minor: int | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    capture_method: str | UnsetType = UNSET
    setup_future_usage: str | UnsetType | None = UNSET
    statement_descriptor: str | UnsetType | None = UNSET
    return_url: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    payment_method: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    """Merged into what is there; an empty value takes a name away, as at Stripe."""

    def keys(self) -> Iterable[Key]:
        yield Intent, (self.account, self.intent)

    def decide(self, work: Work) -> Reply:
        intent = work.get(Intent, self.account, self.intent)
        given = {name: value for name in FIELDS if (value := getattr(self, name)) is not UNSET}
        new = {name: value for name, value in given.items() if getattr(intent, name) != value}
        if isinstance(self.metadata, dict):
            new["metadata"] = _merged(intent.metadata, self.metadata)
        if not set(new) <= set(ANY_TIME):
            if intent.status not in OPEN:
                message = f"This payment is {intent.status}: only {' and '.join(ANY_TIME)} can change."
                raise Refusal("invalid_state", message)
            check_free(intent)
        if isinstance(self.payment_method, str):
            new |= _attached(work, intent, self.payment_method)
        changed = change(work, intent, "updated", self.cause, facts=_facts(intent, new), **new) if new else intent
        return Reply(body=render(changed), object_id=intent.id, reveals=intent.id)


FIELDS = (
    "amount_minor", "currency", "capture_method", "setup_future_usage", "statement_descriptor", "return_url",
    "description",
)  # fmt: skip


def _attached(work: Work, intent: Intent, method: str) -> dict[str, Any]:
    if work.find(PaymentMethod, intent.account, method) is None:
        raise Refusal("resource_missing", "No such payment_method.", param="payment_method")
    return {"payment_method": method, "status": move(intent.status, Move.ATTACH).value}


def _merged(before: str, given: dict[str, str]) -> str:
    merged = msgspec.json.decode(before, type=dict[str, str]) | given
    kept = {name: value for name, value in merged.items() if value}
    _check_size(kept)
    return msgspec.json.encode(kept).decode() if kept else "{}"


def _check_size(metadata: dict[str, str]) -> None:
    """What each change keeps within the limits, many of them together must too."""
    if len(metadata) > METADATA_KEYS_MAX or len(msgspec.json.encode(metadata)) > METADATA_BYTES_MAX:
        raise Refusal("metadata_invalid", param="metadata")


def _facts(before: Intent, new: dict[str, Any]) -> dict[str, Any]:
    """What it was and what it is; texts by name alone."""
    shown = ("amount_minor", "currency", "capture_method", "payment_method")
    facts: dict[str, Any] = {name: [getattr(before, name), new[name]] for name in shown if name in new}
    rest = sorted(name for name in new if name not in (*shown, "status"))
    return facts | ({"also": rest} if rest else {})
