"""Confirming: record the attempt, owe the question to the PSP. The card itself travels beside, in memory alone.

A shopper confirms with a card payload, a merchant's server with a saved card, off session.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from msgspec import Struct

from paydesk.errors import Refusal
from paydesk.payments.rows import Attempt, CardUse, Intent, PaymentMethod
from paydesk.payments.states import Move, Status, allowed, move
from paydesk.payments.tell import change
from paydesk.requests.once import Reply
from paydesk.store import Command, Duty, Key, Rank, Work
from paydesk.vault.cards import CardFacts

ASK_PSP = "ask_psp"
USED_MS = 2 * 24 * 3_600_000  # Card keys are gone 48 h after they were made: an older payload can't be opened.


class Confirmed(Struct, frozen=True, kw_only=True):
    """Which attempt this card payload stands for."""

    attempt: str
    duty: Duty | None
    """The question to the PSP; None where the payload was used before and the attempt is not a new one."""


class Confirm(Command[Confirmed], frozen=True):
    """One attempt with one card. The same payload again is a repeat and gives the same attempt."""

    RANK = Rank.CONFIRM

    account: str
    intent: str
    card: CardFacts
    psp: str
    psp_url: str
    attempts_max: int

    def keys(self) -> Iterable[Key]:
        yield Intent, (self.account, self.intent)
        yield CardUse, (self.account, _digest_mark(self.card.digest))
        yield CardUse, (self.account, _jti_mark(self.card.jti))

    def decide(self, work: Work) -> Confirmed:
        intent = work.get(Intent, self.account, self.intent)
        if used := work.find(CardUse, self.account, _digest_mark(self.card.digest)):
            if used.intent != intent.id:
                raise Refusal("card_payload_invalid")
            return Confirmed(attempt=used.attempt, duty=None)
        if work.find(CardUse, self.account, _jti_mark(self.card.jti)):
            raise Refusal("card_payload_invalid")
        _check_payable(intent, self.attempts_max)
        attempt = begin_attempt(work, intent, self.card, psp=self.psp, psp_url=self.psp_url)
        self._use_up(work, attempt)
        return Confirmed(attempt=attempt.id, duty=owe_question(work, intent, attempt, "shopper"))

    def _use_up(self, work: Work, attempt: Attempt) -> None:
        for mark in (_digest_mark(self.card.digest), _jti_mark(self.card.jti)):
            work.add(
                CardUse(
                    account=attempt.account,
                    mark=mark,
                    intent=attempt.intent,
                    attempt=attempt.id,
                    expires_ms=work.now_ms + USED_MS,
                )
            )


class ConfirmSaved(Command[Reply], frozen=True):
    """One attempt with a card that the PSP keeps, at the wish of the merchant's server."""

    RANK = Rank.CONFIRM

    account: str
    intent: str
    payment_method: str | None
    """None: the one that the intent names."""
    psp: str
    psp_url: str
    attempts_max: int
    cause: str
    idempotency_key: str

    def keys(self) -> Iterable[Key]:
        yield Intent, (self.account, self.intent)
        if self.payment_method:
            yield PaymentMethod, (self.account, self.payment_method)

    def decide(self, work: Work) -> Reply:
        intent = work.get(Intent, self.account, self.intent)
        _check_payable(intent, self.attempts_max)
        method_id = self.payment_method or intent.payment_method
        if not method_id:
            raise Refusal("parameter_missing", "Name a saved payment_method.", param="payment_method")
        method = work.find(PaymentMethod, self.account, method_id)
        if method is None or method.psp != self.psp:
            raise Refusal("resource_missing", "No such payment_method.", param="payment_method")
        attempt = begin_attempt(
            work,
            intent,
            method,
            psp=self.psp,
            psp_url=self.psp_url,
            payment_method=method.id,
            idempotency_key=self.idempotency_key,
        )
        duty = owe_question(work, intent, attempt, self.cause)
        return Reply(running=True, object_id=intent.id, duty=duty, operation=attempt.id)


class Means(Protocol):
    """What is kept of a card, whoever says it."""

    @property
    def brand(self) -> str: ...
    @property
    def last4(self) -> str: ...
    @property
    def exp_month(self) -> int: ...
    @property
    def exp_year(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...


def begin_attempt(
    work: Work,
    intent: Intent,
    card: Means,
    *,
    psp: str,
    psp_url: str,
    payment_method: str | None = None,
    idempotency_key: str = "",
) -> Attempt:
    """Record that the PSP is about to be asked to charge this card for what the intent wants now."""
    return work.add(
        Attempt(
            account=intent.account,
            id=work.id("at", intent.account),
            intent=intent.id,
            status="asking",
            psp=psp,
            psp_url=psp_url,
            amount_minor=intent.amount_minor,
            currency=intent.currency,
            capture=int(intent.capture_method == "automatic"),
            brand=card.brand,
            last4=card.last4,
            exp_month=card.exp_month,
            exp_year=card.exp_year,
            fingerprint=card.fingerprint,
            payment_method=payment_method,
            save=int(intent.setup_future_usage is not None and payment_method is None),
            idempotency_key=idempotency_key,
            created_ms=work.now_ms,
        )
    )


def owe_question(work: Work, intent: Intent, attempt: Attempt, cause: str, what: str = "confirmed", **new: Any) -> Duty:
    """The intent is being paid with this attempt, and the PSP is to be asked."""
    change(
        work,
        intent,
        what,
        cause,
        about=attempt.id,
        facts={"brand": attempt.brand, "last4": attempt.last4},
        status=move(intent.status, Move.CONFIRM).value,
        latest_attempt=attempt.id,
        attempts=intent.attempts + 1,
        **new,
    )
    duty = Duty(account=attempt.account, id=ask_psp_id(attempt.id), kind=ASK_PSP, subject=attempt.id)
    return work.owe(duty)


def ask_psp_id(attempt: str) -> str:
    """The duty that asks about this attempt until its outcome is known."""
    return f"{ASK_PSP}:{attempt}"


def used_key(account: str, digest: str) -> tuple[str, str]:
    """The key under which the use of a card payload is found by its digest."""
    return account, _digest_mark(digest)


def _digest_mark(digest: str) -> str:
    return f"sha:{digest}"


def _jti_mark(jti: str) -> str:
    return f"jti:{jti}"


def _check_payable(intent: Intent, attempts_max: int) -> None:
    if intent.status in (Status.PROCESSING, Status.REQUIRES_ACTION) or intent.errand:
        raise Refusal("operation_in_progress", "A payment is being processed. Do not pay again.", retry_after_seconds=2)
    if not allowed(intent.status, Move.CONFIRM):
        raise Refusal("invalid_state", f"This payment is {intent.status} and can't be paid again.")
    if intent.attempts >= attempts_max:
        raise Refusal("attempts_exhausted")
