"""What must hold when a run is over: reliability.md's invariants, each a function that yields what broke.

The PSP's books are the judge of what was charged, what clients were told of what was acknowledged, and the receivers of
what was delivered.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import TypeVar, cast

from msgspec import Struct

from paydesk.audit.chain import BEGINNING, link_of
from paydesk.audit.rows import AuditEntry, AuditHead
from paydesk.duties.rows import DeadDuty
from paydesk.events.rows import Delivery, Endpoint, Event
from paydesk.ledger.rows import Balance, LedgerTransaction, Maturity, Posting
from paydesk.ledger.verify import Off, recount
from paydesk.payments.maturity import MATURE
from paydesk.payments.rows import Attempt, CardUse, Intent
from paydesk.requests.rows import Kept
from paydesk.store import Duty, Row
from paydesk_sandbox.psp.books import Books, Entry
from paydesk_simulator.facts import Database, Told
from paydesk_simulator.receiver import Receiver

AnyRow = TypeVar("AnyRow", bound=Row)

OPEN = ("processing", "requires_action", "requires_capture")
ENDINGS = {
    "captured": ("captured",),
    "authorised": ("authorised",),
    "declined": ("declined",),
    "released": ("canceled", "abandoned"),
}
"""What the PSP calls a charge → what the attempt may be called."""


class Facts(Struct, frozen=True, kw_only=True):
    """Everything there is to compare, read once."""

    attempts: Sequence[Attempt]
    audit: Sequence[AuditEntry]
    audit_heads: Sequence[AuditHead]
    balances: Sequence[Balance]
    card_uses: Sequence[CardUse]
    dead: Sequence[DeadDuty]
    deliveries: Sequence[Delivery]
    duties: Sequence[Duty]
    endpoints: Sequence[Endpoint]
    events: Sequence[Event]
    intents: dict[str, Intent]
    kept: Sequence[Kept]
    maturities: Sequence[Maturity]
    postings: Sequence[Posting]
    transactions: Sequence[LedgerTransaction]
    charges: dict[str, list[Entry]]
    """Attempt → what the PSP has under that reference."""
    told: Told
    receivers: dict[str, Receiver]
    """Endpoint → who is there."""
    now_ms: int


def gather(database: Database, books: Books, told: Told, receivers: dict[str, Receiver], now_ms: int) -> Facts:
    """Read it all."""
    charges: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in books.entries.values():
        charges[entry.charge.reference].append(entry)
    return Facts(
        attempts=database.all(Attempt),
        audit=database.all(AuditEntry),
        audit_heads=database.all(AuditHead),
        balances=database.all(Balance),
        card_uses=database.all(CardUse),
        dead=database.all(DeadDuty),
        deliveries=database.all(Delivery),
        duties=database.all(Duty),
        endpoints=database.all(Endpoint),
        events=database.all(Event),
        intents={intent.id: intent for intent in database.all(Intent)},
        kept=database.all(Kept),
        maturities=database.all(Maturity),
        postings=database.all(Posting),
        transactions=database.all(LedgerTransaction),
        charges=charges,
        told=told,
        receivers=receivers,
        now_ms=now_ms,
    )


def violations(facts: Facts) -> Iterator[str]:
    """Every sentence of every check."""
    for check in CHECKS:
        yield from check(facts)


def charged_once(facts: Facts) -> Iterator[str]:
    """1: at most one successful capture per intent at the PSP, of the intent's amount."""
    captured: Counter[str] = Counter()
    for attempt in facts.attempts:
        for entry in facts.charges.get(attempt.id, []):
            charge, intent = entry.charge, facts.intents[attempt.intent]
            captured[intent.id] += charge.status == "captured"
            if charge.amount_captured not in (0, intent.amount_minor) or charge.currency != intent.currency:
                yield f"{intent.id} asks for {intent.amount_minor}, the PSP took {charge.amount_captured}"
    yield from (f"{intent} was captured {times} times at the PSP" for intent, times in captured.items() if times > 1)
    known = dict.fromkeys(attempt.id for attempt in facts.attempts)
    yield from (f"the PSP knows {charge}, Paydesk doesn't" for charge in facts.charges if charge not in known)


def beliefs(facts: Facts) -> Iterator[str]:
    """2: what Paydesk says of an attempt is what the PSP did, and what the shopper was told."""
    for attempt in facts.attempts:
        charges = [entry.charge for entry in facts.charges.get(attempt.id, [])]
        real = ENDINGS.get(charges[0].status, ()) if charges else ("not_sent",)
        if len(charges) > 1 or attempt.status not in real:
            yield f"{attempt.id} is {attempt.status}, the PSP has {[charge.status for charge in charges]}"
        elif charges and attempt.psp_reference != charges[0].id:
            yield f"{attempt.id} names {attempt.psp_reference}, the PSP {charges[0].id}"
    status = {attempt.id: attempt.status for attempt in facts.attempts}
    for attempt_id, told in facts.told.outcomes.items():
        if status.get(attempt_id) != told:
            yield f"a shopper was told that {attempt_id} is {told}, but it is {status.get(attempt_id)}"


def settled(facts: Facts) -> Iterator[str]:
    """3: nothing stays open once the faults are over."""
    for duty in facts.duties:
        if duty.kind != MATURE or duty.due_ms <= facts.now_ms:  # Pending money waits for its day.
            yield f"{duty.id} is still owed"
    yield from (f"{dead.id} was parked: {dead.reason}" for dead in facts.dead)
    yield from (f"{attempt.id} is still asking" for attempt in facts.attempts if attempt.status == "asking")
    for intent in facts.intents.values():
        paid = [attempt for attempt in facts.attempts if attempt.intent == intent.id and attempt.status == "captured"]
        if intent.status in OPEN or intent.outcome_unknown or (intent.status == "succeeded") != bool(paid):
            yield f"{intent.id} is {intent.status}, with {len(paid)} captured attempts"
    yield from (f"{intent} was shown as paid" for intent in facts.told.paid if not _paid(facts, intent))


def _paid(facts: Facts, intent_id: str) -> bool:
    intent = facts.intents.get(intent_id)
    return intent is not None and intent.status == "succeeded"


def books(facts: Facts) -> Iterator[str]:
    """7: postings of a transaction sum to zero per currency, balances are sums of postings, days sum to what pends."""
    try:
        for _ in recount(_Sorted(facts)):
            pass
    except Off as off:
        yield str(off)


class _Sorted:
    """The rows of the books, as a recount reads them."""

    def __init__(self, facts: Facts) -> None:
        tables = (facts.transactions, facts.postings, facts.balances, facts.maturities)
        self._of: dict[type[Row], Sequence[Row]] = {type(rows[0]): rows for rows in tables if rows}

    def rows(self, kind: type[AnyRow], *order: str) -> Iterator[AnyRow]:
        rows = cast("Sequence[AnyRow]", self._of.get(kind, ()))
        return iter(sorted(rows, key=attrgetter(*order)))


def posted_once(facts: Facts) -> Iterator[str]:
    """8: each captured attempt has one transaction over its amount, and the other way round."""
    clearing = [posting for posting in facts.postings if "/psp_clearing/" in posting.ledger_account]
    over = {posting.transaction_id: posting.amount_minor for posting in clearing}
    posted: Counter[tuple[object, ...]] = Counter(
        (transaction.psp, transaction.reference, transaction.subject, over.get(transaction.id))
        for transaction in facts.transactions
        if transaction.kind == "capture"
    )
    due: Counter[tuple[object, ...]] = Counter(
        (attempt.psp, attempt.psp_reference, attempt.intent, attempt.amount_minor)
        for attempt in facts.attempts
        if attempt.status == "captured"
    )
    if posted != due:
        yield f"posted but not captured {list(posted - due)}, captured but not posted {list(due - posted)}"


def opened_once(facts: Facts) -> Iterator[str]:
    """10, 11, 17: one order, one intent, the one that was acknowledged; none where nothing was promised."""
    by_order: defaultdict[str, list[str]] = defaultdict(list)
    for intent in facts.intents.values():
        by_order[intent.metadata.split('"')[3]].append(intent.id)
    yield from (f"{order} was opened as {ids}" for order, ids in by_order.items() if len(ids) > 1)
    for order, intent_id in facts.told.opened.items():
        intent = facts.intents.get(intent_id)
        if intent is None or (intent.amount_minor, intent.currency) != facts.told.amounts[order]:
            yield f"{order} was acknowledged as {intent_id}, which is {intent}"
    yield from (f"{order} was refused, and opened" for order in facts.told.refused_orders if order in by_order)
    for kept in facts.kept:
        if by_order.get(kept.idempotency_key) != [kept.object_id]:
            yield f"the key {kept.idempotency_key} is kept for {kept.object_id}"


def payloads_used_once(facts: Facts) -> Iterator[str]:
    """16: a card payload stands for one attempt, an attempt for one payload; what was refused was not used."""
    used = {use.mark.removeprefix("sha:"): use.attempt for use in facts.card_uses if use.mark.startswith("sha:")}
    for digest, attempt in facts.told.attempts.items():
        if used.get(digest) != attempt:
            yield f"{digest} was shown as {attempt}, and stands for {used.get(digest)}"
    yield from (f"{digest} was refused, and used" for digest in facts.told.refused_payloads if digest in used)
    marks = Counter(use.attempt for use in facts.card_uses)
    yield from (f"{attempt.id} used {marks[attempt.id]} marks" for attempt in facts.attempts if marks[attempt.id] != 2)


def told_of(facts: Facts) -> Iterator[str]:
    """12: a change and its event exist together: counted without gaps, the last one known, one success per success."""
    by_intent: defaultdict[str, list[Event]] = defaultdict(list)
    for event in facts.events:
        by_intent[event.object_id].append(event)
    declined = Counter(attempt.intent for attempt in facts.attempts if attempt.status == "declined")
    for intent in facts.intents.values():
        events = sorted(by_intent.pop(intent.id, []), key=lambda event: event.sequence)
        types = Counter(event.type for event in events)
        before = [None, *(event.id for event in events)]
        chained = [event.previous_event_id for event in events] == before[:-1] and before[-1] == intent.latest_event
        if not chained or [event.sequence for event in events] != list(range(1, intent.event_sequence + 1)):
            yield f"{intent.id} has the events {[(event.sequence, event.id) for event in events]}"
        if types["payment_intent.succeeded"] != (intent.status == "succeeded"):
            yield f"{intent.id} is {intent.status}, with {types}"
        if types["payment_intent.payment_failed"] < declined[intent.id]:
            yield f"{intent.id} was declined {declined[intent.id]} times, with {types}"
    yield from (f"{intent} has events and does not exist" for intent in by_intent)


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
    charged_once,
    beliefs,
    settled,
    books,
    posted_once,
    opened_once,
    payloads_used_once,
    told_of,
    delivered,
    written_down,
)
