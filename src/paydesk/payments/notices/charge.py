"""A notice about a charge."""

from collections.abc import Iterable

from paydesk.payments.ask import PaymentDesk, about_attempt, terms_of
from paydesk.payments.notices.fate import ANOTHERS, CAUSE, NOT_AT_PSP, UNKNOWN, Heed, Nothing, Park, done, later, park
from paydesk.payments.outcome import apply
from paydesk.payments.outcome import keys as verdict_keys
from paydesk.payments.rows import Attempt, Notice
from paydesk.payments.steps import STEPS
from paydesk.payments.terms import News
from paydesk.psp.base import NotFound, NotSent, NoVerdict, Verdict
from paydesk.store import Duty, Key, Work


async def heed_charge(desk: PaymentDesk, duty: Duty, notice: Notice) -> Heed:
    """How its charge stands, where it is ours and anything could still come of it."""
    attempt = await attempt_of(desk, notice)
    if attempt is None:
        return Park(duty=duty, reason=UNKNOWN)
    if not any(status == attempt.status for status, _ in STEPS):
        return Nothing(duty=duty)
    return ChargeHeard(duty=duty, notice=notice, attempt=attempt, news=await ask_about(desk, attempt))


class ChargeHeard(Heed, frozen=True):
    """How the charge stands that a notice is about."""

    notice: Notice
    attempt: Attempt
    """As it was read when the PSP was asked; decided is on the row of now."""
    news: News[Verdict]

    def keys(self) -> Iterable[Key]:
        yield from super().keys()
        yield from verdict_keys(self.attempt, self.news.verdict)

    def decide(self, work: Work) -> str:
        verdict = self.news.verdict
        if isinstance(verdict, NotSent | NoVerdict):
            return later(work, self.duty, verdict.reason)
        if isinstance(verdict, NotFound):
            return park(work, self.duty, NOT_AT_PSP)
        named = verdict.psp_reference == self.notice.psp_reference
        if named and apply(work, self.attempt.account, self.attempt.id, self.news):
            return done(work, self.duty)
        return park(work, self.duty, ANOTHERS, for_good=True)


async def attempt_of(desk: PaymentDesk, notice: Notice) -> Attempt | None:
    """The attempt that a notice names; None where that is none of this account at this PSP."""
    attempt = await desk.reader.get(Attempt, notice.account, notice.reference)
    return attempt if attempt and attempt.psp == notice.psp else None


async def ask_about(desk: PaymentDesk, attempt: Attempt) -> News[Verdict]:
    """How its charge stands at the PSP now."""
    _, question = await about_attempt(desk, attempt.account, attempt.id)
    verdict = await desk.psp(attempt.psp).look_up(question)
    desk.metrics.verdicts.labels(attempt.psp, type(verdict).__name__).inc()
    return News(verdict=verdict, cause=CAUSE, terms=terms_of(desk, attempt.id))
