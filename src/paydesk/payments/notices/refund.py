"""A notice about a refund."""

from collections.abc import Iterable

from paydesk.ledger import LedgerTransaction
from paydesk.payments import refund_outcome
from paydesk.payments.ask import PaymentDesk
from paydesk.payments.notices.fate import ANOTHERS, CAUSE, NOT_AT_PSP, UNKNOWN, Heed, Park, done, later, park
from paydesk.payments.refund_ask import about_refund
from paydesk.payments.refund_books import kind_given
from paydesk.payments.rows import Notice, Refund
from paydesk.psp.base import NotFound, NotSent, NoVerdict, RefundVerdict
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
        refund = self.refund
        yield from super().keys()
        yield from refund_outcome.keys(refund)
        if not isinstance(self.verdict, NotSent | NoVerdict | NotFound):
            yield LedgerTransaction, (refund.account, refund.psp, self.verdict.psp_reference, kind_given(refund))

    def decide(self, work: Work) -> str:
        if isinstance(self.verdict, NotSent | NoVerdict):
            return later(work, self.duty, self.verdict.reason)
        if isinstance(self.verdict, NotFound):
            return park(work, self.duty, NOT_AT_PSP)
        refund = work.get(Refund, self.refund.account, self.refund.id)
        named = self.verdict.psp_reference == self.notice.psp_reference
        if named and refund_outcome.apply_refund(work, refund, self.verdict, CAUSE):
            return done(work, self.duty)
        return park(work, self.duty, ANOTHERS, for_good=True)
