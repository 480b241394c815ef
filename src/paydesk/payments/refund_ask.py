"""Asking the PSP for a refund: sent once, then only looked up; sent again only where the PSP surely has nothing of it.

That is sure when a look-up finds nothing that was asked for later than `max_in_flight` after the last request ended, or
where no request ever got to the PSP. Look-ups come further and further apart, and so does what they have sent again. It
is sent with the same idempotency key each time, and no more once half of the PSP's window is over, counted from when
the first may have arrived: then it ends as not made. A refund is wanted money, so a PSP that can't be reached is tried
again for as long as it takes.
"""

from collections.abc import Iterable

from paydesk.duties.lease import held, put_off
from paydesk.payments.ask import PaymentDesk, store
from paydesk.payments.outcome import CHECKS_SECONDS, PSP
from paydesk.payments.refund import refund_duty_id
from paydesk.payments.refund_outcome import OPEN, WATCH_DAYS, NotMade, Verdict, apply_refund, keys
from paydesk.payments.rows import Intent, Refund
from paydesk.payments.tell import change
from paydesk.psp.base import NotFound, NotSent, NoVerdict, Place, Psp, RefundQuestion, Rejected
from paydesk.store import Command, Duty, Key, Rank, Work
from paydesk.times import DAY_MS

AGAIN_SECONDS_MAX = 3_600  # A refund that the PSP may not have is not put off for a day.


async def run_refund(desk: PaymentDesk, duty: Duty) -> None:
    """Send it where it is new, else look it up, and perhaps send it again; then apply what was said."""
    refund, question = await _about(desk, duty)
    psp = desk.psp(refund.psp)
    sent = refund.sending_ms is not None and duty.lease == 1 and not duty.tries
    verdict = await (_send(psp, question) if sent else _looked_up(desk, psp, refund, question))
    if isinstance(verdict, NotFound):
        verdict, sent = await _send_again(desk, psp, duty, refund, question)
    desk.metrics.verdicts.labels(refund.psp, type(verdict).__name__).inc()
    if not await store(desk, RefundOutcome(duty=duty, refund=refund, verdict=verdict, sent=sent)):
        desk.log.error("refund_of_another", refund=refund.id, verdict=verdict)


async def watch_refund(desk: PaymentDesk, duty: Duty) -> None:
    """Whether a refund that succeeded still stands: the bank may have sent the money back, and the notice got lost."""
    refund, question = await _about(desk, duty)
    verdict = await desk.psp(refund.psp).look_up_refund(question)
    await store(desk, Watched(duty=duty, refund=refund, verdict=verdict))


async def _about(desk: PaymentDesk, duty: Duty) -> tuple[Refund, RefundQuestion]:
    return await about_refund(desk, duty.account, duty.subject)


async def about_refund(desk: PaymentDesk, account_id: str, refund_id: str) -> tuple[Refund, RefundQuestion]:
    """The refund, and how every question about it names it."""
    refund = await desk.reader.get(Refund, account_id, refund_id)
    account = await desk.account(account_id)
    if refund is None or account is None:
        raise AssertionError(f"{refund_id} or its account is not there")
    question = RefundQuestion(
        place=Place(url=refund.psp_url, key=desk.psp_key(account)),
        reference=refund.id,
        charge=refund.charge,
        amount_minor=refund.amount_minor,
        currency=refund.currency,
    )
    return refund, question


async def _send(psp: Psp, question: RefundQuestion) -> Verdict:
    """A PSP that will not do it is asked once whether it has it, before it is believed."""
    said = await psp.refund(question)
    if not isinstance(said, Rejected):
        return said
    found = await psp.look_up_refund(question)
    if isinstance(found, NotFound):
        return NotMade(reason="refused")
    return NoVerdict(reason=found.reason) if isinstance(found, NotSent) else found


async def _looked_up(desk: PaymentDesk, psp: Psp, refund: Refund, question: RefundQuestion) -> Verdict:
    """What the PSP has. NotFound only where that is definitive: what a slow answer says was true when it was asked for,
    and somebody who died may have sent it a moment ago.
    """
    asked_ms = desk.world.now_ms()
    verdict = await psp.look_up_refund(question)
    if isinstance(verdict, NotSent):
        return NoVerdict(reason=verdict.reason)
    if not isinstance(verdict, NotFound):
        return verdict
    if refund.status != "asking":
        desk.log.error("refund_lost_by_psp", refund=refund.id)
        return NoVerdict(reason="the PSP no longer knows it")
    quiet = refund.sending_ms is None and asked_ms >= refund.quiet_ms + psp.promises.max_in_flight_seconds * 1000
    return verdict if quiet else NoVerdict(reason="not found yet")


async def _send_again(
    desk: PaymentDesk, psp: Psp, duty: Duty, refund: Refund, question: RefundQuestion
) -> tuple[Verdict, bool]:
    """The PSP surely has nothing of it: send it, if that may still be done. Also says whether it was."""
    half_window_ms = psp.promises.idempotency_window_seconds * 500
    if refund.sent_ms is not None and desk.world.now_ms() - refund.sent_ms >= half_window_ms:
        return NotMade(reason="not_sent"), False
    if not await store(desk, SendAgain(duty=duty, refund=refund)):
        return NoVerdict(reason="somebody brought news meanwhile"), False
    return await _send(psp, question), True


class SendAgain(Command[bool], frozen=True):
    """Say that it is being sent, before it is: whoever comes after a crash must know. False where it shall not be."""

    RANK = Rank.APPLY

    duty: Duty
    refund: Refund

    def keys(self) -> Iterable[Key]:
        yield Refund, (self.refund.account, self.refund.id)
        yield Duty, (self.duty.account, self.duty.id)

    def decide(self, work: Work) -> bool:
        held(work, self.duty)
        refund = work.get(Refund, self.refund.account, self.refund.id)
        if refund.status != "asking" or refund.sending_ms is not None:
            return False
        work.change(refund, sending_ms=work.now_ms)
        return True


class RefundOutcome(Command[bool], frozen=True):
    """What the PSP said of a refund that is open. Replies whether that can be, as `apply_refund` does."""

    RANK = Rank.APPLY

    duty: Duty
    refund: Refund
    """As it was read before the PSP was asked; decided is on the row of now."""
    verdict: Verdict
    sent: bool
    """Whether it was sent, or only looked up."""

    def keys(self) -> Iterable[Key]:
        return keys(self.refund)

    def decide(self, work: Work) -> bool:
        refund = work.get(Refund, self.refund.account, self.refund.id)
        can_be = apply_refund(work, refund, self.verdict, PSP)
        refund = work.get(Refund, refund.account, refund.id)
        if refund.status in OPEN:
            self._ask_again(work, refund)
        elif duty := work.find(Duty, refund.account, refund_duty_id(refund.id)):
            work.remove(duty)
        return can_be

    def _ask_again(self, work: Work, refund: Refund) -> None:
        row = held(work, self.duty)
        wait_ms = CHECKS_SECONDS[min(row.tries, len(CHECKS_SECONDS) - 1)] * 1000
        if refund.status == "asking":
            self._remember(work, refund)
            wait_ms = min(wait_ms, AGAIN_SECONDS_MAX * 1000)
        # Noted is since when it is not known whether the PSP has it: what `paydesk outcomes` lists.
        note = row.note or str(work.now_ms) if refund.status == "asking" else ""
        put_off(work, self.duty, due_ms=work.now_ms + wait_ms, note=note)

    def _remember(self, work: Work, refund: Refund) -> None:
        """What is known of where it is: nobody sends it any more, and it may have been received, or surely was not."""
        known: dict[str, int | None] = {}
        if refund.sending_ms is not None:
            known["sending_ms"] = None
            if not (self.sent and isinstance(self.verdict, NotSent)):
                known |= {"quiet_ms": work.now_ms, "sent_ms": refund.sent_ms or refund.sending_ms}
        if not refund.outcome_unknown:
            known["outcome_unknown"] = 1
            intent = work.get(Intent, refund.account, refund.intent)
            change(work, intent, "refund_unknown", PSP, about=refund.id, facts={"reason": _reason(self.verdict)})
        if known:
            work.change(refund, **known)


class Watched(Command[None], frozen=True):
    """How a refund that had succeeded stands; the next look is further off each time."""

    RANK = Rank.APPLY

    duty: Duty
    refund: Refund
    verdict: Verdict

    def keys(self) -> Iterable[Key]:
        return keys(self.refund)

    def decide(self, work: Work) -> None:
        refund = work.get(Refund, self.refund.account, self.refund.id)
        apply_refund(work, refund, self.verdict, PSP)
        refund = work.get(Refund, refund.account, refund.id)
        if refund.status != "succeeded":
            return
        row = held(work, self.duty)
        if isinstance(self.verdict, NotSent | NoVerdict):
            put_off(work, self.duty, due_ms=work.now_ms + AGAIN_SECONDS_MAX * 1000)
        elif next_ms := _next_watch_ms(refund, work.now_ms):
            put_off(work, self.duty, due_ms=next_ms)
        else:
            work.remove(row)


def _next_watch_ms(refund: Refund, now_ms: int) -> int | None:
    assert refund.settled_ms is not None
    days = (refund.settled_ms + day * DAY_MS for day in WATCH_DAYS)
    return next((at_ms for at_ms in days if at_ms > now_ms), None)


def _reason(verdict: Verdict) -> str:
    return verdict.reason if isinstance(verdict, NotSent | NoVerdict) else type(verdict).__name__
