"""Confirming: record the attempt, owe the question to the PSP. The card itself travels beside, in memory alone."""

from collections.abc import Iterable

from msgspec import Struct

from paydesk.errors import Refusal
from paydesk.payments.rows import Attempt, CardUse, Intent
from paydesk.payments.states import Move, Status, allowed, move
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
        attempt = work.add(self._attempt(work, intent))
        self._use_up(work, attempt)
        work.change(
            intent,
            status=move(intent.status, Move.CONFIRM).value,
            latest_attempt=attempt.id,
            attempts=intent.attempts + 1,
        )
        duty = Duty(account=self.account, id=f"{ASK_PSP}:{attempt.id}", kind=ASK_PSP, subject=attempt.id)
        return Confirmed(attempt=attempt.id, duty=work.owe(duty))

    def _attempt(self, work: Work, intent: Intent) -> Attempt:
        return Attempt(
            account=intent.account,
            id=work.id("at", intent.account),
            intent=intent.id,
            status="asking",
            psp=self.psp,
            psp_url=self.psp_url,
            amount_minor=intent.amount_minor,
            currency=intent.currency,
            capture=int(intent.capture_method == "automatic"),
            brand=self.card.brand,
            last4=self.card.last4,
            exp_month=self.card.exp_month,
            exp_year=self.card.exp_year,
            fingerprint=self.card.fingerprint,
            created_ms=work.now_ms,
        )

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


def used_key(account: str, digest: str) -> tuple[str, str]:
    """The key under which the use of a card payload is found by its digest."""
    return account, _digest_mark(digest)


def _digest_mark(digest: str) -> str:
    return f"sha:{digest}"


def _jti_mark(jti: str) -> str:
    return f"jti:{jti}"


def _check_payable(intent: Intent, attempts_max: int) -> None:
    if intent.status == Status.PROCESSING:
        raise Refusal("operation_in_progress", "A payment is being processed. Do not pay again.", retry_after_seconds=2)
    if not allowed(intent.status, Move.CONFIRM):
        raise Refusal("invalid_state", f"This payment is {intent.status} and can't be paid again.")
    if intent.attempts >= attempts_max:
        raise Refusal("attempts_exhausted")
