"""The journal against the PSP: each captured charge has one transaction; balances are the sums of their postings."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.kills.tables import Record, Tables


def audit_books(tables: Tables, charges: Sequence[Record]) -> Iterator[str]:
    """Every violation in the books."""
    yield from _transactions(tables, charges)
    yield from _postings(tables)
    yield from _balances(tables)


def _transactions(tables: Tables, charges: Sequence[Record]) -> Iterator[str]:
    captured = {charge["id"]: charge for charge in charges if charge["status"] == "captured"}
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


def _postings(tables: Tables) -> Iterator[str]:
    lines: dict[str, list[Record]] = defaultdict(list)
    for posting in tables["ledger_postings"]:
        lines[posting["transaction_id"]].append(posting)
    amounts = {attempt["psp_reference"]: attempt["amount_minor"] for attempt in tables["attempts"]}
    transactions = {row["id"]: row for row in tables["ledger_transactions"]}
    for transaction in lines.keys() - transactions.keys():
        yield f"there are postings of {transaction}, and no such transaction"
    for row in transactions.values():
        sums: Counter[str] = Counter()
        for posting in lines[row["id"]]:
            sums[posting["currency"]] += posting["amount_minor"]
        if len(lines[row["id"]]) < 2 or any(sums.values()):
            yield f"the {len(lines[row['id']])} postings of {row['id']} sum to {dict(sums)}"
        moved = sum(line["amount_minor"] for line in lines[row["id"]] if line["amount_minor"] > 0)
        if row["kind"] == "capture" and moved != amounts.get(row["reference"]):
            yield f"{row['id']} moves {moved}, and the attempt was over {amounts.get(row['reference'])}"


def _balances(tables: Tables) -> Iterator[str]:
    sums: Counter[tuple[str, str]] = Counter()
    for posting in tables["ledger_postings"]:
        sums[posting["account"], posting["ledger_account"]] += posting["amount_minor"]
    stored = {(row["account"], row["ledger_account"]): row["amount_minor"] for row in tables["ledger_balances"]}
    for key in sums.keys() | stored.keys():
        if stored.get(key) != sums.get(key):
            yield f"the balance of {key[1]} is {stored.get(key)}, and its postings sum to {sums.get(key)}"
