"""The journal against the PSP: each move of money has one transaction; balances are the sums of their postings."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.kills.tables import Record, Tables

BACK = {
    ("refunds", "succeeded"): [["refund_begun", "refund"]],
    ("refunds", "failed"): [["refund_begun", "refund_failed"], ["refund_begun", "refund", "refund_reversed"]],
    ("refunds", "not_made"): [["refund_begun", "refund_failed"]],
    ("disputes", "won"): [["dispute_opened", "dispute_won"]],
    ("disputes", "lost"): [["dispute_opened", "dispute_lost"]],
}
"""The transactions of what ended so; of a failed refund it depends on whether it was heard to have succeeded before."""


def audit_books(tables: Tables, books: Mapping[str, Any]) -> Iterator[str]:
    """Every violation in the books."""
    yield from _captures(tables, books)
    yield from _back(tables)
    yield from _postings(tables)
    yield from _balances(tables)
    yield from _held_by_psp(tables, books)


def _captures(tables: Tables, books: Mapping[str, Any]) -> Iterator[str]:
    captured = {charge["id"] for charge in books["charges"] if charge["status"] == "captured"}
    captures = [row for row in tables["ledger_transactions"] if row["kind"] == "capture"]
    posted = Counter(row["reference"] for row in captures)
    for charge in captured:
        if posted[charge] != 1:
            yield f"{charge} was captured and has {posted[charge]} ledger transactions"
    paid = {attempt["psp_reference"]: attempt["intent"] for attempt in tables["attempts"]}
    for row in captures:
        if row["reference"] not in captured:
            yield f"{row['id']} is of {row['reference']}, which the PSP did not capture"
        elif paid.get(row["reference"]) != row["subject"]:
            yield f"{row['id']} is of {row['subject']}, and {row['reference']} paid another intent"


def _back(tables: Tables) -> Iterator[str]:
    """Refunds and disputes are booked as they went, under our name for them or the PSP's, and nothing else is."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for row in tables["ledger_transactions"]:
        if row["kind"].startswith(("refund", "dispute")):
            kinds[row["reference"]].append(row["kind"])
    for table in ("refunds", "disputes"):
        for about in tables[table]:
            booked = kinds.pop(about["id"], []) + kinds.pop(about["psp_reference"] or "", [])
            if sorted(booked) not in [sorted(way) for way in BACK.get((table, about["status"]), [])]:
                yield f"{about['id']} is {about['status']}, and booked is {booked}"
    for reference, booked in kinds.items():
        yield f"{booked} is booked of {reference}, which nobody here knows"


def _postings(tables: Tables) -> Iterator[str]:
    lines: dict[str, list[Record]] = defaultdict(list)
    for posting in tables["ledger_postings"]:
        lines[posting["transaction_id"]].append(posting)
    amounts = _amounts(tables)
    transactions = {row["id"]: row for row in tables["ledger_transactions"]}
    for transaction in lines.keys() - transactions.keys():
        yield f"there are postings of {transaction}, and no such transaction"
    for row in transactions.values():
        sums: Counter[str] = Counter()
        for posting in lines[row["id"]]:
            sums[posting["currency"]] += posting["amount_minor"]
        if len(lines[row["id"]]) < 2 or any(sums.values()):
            yield f"the {len(lines[row['id']])} postings of {row['id']} sum to {dict(sums)}"
        moved = {abs(line["amount_minor"]) for line in lines[row["id"]]}
        if row["kind"] != "maturity" and amounts.get(row["reference"]) not in moved:
            yield f"{row['id']} moves {moved}, and {row['reference']} is over {amounts.get(row['reference'])}"


def _amounts(tables: Tables) -> dict[str, int]:
    """What a transaction of each reference moves, fees beside it."""
    amounts = {attempt["psp_reference"]: attempt["captured_minor"] for attempt in tables["attempts"]}
    for about in (*tables["refunds"], *tables["disputes"]):
        amounts |= {about["id"]: about["amount_minor"], about["psp_reference"]: about["amount_minor"]}
    return amounts


def _balances(tables: Tables) -> Iterator[str]:
    sums: Counter[tuple[str, str]] = Counter()
    for posting in tables["ledger_postings"]:
        sums[posting["account"], posting["ledger_account"]] += posting["amount_minor"]
    stored = {(row["account"], row["ledger_account"]): row["amount_minor"] for row in tables["ledger_balances"]}
    for key in sums.keys() | stored.keys():
        if stored.get(key) != sums.get(key):
            yield f"the balance of {key[1]} is {stored.get(key)}, and its postings sum to {sums.get(key)}"


def _held_by_psp(tables: Tables, books: Mapping[str, Any]) -> Iterator[str]:
    """What the PSP is to pay out, by its own books and by ours; and nothing is reserved any more."""
    held: Counter[str] = Counter()
    for charge in books["charges"]:
        held[charge["currency"]] += charge["amount_captured"] - charge["amount_refunded"]
    for dispute in books["disputes"]:
        held[dispute["currency"]] -= dispute["amount"] * (dispute["status"] == "lost")
    for row in tables["ledger_balances"]:
        _, purpose, *_, currency = row["ledger_account"].split("/")
        if purpose == "psp_clearing":
            held[currency] -= row["amount_minor"]
        elif purpose in ("refunds", "disputes") and row["amount_minor"]:
            yield f"{row['ledger_account']} still holds {row['amount_minor']}"
    for currency, off in held.items():
        if off:
            yield f"the PSP holds {off} {currency} more than the books say"
