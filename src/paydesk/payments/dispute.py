"""Disputes: a cardholder's bank takes a charge back. The one door through which their standing becomes status, books
and event, in the caller's commit.

A dispute is the bank's doing alone: it may be of more than is left after refunds, and is posted and shown all the same;
what the merchant has then goes below nothing. Once closed it stays as it is: news that contradict that change nothing.
One of a late payment is the merchant's too, whatever was decided about the payment: there is nobody else to pay it.
"""

from collections.abc import Iterable

from paydesk.events.record import keys as event_keys
from paydesk.ledger import Balance, Chart, LedgerTransaction, Maturity
from paydesk.merchants import Account
from paydesk.money import Fee
from paydesk.payments import postings
from paydesk.payments.booking import book, chart_of
from paydesk.payments.dispute_shapes import render_dispute
from paydesk.payments.maturity import take_back
from paydesk.payments.rows import Attempt, Dispute, DisputeReference, Intent
from paydesk.payments.tell import announce, change
from paydesk.psp.base import DisputeStanding
from paydesk.store import Key, Work

OPEN = "needs_response"


def apply_dispute(work: Work, attempt: Attempt, standing: DisputeStanding, cause: str) -> str:
    """Do what the standing means for this attempt's money. Empty, or a sentence that says why it can't be.

    A dispute of which only the end is heard is opened and closed in one.
    """
    reference = work.find(DisputeReference, attempt.account, attempt.psp, standing.psp_reference)
    dispute = work.get(Dispute, attempt.account, reference.dispute) if reference else None
    if why := _contradiction(attempt, dispute, standing):
        return why
    if dispute is None:
        dispute = _open(work, attempt, standing, cause)
    if standing.status != dispute.status:
        _close(work, dispute, standing.status, cause)
    return ""


def _contradiction(attempt: Attempt, dispute: Dispute | None, standing: DisputeStanding) -> str:
    """Why this standing can't be that of a dispute of this attempt, or of this dispute."""
    if standing.currency != attempt.currency or standing.amount_minor < 1:
        return f"The PSP disputes {standing.amount_minor} {standing.currency} of a charge in {attempt.currency}."
    if dispute is None:
        return ""
    if dispute.attempt != attempt.id:
        return f"This dispute is of {dispute.attempt} here."
    if dispute.amount_minor != standing.amount_minor:
        return f"The dispute is of {dispute.amount_minor} here, and the PSP says {standing.amount_minor}."
    if dispute.status not in (OPEN, standing.status):
        return f"The dispute is {dispute.status} here, and the PSP says {standing.status}."
    return ""


def _open(work: Work, attempt: Attempt, standing: DisputeStanding, cause: str) -> Dispute:
    """The merchant has the amount no more, and pays the fee."""
    intent = work.get(Intent, attempt.account, attempt.intent)
    account = work.look(Account, attempt.account)
    assert account is not None
    fee_minor = Fee.parse(account.dispute_fee).of(standing.amount_minor)
    dispute = work.add(
        Dispute(
            account=attempt.account,
            id=work.id("dp", attempt.account),
            intent=intent.id,
            attempt=attempt.id,
            psp=attempt.psp,
            psp_reference=standing.psp_reference,
            amount_minor=standing.amount_minor,
            currency=standing.currency,
            fee_minor=fee_minor,
            reason=standing.reason,
            status=OPEN,
            livemode=intent.livemode,
            latest_event=work.id("evt", attempt.account),
            created_ms=work.now_ms,
        )
    )
    work.add(
        DisputeReference(
            account=dispute.account, psp=dispute.psp, psp_reference=dispute.psp_reference, dispute=dispute.id
        )
    )
    taken_minor = dispute.amount_minor + fee_minor
    day = intent.matures_on if _is_of_intent(intent, dispute) else ""
    owed = take_back(work, dispute.account, dispute.currency, day, taken_minor)
    lines = postings.dispute_opened(
        chart_of(dispute), owed=owed, amount_minor=dispute.amount_minor, fee_minor=fee_minor
    )
    book(work, dispute, "dispute_opened", lines)
    announce(work, "charge.dispute.created", dispute, None, render_dispute(dispute))
    _note(work, dispute, "dispute_opened", cause, disputed=dispute.amount_minor)
    return dispute


def _close(work: Work, dispute: Dispute, status: str, cause: str) -> None:
    """The bank has decided. The fee is kept either way."""
    closed = work.change(
        dispute,
        status=status,
        closed_ms=work.now_ms,
        event_sequence=dispute.event_sequence + 1,
        latest_event=work.id("evt", dispute.account),
    )
    won, chart = status == "won", chart_of(dispute)
    if won:
        lines = postings.dispute_won(chart, amount_minor=dispute.amount_minor)
    else:
        lines = postings.dispute_lost(chart, psp=dispute.psp, amount_minor=dispute.amount_minor)
    book(work, dispute, f"dispute_{status}", lines)
    announce(work, "charge.dispute.closed", closed, dispute.latest_event, render_dispute(closed))
    _note(work, closed, f"dispute_{status}", cause, disputed=-dispute.amount_minor if won else 0)


def _note(work: Work, dispute: Dispute, what: str, cause: str, *, disputed: int) -> None:
    """The intent's timeline, and its amount where it is the intent's money."""
    intent = work.get(Intent, dispute.account, dispute.intent)
    facts = {"amount": dispute.amount_minor, "currency": dispute.currency, "reason": dispute.reason}
    moved = disputed if _is_of_intent(intent, dispute) else 0
    change(work, intent, what, cause, about=dispute.id, facts=facts, disputed_minor=intent.disputed_minor + moved)


def _is_of_intent(intent: Intent, dispute: Dispute) -> bool:
    """Whether it is about what the intent received; else about a late payment."""
    return bool(intent.received_minor) and intent.latest_attempt == dispute.attempt


def dispute_keys(attempt: Attempt, psp_reference: str, day: str) -> Iterable[Key]:
    """The rows that a dispute's standing may touch: a hint for the committer."""
    account, chart = attempt.account, Chart(attempt.account, attempt.currency)
    yield Attempt, (account, attempt.id)
    yield Intent, (account, attempt.intent)
    yield Account, (account,)
    yield DisputeReference, (account, attempt.psp, psp_reference)
    yield Maturity, (account, attempt.currency, day)
    for kind in ("dispute_opened", "dispute_won", "dispute_lost"):
        yield LedgerTransaction, (account, attempt.psp, psp_reference, kind)
    owed = (chart.merchant_pending, chart.merchant_available)
    for name in (*owed, chart.fees, chart.disputes, chart.psp_clearing(attempt.psp)):
        yield Balance, (account, name)
    yield from event_keys(account)
