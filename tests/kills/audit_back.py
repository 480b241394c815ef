"""What went back: refunds and disputes as the PSP has them, each once, and no more than was captured."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.kills.tables import Record, Tables


def audit_back(tables: Tables, books: Mapping[str, Any]) -> Iterator[str]:
    """Every refund and dispute that is not the same here and there, every intent whose amounts do not follow."""
    refunds = {refund["id"]: refund for refund in tables["refunds"] if refund["psp_reference"]}
    at_psp = Counter(refund["reference"] for refund in books["refunds"])
    for reference, times in at_psp.items():
        if times > 1:
            yield f"{reference} was refunded {times} times"
    yield from _compared(refunds, {refund["reference"]: refund for refund in books["refunds"]}, "charge", "charge")
    disputes = {dispute["psp_reference"]: dispute for dispute in tables["disputes"]}
    yield from _compared(disputes, {dispute["id"]: dispute for dispute in books["disputes"]}, "attempt", "reference")
    yield from _amounts(tables, books)


def _compared(here: Mapping[str, Record], there: Mapping[str, Record], ours: str, theirs: str) -> Iterator[str]:
    """The same ones, with the same status and amount, of the same charge."""
    for missing in there.keys() - here.keys():
        yield f"the PSP has {there[missing]['id']} of {there[missing]['reference']}, which nobody here knows"
    for stranger in here.keys() - there.keys():
        yield f"{here[stranger]['id']} is {here[stranger]['status']}, and the PSP does not have it"
    for name in here.keys() & there.keys():
        row, told = here[name], there[name]
        kept = (row["psp_reference"], row["status"], row["amount_minor"], row["currency"], row[ours])
        said = (told["id"], told["status"], told["amount"], told["currency"], told[theirs])
        if said != kept:
            yield f"the PSP says {said} of {row['id']}, and here stands {kept}"


def _amounts(tables: Tables, books: Mapping[str, Any]) -> Iterator[str]:
    """An intent gave back what its refunds did, which is what the PSP gave back, and not more than it took."""
    refunded: Counter[str] = Counter()
    for refund in tables["refunds"]:
        refunded[refund["intent"]] += refund["amount_minor"] * (refund["status"] == "succeeded")
    disputed: Counter[str] = Counter()
    for dispute in tables["disputes"]:
        disputed[dispute["intent"]] += dispute["amount_minor"] * (dispute["status"] != "won")
    at_psp = {charge["reference"]: charge["amount_refunded"] for charge in books["charges"]}
    for intent in tables["payment_intents"]:
        kept, mine = intent["refunded_minor"], intent["id"]
        if kept != refunded[mine]:
            yield f"{mine} counts {kept} refunded, and its refunds are {refunded[mine]}"
        if intent["disputed_minor"] != disputed[mine]:
            yield f"{mine} counts {intent['disputed_minor']} disputed, and its disputes are {disputed[mine]}"
        if kept != at_psp.get(intent["latest_attempt"], 0):
            yield f"{mine} counts {kept} refunded, and the PSP {at_psp.get(intent['latest_attempt'])}"
        if kept > intent["received_minor"]:
            yield f"{mine} received {intent['received_minor']}, and {kept} went back"
