"""Money that arrives when its attempt counts as over. It never flips a payment that is over.

An intent that is still open, with nothing under way, and asks for just this amount is paid by it. Otherwise it is a
late payment, and what becomes of it the merchant's account says: `refund`, `hold` or `keep`.
"""

from collections.abc import Iterable

from paydesk.errors import Refusal
from paydesk.events.record import keys as event_keys
from paydesk.ledger import Balance, Chart, LedgerTransaction
from paydesk.merchants import Account
from paydesk.payments import refund, settle
from paydesk.payments.late_payment import book_arrival, book_keeping, change_late
from paydesk.payments.late_shapes import render_late
from paydesk.payments.rows import Attempt, Intent, LatePayment
from paydesk.payments.tell import announce, change
from paydesk.payments.terms import News
from paydesk.payments.update import OPEN
from paydesk.psp.base import Captured
from paydesk.requests.once import Reply
from paydesk.store import Command, Key, Work

OPERATOR = "operator"
"""Whose doing it is where the account's setting decides."""


def late(work: Work, intent: Intent, attempt: Attempt, news: News[Captured]) -> None:
    """An attempt that counted as over took the money after all."""
    asked = (intent.amount_minor, intent.currency)
    if intent.status in OPEN and not intent.errand and asked == (news.verdict.amount_minor, news.verdict.currency):
        settle.captured(work, intent, attempt, news)
        return
    settle.settle_attempt(
        work,
        attempt,
        "captured",
        psp_reference=news.verdict.psp_reference,
        captured_minor=news.verdict.amount_minor,
    )
    _arrived(work, intent, attempt, news)


def keys(attempt: Attempt, verdict: Captured) -> Iterable[Key]:
    """The rows that money wants which arrives late, beside those of any capture: a hint for the committer."""
    chart = Chart(attempt.account, verdict.currency)
    for kind in ("late_payment", "late_payment_kept"):
        yield LedgerTransaction, (attempt.account, attempt.psp, verdict.psp_reference, kind)
    yield Balance, (attempt.account, chart.late_payments)


def _arrived(work: Work, intent: Intent, attempt: Attempt, news: News[Captured]) -> None:
    account = work.look(Account, intent.account)
    assert account is not None
    made = work.add(
        LatePayment(
            account=intent.account,
            id=work.id("lp", intent.account),
            intent=intent.id,
            attempt=attempt.id,
            psp=attempt.psp,
            psp_reference=news.verdict.psp_reference,
            amount_minor=news.verdict.amount_minor,
            currency=news.verdict.currency,
            livemode=intent.livemode,
            latest_event=work.id("evt", intent.account),
            created_ms=work.now_ms,
        )
    )
    book_arrival(work, made)
    facts = {"amount": made.amount_minor, "currency": made.currency, "psp_reference": made.psp_reference}
    change(work, intent, "late_payment", news.cause, about=made.id, facts=facts)
    if news.terms.sent_back or account.late_payments == "refund":
        refund_id = _send_back(work, made, OPERATOR, refund_id=news.terms.sent_back)
        made = work.change(made, status="refunding", refund=refund_id)
    elif account.late_payments == "keep":
        made = work.change(made, status="kept", settled_ms=work.now_ms)
        _keep(work, made, OPERATOR)
    announce(work, "late_payment.created", made, None, render_late(made))


class DecideLate(Command[Reply], frozen=True):
    """What the merchant decides about a late payment that is held: to send it back, or to keep it. Once."""

    late_payment: LatePayment
    """As it was read at the door; decided is on the row of now."""
    keep: bool
    cause: str

    def keys(self) -> Iterable[Key]:
        held = self.late_payment
        chart = Chart(held.account, held.currency)
        yield LatePayment, (held.account, held.id)
        yield Intent, (held.account, held.intent)
        yield Account, (held.account,)
        yield from event_keys(held.account)
        if self.keep:
            yield LedgerTransaction, (held.account, held.psp, held.psp_reference, "late_payment_kept")
            for name in (chart.late_payments, chart.merchant_pending, chart.merchant_available, chart.fees):
                yield Balance, (held.account, name)
        else:
            yield Attempt, (held.account, held.attempt)

    def decide(self, work: Work) -> Reply:
        held = work.get(LatePayment, self.late_payment.account, self.late_payment.id)
        if held.status != "held":
            raise Refusal("invalid_state", f"This late payment is {held.status}; there is nothing to decide.")
        if self.keep:
            decided = change_late(work, held, status="kept", settled_ms=work.now_ms)
            _keep(work, decided, self.cause)
        else:
            if held.refund:
                message = "Its one refund failed. Pay the shopper another way, then keep it."
                raise Refusal("invalid_state", message)
            decided = change_late(work, held, status="refunding", refund=_send_back(work, held, self.cause))
        return Reply(body=render_late(decided), object_id=decided.id)


def _send_back(work: Work, held: LatePayment, cause: str, *, refund_id: str = "") -> str:
    """Begin the one refund, of all of it, or write down one that the PSP has made; its id."""
    intent = work.get(Intent, held.account, held.intent)
    attempt = work.get(Attempt, held.account, held.attempt)
    begun = refund.record(
        work,
        intent,
        attempt,
        cause,
        amount_minor=held.amount_minor,
        currency=held.currency,
        late_payment=held.id,
        refund_id=refund_id,
    )
    return begun.refund.id


def _keep(work: Work, kept: LatePayment, cause: str) -> None:
    book_keeping(work, kept)
    intent = work.get(Intent, kept.account, kept.intent)
    change(work, intent, "late_payment_kept", cause, about=kept.id, facts={"amount": kept.amount_minor})
