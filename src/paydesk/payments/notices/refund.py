"""A notice about a refund."""

from collections.abc import Iterable

from paydesk.events.record import keys as event_keys
from paydesk.ledger import Chart, LedgerTransaction
from paydesk.ledger.post import keys as balance_keys
from paydesk.payments.ask import PaymentDesk
from paydesk.payments.notices.fate import ANOTHERS, CAUSE, NOT_AT_PSP, UNKNOWN, Heed, Park, done, later, park
from paydesk.payments.refund import refund_duty_id
from paydesk.payments.refund_ask import about_refund
from paydesk.payments.refund_books import kind_given
from paydesk.payments.refund_outcome import WATCH_REFUND, apply_refund
from paydesk.payments.rows import Intent, Notice, Refund
from paydesk.psp.base import NotFound, NotSent, NoVerdict, RefundVerdict
from paydesk.requests.rows import Kept
from paydesk.store import Duty, Key, Work


async def heed_refund(desk: PaymentDesk, duty: Duty, notice: Notice) -> Heed:
    """How the refund stands, where it is ours."""
    refund = await desk.reader.get(Refund, notice.account, notice.reference)
    if refund is None or refund.psp != notice.psp:
        return Park(duty=duty, reason=UNKNOWN)
    refund, question = await about_refund(desk, notice.account, refund.id)
    verdict = await desk.psp(refund.psp).look_up_refund(question)
    desk.metrics.verdicts.labels(refund.psp, type(verdict).__name__).inc()
    return RefundHeard(duty=duty, notice=notice, refund=refund, verdict=verdict)


class RefundHeard(Heed, frozen=True):
    """How the refund stands that a notice is about."""

    notice: Notice
    refund: Refund
    """As it was read when the PSP was asked; decided is on the row of now."""
    verdict: RefundVerdict

    def keys(self) -> Iterable[Key]:
        refund, chart = self.refund, Chart(self.refund.account, self.refund.currency)
        yield from super().keys()
        yield from event_keys(refund.account)
        yield Refund, (refund.account, refund.id)
        yield Intent, (refund.account, refund.intent)
        yield Duty, (refund.account, refund_duty_id(refund.id))
        yield Duty, (refund.account, f"{WATCH_REFUND}:{refund.id}")
        yield Kept, (refund.account, refund.idempotency_key)
        if not isinstance(self.verdict, NotSent | NoVerdict | NotFound):
            yield LedgerTransaction, (refund.account, refund.psp, self.verdict.psp_reference, kind_given(refund))
            yield from balance_keys(refund.account, [chart.refunds, chart.psp_clearing(refund.psp)])

    def decide(self, work: Work) -> str:
        if isinstance(self.verdict, NotSent | NoVerdict):
            return later(work, self.duty, self.verdict.reason)
        if isinstance(self.verdict, NotFound):
            return park(work, self.duty, NOT_AT_PSP)
        refund = work.get(Refund, self.refund.account, self.refund.id)
        named = self.verdict.psp_reference == self.notice.psp_reference
        if named and apply_refund(work, refund, self.verdict, CAUSE):
            return done(work, self.duty)
        return park(work, self.duty, ANOTHERS, for_good=True)
