"""What must hold when a run is over: reliability.md's invariants, each a function that yields what broke.

The PSP's books are the judge of what was charged, what clients were told of what was acknowledged, and the receivers of
what was delivered. What is about money stands in `money.py`, what about the life of a payment in `life.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

import msgspec

from paydesk.audit.chain import BEGINNING, link_of
from paydesk.events.rows import Event
from paydesk.payments.refund_shapes import SHOWN
from paydesk.payments.rows import Intent, Refund
from paydesk.payments.states import TERMINAL
from paydesk_simulator.gathered import Facts
from paydesk_simulator.life import LIFE
from paydesk_simulator.money import MONEY

NOTHING_TOLD = b'{"data":{"object":{}}}'


def violations(facts: Facts) -> Iterator[str]:
    """Every sentence of every check."""
    for check in CHECKS:
        yield from check(facts)


def opened_once(facts: Facts) -> Iterator[str]:
    """10, 11, 17: one order, one intent, the one that was acknowledged; none where nothing was promised."""
    by_order: defaultdict[str, list[str]] = defaultdict(list)
    for intent in facts.intents.values():
        by_order[msgspec.json.decode(intent.metadata)["order"]].append(intent.id)
    yield from (f"{order} was opened as {ids}" for order, ids in by_order.items() if len(ids) > 1)
    for order, intent_id in facts.told.opened.items():
        intent = facts.intents.get(intent_id)
        if intent is None or by_order.get(order) != [intent_id]:
            yield f"{order} was acknowledged as {intent_id}, which is {intent}"
    yield from (f"{order} was refused, and opened" for order in facts.told.refused_orders if order in by_order)
    for kept in facts.kept:
        if "/" not in kept.idempotency_key and by_order.get(kept.idempotency_key) != [kept.object_id]:
            yield f"the key {kept.idempotency_key} is kept for {kept.object_id}"


def payloads_used_once(facts: Facts) -> Iterator[str]:
    """16: a card payload stands for one attempt, an attempt for one payload; what was refused was not used."""
    used = {use.mark.removeprefix("sha:"): use.attempt for use in facts.card_uses if use.mark.startswith("sha:")}
    for digest, attempt in facts.told.attempts.items():
        if used.get(digest) != attempt:
            yield f"{digest} was shown as {attempt}, and stands for {used.get(digest)}"
    yield from (f"{digest} was refused, and used" for digest in facts.told.refused_payloads if digest in used)
    marks = Counter(use.attempt for use in facts.card_uses)
    for attempt in facts.attempts:
        if marks[attempt.id] != (0 if attempt.payment_method else 2):
            yield f"{attempt.id} used {marks[attempt.id]} marks"


def told_of(facts: Facts) -> Iterator[str]:
    """12: a change and its event exist together: counted without gaps, the last one known, one success per success."""
    of: defaultdict[str, list[Event]] = defaultdict(list)
    for event in facts.events:
        of[event.object_id].append(event)
    for thing in (*facts.intents.values(), *facts.refunds, *facts.late_payments, *facts.disputes):
        events = sorted(of.pop(thing.id, []), key=lambda event: event.sequence)
        before = [None, *(event.id for event in events)]
        chained = [event.previous_event_id for event in events] == before[:-1] and before[-1] == thing.latest_event
        if not chained or [event.sequence for event in events] != list(range(1, thing.event_sequence + 1)):
            yield f"{thing.id} has the events {[(event.sequence, event.id) for event in events]}"
        if isinstance(thing, Intent):
            yield from _told_of_intent(thing, Counter(event.type for event in events), facts)
    yield from (f"{thing} has events and does not exist" for thing in of)


def _told_of_intent(intent: Intent, types: Counter[str], facts: Facts) -> Iterator[str]:
    for status, event in (("succeeded", "payment_intent.succeeded"), ("canceled", "payment_intent.canceled")):
        if types[event] != (intent.status == status):
            yield f"{intent.id} is {intent.status}, with {types}"
    declined = sum(1 for one in facts.attempts if one.intent == intent.id and one.status == "declined")
    if types["payment_intent.payment_failed"] < declined:
        yield f"{intent.id} was declined {declined} times, with {types}"


def told_as_it_is(facts: Facts) -> Iterator[str]:
    """12: what merchants heard last of a thing is how it stands; of an intent, once it is over."""
    bodies = {event.id: event.body for event in facts.events}
    for thing in (*facts.intents.values(), *facts.refunds, *facts.late_payments, *facts.disputes):
        if isinstance(thing, Intent) and thing.status not in TERMINAL:
            continue
        told = msgspec.json.decode(bodies.get(thing.latest_event or "", NOTHING_TOLD))["data"]["object"]
        status = SHOWN[thing.status] if isinstance(thing, Refund) else thing.status
        if told.get("status") != status:
            yield f"{thing.id} is {status}, and was told of as {told.get('status')}"


def delivered(facts: Facts) -> Iterator[str]:
    """13: every event that an endpoint wants was taken there, and is recorded so."""
    recorded = {(delivery.event, delivery.endpoint): delivery.status for delivery in facts.deliveries}
    for endpoint in facts.endpoints:
        arrivals = facts.receivers[endpoint.id].arrivals
        for event in facts.events:
            if event.account != endpoint.account or not endpoint.wants(event.type):
                continue
            arrival = arrivals.get(event.id)
            status = recorded.get((event.id, endpoint.id))
            if status != "succeeded" or arrival is None or not arrival.taken or arrival.body != event.body:
                yield f"{event.id} of {event.object_id} at {endpoint.url}: {status}, arrived: {arrival is not None}"


def written_down(facts: Facts) -> Iterator[str]:
    """12, of who did what: a change and its line exist together, and each account's lines hang together."""
    ends: defaultdict[str, tuple[int, bytes]] = defaultdict(lambda: (0, BEGINNING))
    for entry in sorted(facts.audit, key=lambda entry: (entry.account, entry.number)):
        number, before = ends[entry.account]
        if entry.number != number + 1 or entry.hash != link_of(before, entry):
            yield f"line {entry.number} of {entry.account} does not follow line {number}"
        ends[entry.account] = entry.number, entry.hash
    if ends != {head.account: (head.number, head.hash) for head in facts.audit_heads}:
        yield f"the chains end with {dict(ends)}, their heads are {facts.audit_heads}"
    opened = Counter(entry.object_id for entry in facts.audit if entry.action == "POST /v1/payment_intents")
    if opened != Counter(list(facts.intents)):
        yield f"opened and written down are not the same: {opened - Counter(list(facts.intents))}"


CHECKS: Iterable[Callable[[Facts], Iterator[str]]] = (
    *MONEY,
    *LIFE,
    opened_once,
    payloads_used_once,
    told_of,
    told_as_it_is,
    delivered,
    written_down,
)
