"""The one door through which a verdict becomes status, books and event, in one commit. The same verdict twice changes
nothing.
"""

from collections.abc import Iterable

from paydesk.duties.lease import finish, held, put_off
from paydesk.duties.rows import DeadDuty
from paydesk.errors import CODES
from paydesk.events.record import keys as event_keys
from paydesk.ledger import Chart, LedgerTransaction, post
from paydesk.ledger.post import keys as balance_keys
from paydesk.merchants import Account
from paydesk.money import Fee
from paydesk.payments import postings
from paydesk.payments.rows import Attempt, Intent
from paydesk.payments.shapes import CardMethod, MethodDetails, PaymentError, error_json, method_json
from paydesk.payments.states import Move, move
from paydesk.payments.tell import change_and_tell
from paydesk.psp.base import Authorised, Captured, Declined, NotSent, Verdict
from paydesk.store import Command, Duty, Key, Rank, Work

CHECKS_SECONDS = (2, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400)
"""How long after each look-up that found no verdict the next one follows; the last one for ever."""

OWN_CODES = ("expired_card", "incorrect_cvc", "processing_error", "incorrect_number")
"""Declines that have an error code of their own, as at Stripe; all others are `card_declined`."""


class Outcome(Command[bool], frozen=True):
    """What the PSP said of an attempt, whoever asked: the first question, a resumed duty, a look-up.

    Replies whether that can be: False where it names the charge of another attempt, which is no verdict on this one.
    """

    RANK = Rank.APPLY

    duty: Duty
    attempt: Attempt
    """As it was read when the PSP was asked; decided is on the row of now."""
    verdict: Verdict
    not_found_counts_ms: int
    """From when on the PSP's "not found" is definitive; a look-up is due then at the latest."""

    def keys(self) -> Iterable[Key]:
        attempt = self.attempt
        yield Attempt, (attempt.account, attempt.id)
        yield Intent, (attempt.account, attempt.intent)
        yield Account, (attempt.account,)
        yield Duty, (self.duty.account, self.duty.id)
        yield from event_keys(attempt.account)
        if isinstance(self.verdict, Captured):
            yield LedgerTransaction, (attempt.account, attempt.psp, self.verdict.psp_reference, "capture")
            chart = Chart(attempt.account, attempt.currency)
            yield from balance_keys(attempt.account, postings.touched(chart, attempt.psp))

    def decide(self, work: Work) -> bool:
        attempt = work.get(Attempt, self.attempt.account, self.attempt.id)
        if attempt.status != "asking":
            finish_if_there(work, self.duty)
            return True
        intent = work.get(Intent, attempt.account, attempt.intent)
        verdict = self.verdict
        if isinstance(verdict, Captured) and _is_anothers(work, attempt, verdict):
            _unknown(work, intent, attempt, self.duty, self.not_found_counts_ms)
            return False
        match verdict:
            case Captured() as verdict:
                _captured(work, intent, attempt, verdict)
            case Authorised() as verdict:
                _authorised(work, intent, attempt, verdict)
            case Declined() as verdict:
                _declined(work, intent, attempt, verdict)
            case NotSent():
                _not_sent(work, intent, attempt)
            case _:
                _unknown(work, intent, attempt, self.duty, self.not_found_counts_ms)
                return True
        finish_if_there(work, self.duty)
        return True


def finish_if_there(work: Work, duty: Duty) -> None:
    """A verdict counts whoever brings it, also one whose lease is gone: the duty is done either way, dead or alive."""
    if row := work.find(Duty, duty.account, duty.id):
        finish(work, row)
    elif dead := work.find(DeadDuty, duty.account, duty.id):
        work.remove(dead)


def _is_anothers(work: Work, attempt: Attempt, verdict: Captured) -> bool:
    """Whether the charge was posted before. This attempt has no verdict yet, so it was posted for another one."""
    return work.find(LedgerTransaction, attempt.account, attempt.psp, verdict.psp_reference, "capture") is not None


def _captured(work: Work, intent: Intent, attempt: Attempt, verdict: Captured) -> None:
    account = work.look(Account, attempt.account)
    assert account is not None
    _settle(work, attempt, "captured", psp_reference=verdict.psp_reference)
    post(
        work,
        account=attempt.account,
        psp=attempt.psp,
        reference=verdict.psp_reference,
        kind="capture",
        subject=intent.id,
        currency=attempt.currency,
        lines=postings.captured(
            Chart(attempt.account, attempt.currency),
            psp=attempt.psp,
            amount_minor=verdict.amount_minor,
            fee=Fee.parse(account.fee),
        ),
    )
    change_and_tell(
        work,
        intent,
        "payment_intent.succeeded",
        status=move(intent.status, Move.CAPTURE).value,
        received_minor=verdict.amount_minor,
        **_KNOWN,
        **_about(attempt),
    )


def _authorised(work: Work, intent: Intent, attempt: Attempt, verdict: Authorised) -> None:
    _settle(work, attempt, "authorised", psp_reference=verdict.psp_reference)
    change_and_tell(
        work,
        intent,
        "payment_intent.amount_capturable_updated",
        status=move(intent.status, Move.AUTHORISE).value,
        capturable_minor=verdict.amount_minor,
        **_KNOWN,
        **_about(attempt),
    )


def _declined(work: Work, intent: Intent, attempt: Attempt, verdict: Declined) -> None:
    _settle(work, attempt, "declined", psp_reference=verdict.psp_reference, decline_code=verdict.decline_code)
    change_and_tell(
        work,
        intent,
        "payment_intent.payment_failed",
        status=move(intent.status, Move.DECLINE).value,
        **_KNOWN,
        **_about(attempt, decline_error(verdict.decline_code)),
    )


def _not_sent(work: Work, intent: Intent, attempt: Attempt) -> None:
    """Nothing reached the PSP: payable as before, and it does not count. Told only where an open outcome was told
    before.
    """
    _settle(work, attempt, "not_sent")
    new = {"status": move(intent.status, Move.NOT_SENT).value, "attempts": intent.attempts - 1, **_KNOWN}
    if intent.outcome_unknown:
        error = PaymentError(type="api_error", code="psp_unavailable", message=CODES["psp_unavailable"].meaning)
        change_and_tell(work, intent, "payment_intent.payment_failed", error=error_json(error), **new)
    else:
        work.change(intent, **new)


def _unknown(work: Work, intent: Intent, attempt: Attempt, duty: Duty, not_found_counts_ms: int) -> None:
    """No verdict: the intent says so (and its merchant hears it once), and the duty asks again."""
    row = held(work, duty)
    wait_seconds = CHECKS_SECONDS[min(row.tries, len(CHECKS_SECONDS) - 1)]
    next_check_ms = work.now_ms + wait_seconds * 1000
    if work.now_ms < not_found_counts_ms < next_check_ms:
        next_check_ms = not_found_counts_ms
    put_off(work, duty, due_ms=next_check_ms, note=row.note or str(work.now_ms))
    _say_unknown(work, intent, attempt, next_check_ms)


def _say_unknown(work: Work, intent: Intent, attempt: Attempt, next_check_ms: int | None) -> None:
    if intent.outcome_unknown:
        work.change(intent, next_check_ms=next_check_ms)
    else:
        new = {"outcome_unknown": 1, "next_check_ms": next_check_ms, **_about(attempt)}
        change_and_tell(work, intent, "payment_intent.processing", **new)


def parked(work: Work, dead: DeadDuty) -> None:
    """The question was parked: the intent stays open and says so, and promises no time of a next look."""
    attempt = work.find(Attempt, dead.account, dead.subject)
    intent = attempt and work.find(Intent, attempt.account, attempt.intent)
    if attempt and intent and attempt.status == "asking":
        _say_unknown(work, intent, attempt, None)


def decline_error(decline_code: str) -> PaymentError:
    """The error that a decline becomes, as at Stripe."""
    code = decline_code if decline_code in OWN_CODES else "card_declined"
    message = CODES[code].meaning if code != "card_declined" else "Your card was declined. Try another card."
    return PaymentError(type="card_error", code=code, message=message, decline_code=decline_code)


_KNOWN = {"outcome_unknown": 0, "next_check_ms": None}


def _about(attempt: Attempt, error: PaymentError | None = None) -> dict[str, str]:
    """The intent's card and error, from what is known of this attempt. Until then the row keeps those of the one
    before, so that it is as before where nothing was sent.
    """
    card = CardMethod(
        brand=attempt.brand,
        last4=attempt.last4,
        exp_month=attempt.exp_month,
        exp_year=attempt.exp_year,
        fingerprint=attempt.fingerprint,
    )
    return {"method": method_json(MethodDetails(card=card)), "error": error_json(error) if error else "null"}


def _settle(
    work: Work, attempt: Attempt, status: str, *, psp_reference: str | None = None, decline_code: str | None = None
) -> None:
    work.change(attempt, status=status, psp_reference=psp_reference, decline_code=decline_code, settled_ms=work.now_ms)
