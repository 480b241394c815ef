"""Who did what: every chain of lines holds, and whatever a key had done was asked for by one of them."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.kills.tables import Record, Tables

TEXTS = ("account", "number", "at_ms", "actor", "action", "object_id", "request_id", "fingerprint")

OF_INTENT = "POST /v1/payment_intents/{intent}/"


def audit_log(tables: Tables) -> Iterator[str]:
    """Every line that does not follow the one before it, every head that is not the last, every deed without one."""
    chains: dict[str, list[Record]] = defaultdict(list)
    for line in sorted(tables["audit_entries"], key=lambda line: line["number"]):
        chains[line["account"]].append(line)
    heads = {head["account"]: (head["number"], head["hash"]) for head in tables["audit_heads"]}
    for account in chains.keys() | heads.keys():
        number, before = 0, bytes(32)
        for line in chains[account]:
            text = "\n".join(str(line[name]) for name in TEXTS)
            if line["number"] != number + 1 or line["hash"] != hashlib.sha256(before + text.encode()).digest():
                yield f"line {line['number']} of {account} does not follow line {number}"
            number, before = line["number"], line["hash"]
        if heads.get(account) != (number, before):
            yield f"the lines of {account} end with {number}, which is not its head"
    deeds = Counter(
        [("POST /v1/payment_intents", intent["id"]) for intent in tables["payment_intents"]]
        + [("POST /v1/refunds", refund["id"]) for refund in tables["refunds"]]
        + [(OF_INTENT + errand["kind"], errand["intent"]) for errand in tables["errands"] if errand["idempotency_key"]]
    )
    lines = Counter(
        (line["action"], line["object_id"]) for line in tables["audit_entries"] if line["action"][:4] == "POST"
    )
    for deed in deeds.keys() | lines.keys():
        if lines[deed] != deeds[deed]:
            yield f"{deed} was done {deeds[deed]} times, by {lines[deed]} lines of the log"
