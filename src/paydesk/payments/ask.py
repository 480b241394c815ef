"""Asking the PSP: between the commit that records what is wanted and the commit that applies the outcome. Never inside
a transaction.
"""

import asyncio
from math import ceil
from typing import Protocol, TypeVar

from paydesk.desk import Desk
from paydesk.errors import Refusal
from paydesk.merchants import Account
from paydesk.payments.outcome import ErrandOutcome, Outcome
from paydesk.payments.rows import Attempt, Errand
from paydesk.payments.terms import Terms
from paydesk.psp.base import (
    CardDetails,
    NotFound,
    NotSent,
    NoVerdict,
    Place,
    Psp,
    Question,
    Rejected,
    SavedCard,
    Verdict,
)
from paydesk.psp.breaker import Breakers
from paydesk.scrubbing import scrubbed
from paydesk.store import Command, Duty

R = TypeVar("R")

STORE_AGAIN_SECONDS = 0.5  # A verdict that could not be stored (a full disk, say) is kept and submitted again.


class PaymentDesk(Desk, Protocol):
    """A desk that knows the PSPs."""

    def psp(self, name: str) -> Psp: ...
    async def account(self, account: str) -> Account | None: ...
    def psp_key(self, account: Account) -> str: ...
    @property
    def breakers(self) -> Breakers: ...
    def challenge_page(self, attempt: str) -> str:
        """Our page for an attempt's challenge; the bank sends the shopper back to `…/done` below it."""
        ...


async def ask(desk: PaymentDesk, duty: Duty, means: CardDetails | SavedCard | None) -> None:
    """Ask with the card where we have it; without it (resumed, or the outcome was unknown) only look up."""
    attempt, question = await about_attempt(desk, duty.account, duty.subject)
    psp = desk.psp(attempt.psp)
    asked_ms = desk.world.now_ms()
    verdict = await (psp.authorise(question, means) if means else psp.look_up(question))
    desk.metrics.verdicts.labels(attempt.psp, type(verdict).__name__).inc()
    counts_ms = not_found_counts_ms(duty, psp, desk.world.now_ms())
    if not means:  # What a slow answer says was true when it was asked for: what lands meanwhile, it does not know.
        verdict = looked_up(verdict, definitive=asked_ms >= counts_ms)
    outcome = Outcome(
        duty=duty,
        attempt=attempt,
        verdict=verdict,
        not_found_counts_ms=counts_ms,
        terms=terms_of(desk, attempt.id),
    )
    log_unknown(desk, duty, psp=attempt.psp, verdict=verdict)
    if not await store(desk, outcome):
        desk.log.error("charge_of_another_attempt", attempt=attempt.id, verdict=verdict)


async def run_errand(desk: PaymentDesk, duty: Duty) -> None:
    """Ask the PSP to capture or to cancel; where it will not, ask how the charge stands.

    The same request with the same idempotency key is sent again for half of the PSP's window; after that it is only
    asked. A charge is captured or canceled once whatever arrives twice: its own state at the PSP sees to that.
    """
    errand = await desk.reader.get(Errand, duty.account, duty.subject)
    if errand is None:
        raise AssertionError(f"{duty.id} has no errand")
    attempt, question = await about_attempt(desk, errand.account, errand.attempt)
    psp = desk.psp(attempt.psp)
    half_window_ms = psp.promises.idempotency_window_seconds * 500
    sends = desk.world.now_ms() - errand.created_ms < half_window_ms
    said = await (_send(psp, errand, question) if sends else psp.look_up(question))
    refused = isinstance(said, Rejected) or not sends
    verdict = await psp.look_up(question) if isinstance(said, Rejected) else said
    desk.metrics.verdicts.labels(attempt.psp, type(verdict).__name__).inc()
    outcome = ErrandOutcome(
        duty=duty,
        errand=errand,
        attempt=attempt,
        verdict=verdict,
        refused=refused,
        first=duty.lease == 1 and not duty.note,
        terms=terms_of(desk, attempt.id),
    )
    log_unknown(desk, duty, psp=attempt.psp, verdict=verdict)
    await store(desk, outcome)


async def _send(psp: Psp, errand: Errand, question: Question) -> Verdict | Rejected:
    if errand.kind == "capture":
        return await psp.capture(question, errand.amount_minor, errand.number)
    return await psp.cancel(question, errand.number)


async def about_attempt(desk: PaymentDesk, account_id: str, attempt_id: str) -> tuple[Attempt, Question]:
    """The attempt, and how every question about it names it."""
    attempt = await desk.reader.get(Attempt, account_id, attempt_id)
    account = await desk.account(account_id)
    if attempt is None or account is None:
        raise AssertionError(f"{attempt_id} or its account is not there")
    return attempt, question_about(desk, account, attempt)


def question_about(desk: PaymentDesk, account: Account, attempt: Attempt) -> Question:
    """How every question about this attempt names it."""
    return Question(
        place=Place(url=attempt.psp_url, key=desk.psp_key(account)),
        reference=attempt.id,
        intent=attempt.intent,
        psp_reference=attempt.psp_reference,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        capture=bool(attempt.capture),
        save=bool(attempt.save),
        return_url=None if attempt.payment_method else f"{desk.challenge_page(attempt.id)}/done",
    )


def check_psp_is_up(desk: PaymentDesk, psp: str, url: str) -> None:
    """Refuse to begin something new at a PSP that answers nobody: nothing is recorded, and no PSP receives anything."""
    if wait := desk.breakers.of(psp, url).admit(desk.world.monotonic()):
        raise Refusal("psp_unavailable", retry_after_seconds=ceil(wait))


def terms_of(desk: PaymentDesk, attempt_id: str) -> Terms:
    """What the operator decided, for this attempt."""
    return Terms(
        capture_within_ms=desk.config.capture_within_seconds * 1000,
        challenge_within_ms=desk.config.challenge_within_seconds * 1000,
        challenge_page=desk.challenge_page(attempt_id),
    )


def not_found_counts_ms(duty: Duty, psp: Psp, now_ms: int) -> int:
    """From when on "not found" is definitive: `max_in_flight` after it was known that nothing more will be sent.

    That is noted on the duty with the first unknown outcome; a duty resumed from a dead process begins to count now.
    """
    quiet_since_ms = int(duty.note) if duty.note else now_ms
    return quiet_since_ms + psp.promises.max_in_flight_seconds * 1000


def looked_up(verdict: Verdict, *, definitive: bool) -> Verdict:
    """What a look-up says about the charge: that the PSP was not reached, or knows nothing yet, is no verdict."""
    if isinstance(verdict, NotFound):
        return NotSent(reason="the PSP never received it") if definitive else NoVerdict(reason="not found yet")
    return NoVerdict(reason=verdict.reason) if isinstance(verdict, NotSent) else verdict


def log_unknown(desk: Desk, duty: Duty, *, psp: str, verdict: object) -> None:
    """A question that left the outcome open, as a line for people: each time it is asked."""
    if isinstance(verdict, NoVerdict):
        desk.log.warning(
            "outcome_unknown",
            account=duty.account,
            duty=duty.id,
            psp=psp,
            tries=duty.tries,
            reason=scrubbed(verdict.reason),
        )


async def store(desk: Desk, outcome: Command[R]) -> R:
    """An outcome is never dropped because it can't be stored now: it is kept and submitted again."""
    while True:
        try:
            return await desk.submit(outcome)
        except Refusal as why:
            if why.code != "storage_unavailable":
                raise
            desk.log.error("outcome_not_stored", outcome=type(outcome).__name__, reason=why.message)
        await asyncio.sleep(STORE_AGAIN_SECONDS)
