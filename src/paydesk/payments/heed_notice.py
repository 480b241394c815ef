"""Seeing to a notice: it names what changed, and the PSP is asked how that stands. Its answer goes through the one
door.

So a notice may come twice, late, before the one that preceded it, or before the PSP's own answer: what is asked is how
things stand now, and what is known already changes nothing.
"""

from collections.abc import Iterable
from typing import Any

from paydesk.duties.lease import finish, put_off
from paydesk.payments.ask import PaymentDesk, about_attempt, store, terms_of
from paydesk.payments.outcome import apply, verdict_keys
from paydesk.payments.rows import Attempt, Notice
from paydesk.payments.steps import STEPS
from paydesk.payments.take_notice import key_of
from paydesk.payments.terms import News
from paydesk.psp.base import NotFound, NotSent, NoVerdict, Verdict
from paydesk.store import Command, Duty, Key, Rank, Work

AGAIN_SECONDS = (2, 5, 15, 60, 300, 900, 3_600, 21_600)
"""How long after each try that brought nothing the next one follows; the last one for ever."""

PARKED_MS = 24 * 3_600_000
"""So long is looked again for what a parked notice is about. An attempt may be younger than the notice about it."""

CAUSE = "psp"
UNKNOWN = "Nothing here has this reference."
NOT_AT_PSP = "The PSP does not know what its notice is about."
ANOTHERS = "The PSP shows another object under this reference."
NO_REFUNDS = "Refunds are not known here yet."


async def heed(desk: PaymentDesk, duty: Duty) -> None:
    """Ask the PSP about what the notice names, and apply what it says."""
    notice = await desk.reader.get(Notice, *key_of(duty))
    if notice is None:
        raise AssertionError(f"{duty.id} has no notice")
    command = await _heard(desk, duty, notice)
    await store(desk, command)


class Heeded(Command[None], frozen=True):
    """What became of a notice that told of nothing new, or of nothing known."""

    RANK = Rank.APPLY

    duty: Duty
    notice: Notice
    """As it was read when the PSP was asked; decided is on the row of now."""
    parked: str = ""
    """Why it is parked; empty where it is done with."""
    for_good: bool = False
    """Whether looking again would help nothing."""

    def keys(self) -> Iterable[Key]:
        yield Duty, (self.duty.account, self.duty.id)
        yield Notice, (self.notice.account, self.notice.psp, self.notice.id)

    def decide(self, work: Work) -> None:
        if self.parked:
            park(work, self.duty, self.parked, for_good=self.for_good)
        else:
            done(work, self.duty)


class ChargeHeard(Command[None], frozen=True):
    """How the charge stands that a notice is about."""

    RANK = Rank.APPLY

    duty: Duty
    notice: Notice
    attempt: Attempt
    news: News[Verdict]

    def keys(self) -> Iterable[Key]:
        yield Duty, (self.duty.account, self.duty.id)
        yield Notice, (self.notice.account, self.notice.psp, self.notice.id)
        yield from verdict_keys(self.attempt, self.news.verdict)

    def decide(self, work: Work) -> None:
        verdict = self.news.verdict
        if isinstance(verdict, NotSent | NoVerdict):
            later(work, self.duty, verdict.reason)
        elif isinstance(verdict, NotFound):
            park(work, self.duty, NOT_AT_PSP)
        elif verdict.psp_reference != self.notice.psp_reference:
            park(work, self.duty, ANOTHERS, for_good=True)
        elif apply(work, self.attempt.account, self.attempt.id, self.news):
            done(work, self.duty)
        else:
            park(work, self.duty, ANOTHERS, for_good=True)


async def _heard(desk: PaymentDesk, duty: Duty, notice: Notice) -> Command[None]:
    if notice.about != "charge":
        return Heeded(duty=duty, notice=notice, parked=NO_REFUNDS)
    attempt = await desk.reader.get(Attempt, notice.account, notice.reference)
    if attempt is None or attempt.psp != notice.psp:
        return Heeded(duty=duty, notice=notice, parked=UNKNOWN)
    if not may_change(attempt):
        return Heeded(duty=duty, notice=notice)
    return ChargeHeard(duty=duty, notice=notice, attempt=attempt, news=await ask_about(desk, attempt))


async def ask_about(desk: PaymentDesk, attempt: Attempt) -> News[Verdict]:
    """How its charge stands at the PSP now."""
    _, question = await about_attempt(desk, attempt.account, attempt.id)
    verdict = await desk.psp(attempt.psp).look_up(question)
    desk.metrics.verdicts.labels(attempt.psp, type(verdict).__name__).inc()
    return News(verdict=verdict, cause=CAUSE, terms=terms_of(desk, attempt.id))


def may_change(attempt: Attempt) -> bool:
    """Whether any verdict could still mean something for it."""
    return any(status == attempt.status for status, _ in STEPS)


def done(work: Work, duty: Duty) -> None:
    """What it told is in."""
    _change(work, duty, status="applied", reason="", settled_ms=work.now_ms)
    finish(work, duty)


def later(work: Work, duty: Duty, reason: str) -> None:
    """The PSP could not be asked: try again, for as long as it takes."""
    _change(work, duty, reason=reason)
    put_off(work, duty, due_ms=work.now_ms + _wait_ms(duty))


def park(work: Work, duty: Duty, reason: str, *, for_good: bool = False) -> None:
    """Show it to people, and look again for a while."""
    notice = _change(work, duty, status="parked", reason=reason)
    until_ms = notice.received_ms + PARKED_MS
    if for_good or work.now_ms >= until_ms:
        work.change(notice, settled_ms=work.now_ms)
        finish(work, duty)
    else:
        put_off(work, duty, due_ms=min(work.now_ms + _wait_ms(duty), until_ms))


def _change(work: Work, duty: Duty, **new: Any) -> Notice:
    notice = work.get(Notice, *key_of(duty))
    return work.change(notice, tries=notice.tries + 1, **new)


def _wait_ms(duty: Duty) -> int:
    return AGAIN_SECONDS[min(duty.tries, len(AGAIN_SECONDS) - 1)] * 1000
