"""A notice about a dispute: the bank's quarrel with a charge, which only ever begins and ends at the PSP."""

from collections.abc import Iterable

from paydesk.payments.ask import PaymentDesk, about_attempt, store
from paydesk.payments.dispute import apply_dispute, dispute_keys
from paydesk.payments.notices.charge import ask_about, attempt_of
from paydesk.payments.notices.fate import ANOTHERS, CAUSE, NOT_AT_PSP, UNKNOWN, Heed, Later, Park, done, later, park
from paydesk.payments.outcome import apply
from paydesk.payments.outcome import keys as verdict_keys
from paydesk.payments.rows import Attempt, Intent, Notice
from paydesk.payments.terms import News
from paydesk.psp.base import DisputeVerdict, NotFound, NotSent, NoVerdict, Verdict
from paydesk.store import Command, Duty, Key, Rank, Work

NOT_PAID = "The charge that is disputed is not paid here."


async def heed_dispute(desk: PaymentDesk, duty: Duty, notice: Notice) -> Heed:
    """How the dispute stands, once its charge is known to be paid: that news may be on its way still."""
    attempt = await attempt_of(desk, notice)
    if attempt is None:
        return Park(duty=duty, reason=UNKNOWN)
    if not attempt.captured_minor:
        news = await ask_about(desk, attempt)
        if isinstance(news.verdict, NotSent | NoVerdict):
            return Later(duty=duty, reason=news.verdict.reason)
        await store(desk, ChargeNews(attempt=attempt, news=news))
        attempt = await attempt_of(desk, notice)
    if attempt is None or not attempt.captured_minor:
        return Park(duty=duty, reason=NOT_PAID)
    _, question = await about_attempt(desk, attempt.account, attempt.id)
    verdict = await desk.psp(attempt.psp).look_up_dispute(question.place, notice.psp_reference)
    desk.metrics.verdicts.labels(attempt.psp, type(verdict).__name__).inc()
    intent = await desk.reader.get(Intent, attempt.account, attempt.intent)
    day = intent.matures_on if intent else ""
    return DisputeHeard(duty=duty, notice=notice, attempt=attempt, verdict=verdict, day=day)


class ChargeNews(Command[bool], frozen=True):
    """How a charge stands of which a dispute told first."""

    RANK = Rank.APPLY

    attempt: Attempt
    news: News[Verdict]

    def keys(self) -> Iterable[Key]:
        return verdict_keys(self.attempt, self.news.verdict)

    def decide(self, work: Work) -> bool:
        return apply(work, self.attempt.account, self.attempt.id, self.news)


class DisputeHeard(Heed, frozen=True):
    """How the dispute stands that a notice is about."""

    notice: Notice
    attempt: Attempt
    """As it was read when the PSP was asked; decided is on the row of now."""
    verdict: DisputeVerdict
    day: str
    """On which the disputed money matures, or did: a hint."""

    def keys(self) -> Iterable[Key]:
        yield from super().keys()
        yield from dispute_keys(self.attempt, self.notice.psp_reference, self.day)

    def decide(self, work: Work) -> str:
        verdict = self.verdict
        if isinstance(verdict, NotSent | NoVerdict):
            return later(work, self.duty, verdict.reason)
        if isinstance(verdict, NotFound):
            return park(work, self.duty, NOT_AT_PSP)
        attempt = work.get(Attempt, self.attempt.account, self.attempt.id)
        if (verdict.reference, verdict.psp_reference) != (attempt.id, self.notice.psp_reference):
            return park(work, self.duty, ANOTHERS, for_good=True)
        if why := apply_dispute(work, attempt, verdict, CAUSE):
            return park(work, self.duty, why)
        return done(work, self.duty)
