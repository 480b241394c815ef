"""Events against what they tell of, deliveries against events, and what a receiver took against both."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from tests.kills.tables import Record, Tables

SAYS = {
    "succeeded": "payment_intent.succeeded",
    "canceled": "payment_intent.canceled",
}
"""What exactly one event says of an intent that is this in the end, and none of any other."""
LAST = {
    "refunds": {"succeeded": "refund.updated", "failed": "refund.failed", "not_made": "refund.failed"},
    "disputes": {"won": "charge.dispute.closed", "lost": "charge.dispute.closed"},
}
"""What the last event says of what ended so."""


def audit_events(tables: Tables, received: Sequence[Record] | None) -> Iterator[str]:
    """Every violation in events and, where somebody listened, in what was told."""
    yield from _of_objects(tables)
    yield from _of_feeds(tables)
    if received is not None:
        yield from _deliveries(tables)
        yield from _received(tables, received)


def _of_objects(tables: Tables) -> Iterator[str]:
    """Each object's events count 1, 2, 3 … in a chain that ends where the object says, and tell how it is now."""
    by_object: dict[str, list[Record]] = defaultdict(list)
    for event in sorted(tables["events"], key=lambda event: event["sequence"]):
        by_object[event["object_id"]].append(event)
    objects = {row["id"]: row for name in ("payment_intents", *LAST) for row in tables[name]}
    for stranger in by_object.keys() - objects.keys():
        yield f"there are events of {stranger}, and no such object"
    for row in objects.values():
        mine = by_object[row["id"]]
        if [event["sequence"] for event in mine] != list(range(1, row["event_sequence"] + 1)):
            yield f"{row['id']} counts {row['event_sequence']} events, and has {len(mine)}"
            continue
        chain = [None, *(event["id"] for event in mine)]
        if [event["previous_event_id"] for event in mine] != chain[:-1] or chain[-1] != row["latest_event"]:
            yield f"the events of {row['id']} do not follow each other"
    for intent in tables["payment_intents"]:
        types = [event["type"] for event in by_object[intent["id"]]]
        for status, says in SAYS.items():
            if types.count(says) != (intent["status"] == status):
                yield f"{intent['id']} is {intent['status']}, and {types.count(says)} events say that it {status}"
    for name, last in LAST.items():
        for row in tables[name]:
            types = [event["type"] for event in by_object[row["id"]]]
            if types[-1:] != [last.get(row["status"])]:
                yield f"{row['id']} is {row['status']}, and its events are {types}"


def _of_feeds(tables: Tables) -> Iterator[str]:
    positions: dict[str, list[int]] = defaultdict(list)
    for event in tables["events"]:
        positions[event["account"]].append(event["position"])
    last = {feed["account"]: feed["position"] for feed in tables["event_feeds"]}
    for account in positions.keys() | last.keys():
        if sorted(positions[account]) != list(range(1, last.get(account, 0) + 1)):
            yield f"the feed of {account} ends at {last.get(account)} and has {len(positions[account])} events"


def _deliveries(tables: Tables) -> Iterator[str]:
    """Each event was delivered to each endpoint that was there and wants it."""
    results = {(row["event"], row["endpoint"]): row["status"] for row in tables["deliveries"]}
    for endpoint in tables["webhook_endpoints"]:
        wanted = endpoint["enabled_events"].split(",")
        for event in tables["events"]:
            if event["account"] != endpoint["account"] or event["created_ms"] < endpoint["created_ms"]:
                continue
            if wanted != ["*"] and event["type"] not in wanted:
                continue
            if (result := results.get((event["id"], endpoint["id"]))) != "succeeded":
                yield f"{event['id']} ({event['type']}) to {endpoint['id']}: {result}"


def _received(tables: Tables, received: Sequence[Record]) -> Iterator[str]:
    """Taken at least once, as it was recorded, and each object's events for the first time in their order."""
    recorded = {event["id"]: event for event in tables["events"]}
    first: dict[str, Record] = {}
    for event in received:
        if (known := recorded.get(event["id"])) is None:
            yield f"{event['id']} was received, and no such event was recorded"
        elif msgspec.json.decode(known["body"]) != event:
            yield f"{event['id']} was received with another content than it has"
        first.setdefault(event["id"], event)
    for delivery in tables["deliveries"]:
        if delivery["status"] == "succeeded" and delivery["event"] not in first:
            yield f"{delivery['event']} ({delivery['type']}) counts as delivered, and never arrived"
    in_order: dict[str, int] = defaultdict(int)
    for event in first.values():
        about = event["data"]["object"]["id"]
        if event["sequence"] < in_order[about]:
            yield f"{event['id']}, number {event['sequence']} of {about}, came after number {in_order[about]}"
        in_order[about] = max(in_order[about], event["sequence"])
