"""What must hold of the life of each payment: listed transitions alone, nothing left open, every answer kept."""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from paydesk.payments.maturity import MATURE
from paydesk.payments.notices.fate import UNKNOWN
from paydesk.payments.notices.take import duty_id
from paydesk.payments.refund_outcome import WATCH_REFUND
from paydesk.payments.rows import Intent, TimelineEntry
from paydesk.payments.states import TERMINAL, table
from paydesk_simulator.gathered import Facts

OPEN = ("processing", "requires_action", "requires_capture")
STILL = ("asking", "pending", "requires_action")
OVERDUE_MS = 180_000
"""An intent whose time is over is looked at once a minute, and may be put off for a minute."""
_LISTED = {(before.value, then.value) for before, moves in table() for _, then in moves}


def transitions(facts: Facts) -> Iterator[str]:
    """6: every version once, statuses move as listed, what is over stays."""
    of: defaultdict[str, list[TimelineEntry]] = defaultdict(list)
    for entry in facts.timeline:
        of[entry.intent].append(entry)
    for intent in facts.intents.values():
        yield from _walk(intent, of.pop(intent.id, []))
    yield from (f"{intent} has a timeline and does not exist" for intent in of)


def _walk(intent: Intent, entries: list[TimelineEntry]) -> Iterator[str]:
    """Where its time alone was put off, a version has no line."""
    before = None
    for entry in sorted(entries, key=lambda entry: entry.entry):
        if before is None and (entry.what, entry.status) != ("created", "requires_payment_method"):
            yield f"{intent.id} begins with {entry.what}, {entry.status}"
        if before and entry.status != before.status and (before.status, entry.status) not in _LISTED:
            yield f"{intent.id} was {before.status}, and by {entry.what} {entry.status}"
        before = entry
    if before is None or before.status != intent.status or int(before.entry) > intent.version:
        yield f"{intent.id} is {intent.status}, its timeline ends with {before}"


def settled(facts: Facts) -> Iterator[str]:
    """3: nothing stays open once the faults are over."""
    parked = {duty_id(notice) for notice in facts.notices if notice.status == "parked"}
    for duty in facts.duties:
        waits = duty.kind in (MATURE, WATCH_REFUND) or duty.id in parked  # Those wait for their day.
        if duty.due_ms <= facts.now_ms or not waits:
            yield f"{duty.id} is still owed"
    for notice in facts.notices:
        if notice.status not in ("applied", "ignored") and (notice.status, notice.reason) != ("parked", UNKNOWN):
            yield f"{notice.id} about {notice.about} {notice.reference} is {notice.status}: {notice.reason}"
    yield from (f"{dead.id} was parked: {dead.reason}" for dead in facts.dead)
    yield from (f"{attempt.id} is still {attempt.status}" for attempt in facts.attempts if attempt.status in STILL)
    yield from (f"{errand.id} is still asking" for errand in facts.errands if errand.status == "asking")
    yield from (f"{refund.id} is still {refund.status}" for refund in facts.refunds if refund.status in STILL)
    yield from (f"{late.id} is still refunding" for late in facts.late_payments if late.status == "refunding")
    yield from (f"the key {kept.idempotency_key} still runs" for kept in facts.kept if not kept.status)


def intents_settled(facts: Facts) -> Iterator[str]:
    """3: each intent is paid, over, or can be paid; it says what its attempts say."""
    late = {payment.attempt for payment in facts.late_payments}
    captured: defaultdict[str, int] = defaultdict(int)
    for attempt in facts.attempts:
        if attempt.status == "captured" and attempt.id not in late:
            captured[attempt.intent] += attempt.captured_minor
    for intent in facts.intents.values():
        paid = captured.get(intent.id, 0)
        if intent.status in OPEN or intent.outcome_unknown or intent.errand:
            yield f"{intent.id} is {intent.status}, unknown {intent.outcome_unknown}, errand {intent.errand!r}"
        if (intent.status == "succeeded") != bool(paid) or intent.received_minor != paid or intent.capturable_minor:
            yield f"{intent.id} is {intent.status}, received {intent.received_minor}, captured are {paid}"
        if intent.expires_ms and (intent.status in TERMINAL or intent.expires_ms < facts.now_ms - OVERDUE_MS):
            yield f"{intent.id} is {intent.status} and should have expired at {intent.expires_ms}"
    for told_id, told in facts.told.over.items():
        found = facts.intents.get(told_id)
        if found is None or found.status != told:
            yield f"{told_id} was shown as {told}, and is {found and found.status}"


def answers_stay(facts: Facts) -> Iterator[str]:
    """10: what was answered under a key is what is kept; a success that was told is one."""
    kept = {(one.account, one.idempotency_key): one for one in facts.kept}
    known = {one.id: one for one in facts.refunds}
    for key, (status, body) in facts.told.answers.items():
        found = kept.get(key)
        if found is None or (found.status, found.body) != (status, body):
            yield f"{key[1]} was answered {status} {body!r}, kept is {found}"
        said = msgspec.json.decode(body)
        if status == 200 and said["object"] == "refund" and said["id"] not in known:
            yield f"{key[1]} was answered with {said['id']}, which is not there"


LIFE = (transitions, settled, intents_settled, answers_stay)
