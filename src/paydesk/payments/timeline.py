"""The timeline of an intent: every change with its time and cause, oldest first. Nothing is ever overwritten."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from paydesk.desk import Reader
from paydesk.payments.rows import Intent, TimelineEntry
from paydesk.payments.states import Status
from paydesk.store import table_of
from paydesk.times import rfc3339

_COLUMNS = ", ".join(f'"{column}"' for column in table_of(TimelineEntry).columns)
# Every change of an intent, oldest first.
OF_INTENT = f'SELECT {_COLUMNS} FROM "timeline" WHERE "account" = ? AND "intent" = ? ORDER BY "entry"'  # noqa: S608


class Change(Struct, frozen=True, kw_only=True):
    """One change of a payment intent."""

    at: str
    what: str
    """What happened, in a word: `created`, `confirmed`, `challenged`, `captured`, `declined`, `canceled` …"""
    cause: str
    """Whose doing it was: `key:…`, `shopper`, `psp`, `clock` or `operator`."""
    status: Status
    """The intent's, after it."""
    version: int
    """The intent's, after it."""
    about: str | None
    """The attempt, errand, refund, dispute or late payment that it was about."""
    facts: dict[str, Any] | Raw
    """What is worth knowing, such as an amount or a decline code."""


class Timeline(Struct, frozen=True, kw_only=True):
    """All changes of a payment intent, oldest first."""

    object: str = "timeline"
    payment_intent: str
    data: list[Change]


async def read_timeline(reader: Reader, intent: Intent) -> list[Change]:
    """Its changes as a merchant sees them."""
    entries = await reader.query(TimelineEntry, OF_INTENT, (intent.account, intent.id))
    return [
        Change(
            at=rfc3339(entry.at_ms),
            what=entry.what,
            cause=entry.cause,
            status=Status(entry.status),
            version=int(entry.entry),
            about=entry.about or None,
            facts=msgspec.Raw(entry.facts.encode()),
        )
        for entry in entries
    ]
