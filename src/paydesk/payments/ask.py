"""Asking the PSP: between the commit that records an attempt and the commit that applies its outcome. Never inside a
transaction.
"""

import asyncio
from typing import Protocol

from paydesk.desk import Desk
from paydesk.errors import Refusal
from paydesk.merchants import Account
from paydesk.payments.outcome import Outcome
from paydesk.payments.rows import Attempt
from paydesk.psp.base import CardDetails, NotFound, NotSent, NoVerdict, Psp, Question, Verdict
from paydesk.store import Duty

STORE_AGAIN_SECONDS = 0.5  # A verdict that could not be stored (a full disk, say) is kept and submitted again.


class PaymentDesk(Desk, Protocol):
    """A desk that knows the PSPs."""

    def psp(self, name: str) -> Psp: ...
    async def account(self, account: str) -> Account | None: ...
    def psp_key(self, account: Account) -> str: ...


async def ask(desk: PaymentDesk, duty: Duty, card: CardDetails | None) -> None:
    """Ask with the card where we have it; without it (resumed, or the outcome was unknown) only look up."""
    attempt = await desk.reader.get(Attempt, duty.account, duty.subject)
    account = await desk.account(duty.account)
    if attempt is None or account is None:
        raise AssertionError(f"{duty.id} has no attempt or no account")
    psp = desk.psp(attempt.psp)
    question = _question(attempt, desk.psp_key(account))
    asked_ms = desk.world.now_ms()
    verdict = await (psp.authorise(question, card) if card else psp.look_up(question))
    desk.metrics.verdicts.labels(attempt.psp, type(verdict).__name__).inc()
    counts_ms = not_found_counts_ms(duty, psp, desk.world.now_ms())
    if not card:  # What a slow answer says was true when it was asked for: what lands meanwhile, it does not know.
        verdict = looked_up(verdict, definitive=asked_ms >= counts_ms)
    await _store(desk, Outcome(duty=duty, attempt=attempt, verdict=verdict, not_found_counts_ms=counts_ms))


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


async def _store(desk: Desk, outcome: Outcome) -> None:
    """An outcome is never dropped because it can't be stored now: it is kept and submitted again."""
    while True:
        try:
            if not await desk.submit(outcome):
                desk.log.error("charge_of_another_attempt", attempt=outcome.attempt.id, verdict=outcome.verdict)
            return
        except Refusal as why:
            if why.code != "storage_unavailable":
                raise
            desk.log.error("outcome_not_stored", attempt=outcome.attempt.id, reason=why.message)
        await asyncio.sleep(STORE_AGAIN_SECONDS)


def _question(attempt: Attempt, key: str) -> Question:
    return Question(
        reference=attempt.id,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        capture=bool(attempt.capture),
        url=attempt.psp_url,
        key=key,
    )
