"""Refunding: record the refund, take its amount from the merchant, owe the question to the PSP.

What is refunded, being refunded and disputed never exceeds what was captured: decided here, on the intent's row.
"""

from collections.abc import Iterable

from msgspec import Struct

from paydesk.errors import Refusal
from paydesk.events.record import keys as event_keys
from paydesk.ledger import Balance, Chart, Maturity
from paydesk.merchants import Account
from paydesk.money import Fee
from paydesk.payments import refund_books
from paydesk.payments.refund_shapes import render_refund
from paydesk.payments.rows import Attempt, Intent, Refund
from paydesk.payments.states import Status
from paydesk.payments.tell import announce, change
from paydesk.requests.once import Reply
from paydesk.store import Command, Duty, Key, Rank, Work

REFUND = "refund"


class Begun(Struct, frozen=True, kw_only=True):
    """The refund, and the duty that asks the PSP for it."""

    refund: Refund
    duty: Duty


class BeginRefund(Command[Reply], frozen=True):
    """Record that the PSP is to give back a part of what an intent received, or all that is left of it."""

    RANK = Rank.CONFIRM

    intent: Intent
    """As it was read at the door; decided is on the row of now."""
    amount_minor: int | None
    """None: all that is left."""
    reason: str | None
    metadata: str
    """JSON object of strings."""
    cause: str
    idempotency_key: str

    def keys(self) -> Iterable[Key]:
        intent = self.intent
        chart = Chart(intent.account, intent.currency)
        yield Intent, (intent.account, intent.id)
        yield Account, (intent.account,)
        yield from event_keys(intent.account)
        yield Maturity, (intent.account, intent.currency, intent.matures_on)
        yield Balance, (intent.account, chart.refunds)
        for name in (chart.merchant_pending, chart.merchant_available, chart.fees):
            yield Balance, (intent.account, name)
        if intent.latest_attempt:
            yield Attempt, (intent.account, intent.latest_attempt)

    def size_bytes(self) -> int:
        return 512 + len(self.metadata)

    def decide(self, work: Work) -> Reply:
        intent = work.get(Intent, self.intent.account, self.intent.id)
        begun = begin(
            work,
            intent,
            amount_minor=self._amount(intent),
            reason=self.reason,
            metadata=self.metadata,
            cause=self.cause,
            idempotency_key=self.idempotency_key,
        )
        return Reply(running=True, object_id=begun.refund.id, operation=begun.refund.id, duty=begun.duty)

    def _amount(self, intent: Intent) -> int:
        if intent.status != Status.SUCCEEDED:
            raise Refusal("invalid_state", f"This payment is {intent.status}; there is nothing to refund.")
        left = refundable_minor(intent)
        if left <= 0:
            raise Refusal("invalid_state", "All of this payment is refunded, being refunded or disputed.")
        if self.amount_minor is not None and self.amount_minor > left:
            raise Refusal("amount_too_large", f"At most {left} can be refunded.", param="amount")
        return left if self.amount_minor is None else self.amount_minor


def refundable_minor(intent: Intent) -> int:
    """What of it can still be refunded."""
    return intent.received_minor - intent.refunding_minor - intent.refunded_minor - intent.disputed_minor


def begin(
    work: Work,
    intent: Intent,
    *,
    amount_minor: int,
    cause: str,
    reason: str | None = None,
    metadata: str = "{}",
    idempotency_key: str = "",
    refund_id: str = "",
) -> Begun:
    """A refund of what the intent received; the caller has seen that there is so much of it."""
    account = work.look(Account, intent.account)
    assert account is not None
    assert intent.latest_attempt is not None
    attempt = work.get(Attempt, intent.account, intent.latest_attempt)
    return record(
        work,
        intent,
        attempt,
        cause,
        amount_minor=amount_minor,
        currency=intent.currency,
        fee_minor=Fee.parse(account.refund_fee).of(amount_minor),
        reason=reason,
        metadata=metadata,
        idempotency_key=idempotency_key,
        refund_id=refund_id,
    )


def record(
    work: Work,
    intent: Intent,
    attempt: Attempt,
    cause: str,
    *,
    amount_minor: int,
    currency: str,
    fee_minor: int = 0,
    reason: str | None = None,
    metadata: str = "{}",
    idempotency_key: str = "",
    late_payment: str = "",
    refund_id: str = "",
) -> Begun:
    """Record the refund of this attempt's charge: row, books, event, the intent's amounts, and the duty. `refund_id`
    where it has one already.
    """
    assert attempt.psp_reference is not None
    refund = work.add(
        Refund(
            account=intent.account,
            id=refund_id or work.id("re", intent.account),
            intent=intent.id,
            late_payment=late_payment,
            psp=attempt.psp,
            psp_url=attempt.psp_url,
            charge=attempt.psp_reference,
            amount_minor=amount_minor,
            currency=currency,
            fee_minor=fee_minor,
            livemode=intent.livemode,
            reason=reason,
            metadata=metadata,
            sending_ms=work.now_ms,
            idempotency_key=idempotency_key,
            latest_event=work.id("evt", intent.account),
            created_ms=work.now_ms,
        )
    )
    refund_books.begun(work, refund, intent.matures_on)
    announce(work, "refund.created", refund, None, render_refund(refund))
    facts = {"amount": amount_minor, "currency": currency}
    new = refund_books.amounts(refund, intent, refunding=amount_minor)
    change(work, intent, "refund_begun", cause, about=refund.id, facts=facts, **new)
    return Begun(refund=refund, duty=work.owe(refund_duty(refund)))


def refund_duty(refund: Refund) -> Duty:
    """The duty that asks the PSP about this refund until it has said how it went."""
    return Duty(account=refund.account, id=refund_duty_id(refund.id), kind=REFUND, subject=refund.id)


def refund_duty_id(refund: str) -> str:
    return f"{REFUND}:{refund}"
