"""A stopped, settled database against the PSP's books and the events received: every violation, as a sentence.

`audit` is all that others need. It holds for any run in which nothing is left open at the end; the invariants are
numbered in the project's list of what must always hold, and each check below is one of them.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.kills.audit_back import audit_back
from tests.kills.audit_books import audit_books
from tests.kills.audit_events import audit_events
from tests.kills.audit_log import audit_log
from tests.kills.tables import WAITING, Record, Tables, read_tables

SETTLED = {
    "attempts": ("captured", "declined", "not_sent", "canceled"),
    "errands": ("done", "refused", "not_sent"),
    "refunds": ("succeeded", "failed", "not_made"),
    "disputes": ("won", "lost"),
    "notices": ("applied", "ignored"),
}
"""What everything has become in the end."""

Books = Mapping[str, Any]
"""What the PSP shows at `/books`."""


def audit(database: Path, books: Books, received: Sequence[Record] | None) -> list[str]:
    """Everything that should not be, as sentences; an empty list is what a run wants.

    `received` are the events that one endpoint per account took, in the order in which it took them (None where nobody
    listened: then deliveries are not looked at).
    """
    with sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True) as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchone()[0]
        tables = read_tables(connection)
    connection.close()
    violations = [] if whole == "ok" else [f"the file is damaged: {whole}"]
    for verdict in ("charged_twice", "refunded_twice", "refunded_beyond_captured"):
        violations += [f"the PSP says that {reference} was {verdict}" for reference in books[verdict]]
    violations += _left_open(tables)
    violations += _attempts(tables)
    violations += _charged(tables, books["charges"])
    violations += audit_back(tables, books)
    violations += audit_books(tables, books)
    violations += audit_events(tables, received)
    violations += audit_log(tables)
    return violations


def _left_open(tables: Tables) -> Iterator[str]:
    """Nothing waits for anything."""
    for name, settled in SETTLED.items():
        for row in tables[name]:
            if row["status"] not in settled:
                yield f"{row['id']} is still {row['status']}"
    for intent in tables["payment_intents"]:
        if intent["status"] == "processing" or intent["outcome_unknown"] or intent["next_check_ms"]:
            yield f"{intent['id']} is still {intent['status']}, its outcome open"
        if intent["errand"] or intent["refunding_minor"] or intent["capturable_minor"]:
            yield f"{intent['id']} is still to be captured, canceled or refunded"
    for duty in tables["duties"]:
        if duty["kind"] not in WAITING:
            yield f"the duty {duty['id']} is still owed"
    for dead in tables["dead_duties"]:
        yield f"the duty {dead['id']} was parked: {dead['reason']}"
    for kept in tables["idempotency_keys"]:
        if not kept["status"]:
            yield f"the idempotency key {kept['idempotency_key']} is still running"


def _attempts(tables: Tables) -> Iterator[str]:
    """An intent is paid by exactly one attempt, over no more than it may be, and counts those that reached the PSP."""
    by_intent: dict[str, list[Record]] = defaultdict(list)
    for attempt in tables["attempts"]:
        by_intent[attempt["intent"]].append(attempt)
    intents = {intent["id"]: intent for intent in tables["payment_intents"]}
    for orphan in by_intent.keys() - intents.keys():
        yield f"{orphan} has attempts and is not there"
    for intent in intents.values():
        mine = by_intent[intent["id"]]
        paid = [attempt["id"] for attempt in mine if attempt["status"] == "captured"]
        taken = sum(attempt["captured_minor"] for attempt in mine)
        if len(paid) != (intent["status"] == "succeeded") or intent["received_minor"] != taken:
            yield f"{intent['id']} is {intent['status']}, received {intent['received_minor']}, paid by {paid}: {taken}"
        whole = intent["capture_method"] == "automatic"
        if paid and not (intent["amount_minor"] if whole else 1) <= taken <= intent["amount_minor"]:
            yield f"{intent['id']} is over {intent['amount_minor']}, and {taken} was captured"
        if paid and intent["latest_attempt"] != paid[0]:
            yield f"{intent['id']} was paid by {paid[0]}, and {intent['latest_attempt']} followed"
        counted = sum(attempt["status"] != "not_sent" for attempt in mine)
        if intent["attempts"] != counted:
            yield f"{intent['id']} counts {intent['attempts']} attempts, and {counted} reached the PSP"


def _charged(tables: Tables, charges: Sequence[Record]) -> Iterator[str]:
    """At most one capture per attempt and per intent, each known here as what it is, and none only here."""
    attempts = {attempt["id"]: attempt for attempt in tables["attempts"]}
    captured: dict[str, list[str]] = defaultdict(list)
    for charge in charges:
        attempt = attempts.get(charge["reference"])
        if attempt is None:
            yield f"the PSP has {charge['id']} of {charge['reference']}, which nobody here knows"
            continue
        if _said(charge) != _kept(attempt):
            yield f"the PSP says {_said(charge)} of {attempt['id']}, and here stands {_kept(attempt)}"
        if charge["status"] == "captured":
            captured[attempt["intent"]].append(charge["id"])
    for intent, ids in captured.items():
        if len(ids) > 1:
            yield f"{intent} was charged {len(ids)} times: {ids}"
    known = {charge["id"] for charge in charges}
    for attempt in attempts.values():
        if attempt["psp_reference"] and attempt["psp_reference"] not in known:
            yield f"{attempt['id']} names {attempt['psp_reference']}, which the PSP does not have"


def _said(charge: Record) -> tuple[Any, ...]:
    status = "canceled" if charge["status"] == "released" else charge["status"]
    named = ("id", "amount", "currency", "decline_code", "amount_captured")
    return (status, *(charge[name] for name in named))


def _kept(attempt: Record) -> tuple[Any, ...]:
    named = ("status", "psp_reference", "amount_minor", "currency", "decline_code", "captured_minor")
    return tuple(attempt[name] for name in named)
