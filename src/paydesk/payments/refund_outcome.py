"""The one door through which a verdict on a refund becomes status, books and event, in the caller's commit.

The direct answer, a look-up, a notice: all of them call `apply_refund`. One table says which verdict means something in
which status. A pair that is not in it changes nothing, so the same verdict twice, or an older one after a newer, does
no harm.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from paydesk.duties.lease import no_more
from paydesk.duties.rows import DeadDuty
from paydesk.events.record import EventType
from paydesk.events.record import keys as event_keys
from paydesk.ledger import Balance, Chart, LedgerTransaction
from paydesk.payments import refund_books
from paydesk.payments.late_payment import follow
from paydesk.payments.refund import refund_duty, refund_duty_id
from paydesk.payments.refund_shapes import render_refund
from paydesk.payments.rows import Intent, LatePayment, Refund
from paydesk.payments.tell import announce, change
from paydesk.psp.base import NotFound, NotSent, NoVerdict, Refunded, RefundFailed, RefundPending
from paydesk.requests.once import finish_claim
from paydesk.requests.rows import Kept
from paydesk.store import Duty, Key, Work
from paydesk.times import DAY_MS

WATCH_REFUND = "watch_refund"
WATCH_DAYS = (1, 3, 10, 30)
"""How many days after a refund succeeded the PSP is asked whether it still stands, lest its notice was lost."""

OPEN = ("asking", "pending")
SOON_MS = 2_000


class NotMade(Struct, frozen=True, kw_only=True):
    """The PSP has no such refund, and nothing that would make one is on its way or will be sent."""

    reason: str
    """`not_sent` or `refused`, as merchants see it."""


Verdict = Refunded | RefundPending | RefundFailed | NotMade | NotSent | NotFound | NoVerdict
Step = Callable[[Work, Refund, Any, str], None]

KNOWN: dict[str, Any] = {"outcome_unknown": 0, "sending_ms": None}


def apply_refund(work: Work, refund: Refund, verdict: Verdict, cause: str) -> bool:
    """Do what the verdict means for the refund, which is its latest row. False where the verdict names what was posted
    for another refund, which is no verdict on this one.

    NotSent, NotFound and NoVerdict mean nothing here: what they say depends on when the PSP was asked, and
    `refund_ask.py` makes NotMade of them where they are definitive.
    """
    step = STEPS.get((refund.status, type(verdict)))
    if step is None:
        return True
    if isinstance(verdict, Refunded) and _is_anothers(work, refund, verdict):
        return False
    step(work, refund, verdict, cause)
    if refund.late_payment:
        follow(work, work.get(Refund, refund.account, refund.id))
    return True


def keys(refund: Refund) -> Iterable[Key]:
    """The rows that `apply_refund` wants, by the refund as it was read: a hint for the committer."""
    chart = Chart(refund.account, refund.currency)
    yield Refund, (refund.account, refund.id)
    yield Intent, (refund.account, refund.intent)
    yield Duty, (refund.account, refund_duty_id(refund.id))
    yield Duty, (refund.account, _watch_id(refund))
    yield from event_keys(refund.account)
    yield Balance, (refund.account, chart.psp_clearing(refund.psp))
    if refund.idempotency_key:
        yield Kept, (refund.account, refund.idempotency_key)
    if refund.late_payment:
        yield LatePayment, (refund.account, refund.late_payment)
        yield Balance, (refund.account, chart.late_payments)
    else:
        yield Balance, (refund.account, chart.refunds)


def accepted(work: Work, refund: Refund, verdict: RefundPending, cause: str) -> None:
    """The PSP has it and will say later how it went. Merchants see no change, but who waits is answered."""
    pending = work.change(refund, status="pending", psp_reference=verdict.psp_reference, **KNOWN)
    _note(work, pending, "refund_pending", cause)
    _answer(work, pending)


def succeeded(work: Work, refund: Refund, verdict: Refunded, cause: str) -> None:
    """The money is on its way back to the card."""
    done = _settle(work, refund, "refund.updated", status="succeeded", psp_reference=verdict.psp_reference)
    refund_books.given(work, done)
    _note(work, done, "refunded", cause, refunding=-done.amount_minor, refunded=done.amount_minor)
    watch = Duty(account=done.account, id=_watch_id(done), kind=WATCH_REFUND, subject=done.id)
    work.owe(watch, after_ms=WATCH_DAYS[0] * DAY_MS)


def failed(work: Work, refund: Refund, verdict: RefundFailed, cause: str) -> None:
    """The bank or the PSP will not refund: the merchant has the amount again."""
    _fail(work, refund, cause, "failed", verdict.reason, psp_reference=verdict.psp_reference)


def not_made(work: Work, refund: Refund, verdict: NotMade, cause: str) -> None:
    """It never came to be at the PSP."""
    _fail(work, refund, cause, "not_made", verdict.reason)


def returned(work: Work, refund: Refund, verdict: RefundFailed, cause: str) -> None:
    """It had succeeded, and the bank sent the money back."""
    back = _settle(work, refund, "refund.failed", status="failed", failure_reason=verdict.reason)
    refund_books.returned(work, back)
    facts = {"reason": verdict.reason, "returned": True}
    _note(work, back, "refund_failed", cause, facts, refunded=-back.amount_minor)


def made_after_all(work: Work, refund: Refund, verdict: Refunded | RefundPending, cause: str) -> None:
    """A PSP that broke its promise: what never was there is there now. The money decides, so it is begun again."""
    event_id = work.id("evt", refund.account)
    pending = work.change(
        refund,
        status="pending",
        psp_reference=verdict.psp_reference,
        failure_reason=None,
        settled_ms=None,
        event_sequence=refund.event_sequence + 1,
        latest_event=event_id,
    )
    refund_books.begun(work, pending, _intent(work, pending).matures_on)
    announce(work, "refund.updated", pending, refund.latest_event, render_refund(pending))
    _note(work, pending, "refund_made_after_all", cause, refunding=pending.amount_minor)
    work.owe(refund_duty(pending), after_ms=SOON_MS)
    apply_refund(work, pending, verdict, cause)


STEPS: dict[tuple[str, type], Step] = {
    ("asking", RefundPending): accepted,
    ("asking", Refunded): succeeded,
    ("asking", RefundFailed): failed,
    ("asking", NotMade): not_made,
    ("pending", Refunded): succeeded,
    ("pending", RefundFailed): failed,
    # No (pending, NotMade): the PSP said that it has it.
    ("succeeded", RefundFailed): returned,
    # No (succeeded, RefundPending), and nothing of a failed one: no PSP turns these back, so it is older news.
    ("not_made", RefundPending): made_after_all,
    ("not_made", Refunded): made_after_all,
}


def _fail(work: Work, refund: Refund, cause: str, status: str, reason: str, **new: Any) -> None:
    over = _settle(work, refund, "refund.failed", status=status, failure_reason=reason, **new)
    refund_books.undone(work, over, _intent(work, over).matures_on)
    _note(work, over, "refund_failed", cause, {"reason": reason}, refunding=-over.amount_minor)


def _settle(work: Work, refund: Refund, event: EventType, **new: Any) -> Refund:
    """What was open about it is known: the merchant hears of it, who waits is answered, nobody has to ask any more."""
    event_id = work.id("evt", refund.account)
    settled = work.change(
        refund,
        settled_ms=work.now_ms,
        event_sequence=refund.event_sequence + 1,
        latest_event=event_id,
        **KNOWN,
        **new,
    )
    announce(work, event, settled, refund.latest_event, render_refund(settled))
    _answer(work, settled)
    no_more(work, settled.account, refund_duty_id(settled.id))
    if watch := work.find(Duty, settled.account, _watch_id(settled)):
        work.remove(watch)
    return settled


def parked(work: Work, dead: DeadDuty) -> None:
    """The question was parked: whether the PSP has the refund stays unknown, and the payment's timeline says so."""
    refund = work.find(Refund, dead.account, dead.subject)
    if refund and refund.status == "asking" and not refund.outcome_unknown:
        unknown = work.change(refund, outcome_unknown=1)
        change(work, _intent(work, unknown), "refund_unknown", "clock", about=unknown.id, facts={"reason": "parked"})


def _watch_id(refund: Refund) -> str:
    return f"{WATCH_REFUND}:{refund.id}"


def _answer(work: Work, refund: Refund) -> None:
    """Whoever asked for it and waits gets the refund as it is now: a failed one too, since that is its outcome."""
    if refund.idempotency_key:
        finish_claim(work, refund.account, refund.idempotency_key, status=200, body=render_refund(refund))


def _note(work: Work, refund: Refund, what: str, cause: str, facts: dict[str, Any] | None = None, **moved: int) -> None:
    """The intent's amounts and its timeline."""
    intent = _intent(work, refund)
    told = {"amount": refund.amount_minor, "currency": refund.currency} | (facts or {})
    change(work, intent, what, cause, about=refund.id, facts=told, **refund_books.amounts(refund, intent, **moved))


def _intent(work: Work, refund: Refund) -> Intent:
    return work.get(Intent, refund.account, refund.intent)


def _is_anothers(work: Work, refund: Refund, verdict: Refunded) -> bool:
    """Whether it was posted before. This refund has not succeeded yet, so it was posted for another one."""
    kind = refund_books.kind_given(refund)
    return work.find(LedgerTransaction, refund.account, refund.psp, verdict.psp_reference, kind) is not None
