"""What each verdict does to an attempt and its intent: status, books, event, in the caller's commit.

Which verdict means something in which state of the attempt, the table in `steps.py` says.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from paydesk.duties.lease import no_more
from paydesk.errors import CODES
from paydesk.ledger import Chart, post
from paydesk.merchants import Account
from paydesk.money import Fee
from paydesk.payments import postings
from paydesk.payments.confirm import ask_psp_id
from paydesk.payments.errand import owe_errand
from paydesk.payments.maturity import matures
from paydesk.payments.reply import answer_declined, answer_intent, free_key
from paydesk.payments.rows import Attempt, Errand, Intent, PaymentMethod
from paydesk.payments.shapes import (
    AUTHENTICATION_FAILED,
    CardMethod,
    MethodDetails,
    NextAction,
    PaymentError,
    error_json,
    method_json,
)
from paydesk.payments.states import Move, move
from paydesk.payments.tell import change
from paydesk.payments.terms import News
from paydesk.psp.base import Authorised, Canceled, Captured, ChallengeWanted, Declined, NotSent
from paydesk.store import Work

OWN_CODES = ("expired_card", "incorrect_cvc", "processing_error", "incorrect_number")
"""Declines that have an error code of their own, as at Stripe; all others are `card_declined`."""

OVER = ("captured", "declined", "not_sent", "canceled", "abandoned")
"""Attempts about which nothing is open."""

CHALLENGE = "challenge"
LATE = "late"
"""Why an errand cancels where it is not the intent that is to end: see `rows.Errand.why`."""

NOT_CONFIRMED = "Your bank did not confirm the payment. Try again, or use another card."

KNOWN: dict[str, Any] = {"outcome_unknown": 0, "next_check_ms": None}

Step = Callable[[Work, Intent, Attempt, News[Any]], None]


def captured(work: Work, intent: Intent, attempt: Attempt, news: News[Captured]) -> None:
    """The money is there."""
    account, verdict = work.look(Account, attempt.account), news.verdict
    assert account is not None
    fee_minor = Fee.parse(account.fee).of(verdict.amount_minor)
    earned = matures(work, account, attempt.currency, verdict.amount_minor - fee_minor)
    settle_attempt(work, attempt, "captured", psp_reference=verdict.psp_reference, captured_minor=verdict.amount_minor)
    post(
        work,
        account=attempt.account,
        psp=attempt.psp,
        reference=verdict.psp_reference,
        kind="capture",
        subject=intent.id,
        currency=attempt.currency,
        lines=postings.capture(
            Chart(attempt.account, attempt.currency),
            psp=attempt.psp,
            owed=earned.owed,
            amount_minor=verdict.amount_minor,
            fee_minor=fee_minor,
        ),
    )
    paid = change(
        work,
        intent,
        "captured",
        news.cause,
        event="payment_intent.succeeded",
        about=attempt.id,
        facts={"amount": verdict.amount_minor, "psp_reference": verdict.psp_reference},
        status=move(intent.status, Move.CAPTURE).value,
        latest_attempt=attempt.id,
        received_minor=verdict.amount_minor,
        capturable_minor=0,
        matures_on=earned.day,
        errand="",
        expires_ms=None,
        payment_method=_saved(work, attempt, verdict.token) or intent.payment_method,
        **KNOWN,
        **about_attempt(attempt),
    )
    answer_intent(work, paid, attempt.idempotency_key)


def authorised(work: Work, intent: Intent, attempt: Attempt, news: News[Authorised]) -> None:
    """The amount is held."""
    settle_attempt(work, attempt, "authorised", psp_reference=news.verdict.psp_reference, capture=0)
    held = change(
        work,
        intent,
        "authorised",
        news.cause,
        event="payment_intent.amount_capturable_updated",
        about=attempt.id,
        facts={"amount": news.verdict.amount_minor, "psp_reference": news.verdict.psp_reference},
        status=move(intent.status, Move.AUTHORISE).value,
        capturable_minor=news.verdict.amount_minor,
        expires_ms=work.now_ms + news.terms.capture_within_ms,
        payment_method=_saved(work, attempt, news.verdict.token) or intent.payment_method,
        **KNOWN,
        **about_attempt(attempt),
    )
    answer_intent(work, held, attempt.idempotency_key)


def challenged(work: Work, intent: Intent, attempt: Attempt, news: News[ChallengeWanted]) -> None:
    """The bank wants to hear from the shopper; the time for that counts from now."""
    until_ms = work.now_ms + news.terms.challenge_within_ms
    work.change(
        attempt,
        status="requires_action",
        psp_reference=news.verdict.psp_reference,
        challenge_url=news.verdict.url,
        challenge_until_ms=until_ms,
    )
    action = msgspec.json.encode(NextAction(url=news.terms.challenge_page)).decode()
    change(
        work,
        intent,
        "challenged",
        news.cause,
        event="payment_intent.requires_action",
        about=attempt.id,
        status=move(intent.status, Move.CHALLENGE).value,
        **KNOWN,
        **about_attempt(attempt, next_action=action),
    )


def declined(work: Work, intent: Intent, attempt: Attempt, news: News[Declined]) -> None:
    """The bank said no."""
    settle_attempt(
        work, attempt, "declined", psp_reference=news.verdict.psp_reference, decline_code=news.verdict.decline_code
    )
    error = decline_error(news.verdict.decline_code)
    failed = change(
        work,
        intent,
        "declined",
        news.cause,
        event="payment_intent.payment_failed",
        about=attempt.id,
        facts={"decline_code": news.verdict.decline_code},
        status=move(intent.status, Move.DECLINE).value,
        errand="",
        **KNOWN,
        **about_attempt(attempt, error),
    )
    answer_declined(work, failed, attempt.idempotency_key, error)


def abandoned(work: Work, intent: Intent, attempt: Attempt, news: News[Canceled]) -> None:
    """The challenge is called off: by the merchant, who cancels the payment, or because nobody came."""
    errand = _errand_of(work, intent)
    if errand and errand.why != CHALLENGE:
        settle_attempt(work, attempt, "canceled", psp_reference=news.verdict.psp_reference)
        cancel(work, intent, Move.CANCEL, errand.why, news.cause, about=attempt.id)
        return
    settle_attempt(work, attempt, "abandoned", psp_reference=news.verdict.psp_reference)
    error = PaymentError(
        type="card_error", code="card_declined", message=NOT_CONFIRMED, decline_code=AUTHENTICATION_FAILED
    )
    failed = change(
        work,
        intent,
        "abandoned",
        news.cause,
        event="payment_intent.payment_failed",
        about=attempt.id,
        status=move(intent.status, Move.ABANDON).value,
        errand="",
        **KNOWN,
        **about_attempt(attempt, error),
    )
    answer_declined(work, failed, attempt.idempotency_key, error)


def released(work: Work, intent: Intent, attempt: Attempt, news: News[Canceled]) -> None:
    """What was held is held no more: as the merchant or the clock wanted, or of the PSP's own accord."""
    errand = _errand_of(work, intent)
    why = errand.why if errand and errand.kind == "cancel" else "automatic"
    settle_attempt(work, attempt, "canceled", psp_reference=news.verdict.psp_reference)
    how = Move.EXPIRE if why == "expired" else Move.CANCEL
    cancel(work, intent, how, why, news.cause, about=attempt.id)


def not_sent(work: Work, intent: Intent, attempt: Attempt, news: News[NotSent]) -> None:
    """Nothing reached the PSP: payable as before, and it does not count. Told only where an open outcome was told
    before.
    """
    settle_attempt(work, attempt, "not_sent")
    new: dict[str, Any] = {"status": move(intent.status, Move.NOT_SENT).value, "attempts": intent.attempts - 1}
    if intent.outcome_unknown:
        error = PaymentError(type="api_error", code="psp_unavailable", message=CODES["psp_unavailable"].meaning)
        new |= {"event": "payment_intent.payment_failed", "error": error_json(error)}
    change(
        work, intent, "not_sent", news.cause, about=attempt.id, facts={"reason": news.verdict.reason}, **new, **KNOWN
    )
    free_key(work, attempt.account, attempt.idempotency_key)


def let_go(work: Work, intent: Intent, attempt: Attempt, news: News[Authorised]) -> None:
    """An attempt that counts as over holds an amount after all: nothing was taken, so the PSP is to release it."""
    kept = work.change(attempt, psp_reference=news.verdict.psp_reference, errands=attempt.errands + 1)
    owe_errand(work, kept, kind="cancel", why=LATE)


def cancel(work: Work, intent: Intent, how: Move, why: str, cause: str, *, about: str = "") -> Intent:
    """Nothing is held and nothing will be: the end of an intent that was not paid."""
    return change(
        work,
        intent,
        "expired" if how is Move.EXPIRE else "canceled",
        cause,
        event="payment_intent.canceled",
        about=about,
        facts={"reason": why},
        status=move(intent.status, how).value,
        capturable_minor=0,
        errand="",
        canceled_ms=work.now_ms,
        cancellation_reason=why,
        expires_ms=None,
        next_action="null",
        **KNOWN,
    )


def decline_error(decline_code: str) -> PaymentError:
    """The error that a decline becomes, as at Stripe."""
    code = decline_code if decline_code in OWN_CODES else "card_declined"
    message = CODES[code].meaning if code != "card_declined" else "Your card was declined. Try another card."
    return PaymentError(type="card_error", code=code, message=message, decline_code=decline_code)


def about_attempt(attempt: Attempt, error: PaymentError | None = None, next_action: str = "null") -> dict[str, Any]:
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
    return {
        "method": method_json(MethodDetails(card=card)) if attempt.brand else "null",
        "error": error_json(error) if error else "null",
        "next_action": next_action,
    }


def _errand_of(work: Work, intent: Intent) -> Errand | None:
    return work.find(Errand, intent.account, intent.errand) if intent.errand else None


def _saved(work: Work, attempt: Attempt, token: str | None) -> str | None:
    """The saved card that this attempt brought, where it was asked to."""
    if not (attempt.save and token):
        return None
    method = work.add(
        PaymentMethod(
            account=attempt.account,
            id=work.id("pm", attempt.account),
            psp=attempt.psp,
            token=token,
            brand=attempt.brand,
            last4=attempt.last4,
            exp_month=attempt.exp_month,
            exp_year=attempt.exp_year,
            fingerprint=attempt.fingerprint,
            created_ms=work.now_ms,
        )
    )
    return method.id


def settle_attempt(work: Work, attempt: Attempt, status: str, **new: Any) -> None:
    """What was open about it is known: nobody has to ask any more."""
    work.change(attempt, status=status, settled_ms=work.now_ms, challenge_url=None, challenge_until_ms=None, **new)
    no_more(work, attempt.account, ask_psp_id(attempt.id))
