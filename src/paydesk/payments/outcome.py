"""The one door through which a verdict becomes status, books and event, in one commit. The same verdict twice changes
nothing.

The direct answer, a look-up, a challenge that is over, an errand, a notice: all of them call `apply`.
"""

from collections.abc import Iterable

from paydesk.duties.lease import held, no_more, put_off
from paydesk.duties.rows import DeadDuty
from paydesk.events.record import keys as event_keys
from paydesk.ledger import Chart, LedgerTransaction
from paydesk.ledger.post import keys as balance_keys
from paydesk.merchants import Account
from paydesk.payments import errand, late, postings, settle
from paydesk.payments.confirm import ask_psp_id
from paydesk.payments.errand import errand_id
from paydesk.payments.reply import answer_intent, free_key
from paydesk.payments.rows import Attempt, Errand, Intent
from paydesk.payments.settle import CHALLENGE, KNOWN, LATE, OVER
from paydesk.payments.states import TERMINAL, Move
from paydesk.payments.steps import STEPS
from paydesk.payments.tell import change
from paydesk.payments.terms import News, Terms
from paydesk.psp.base import Canceled, Captured, ChallengeWanted, Declined, NotFound, NotSent, NoVerdict, Verdict
from paydesk.requests.rows import Kept
from paydesk.store import Command, Duty, Key, Rank, Work

CHECKS_SECONDS = (2, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400)
"""How long after each look-up that found no verdict the next one follows; the last one for ever."""

OPEN = ("asking", "requires_action")
PSP = "psp"


def apply(work: Work, account: str, attempt_id: str, news: News[Verdict]) -> bool:
    """Do what the verdict means for the attempt as it is now. False where it names the charge of another attempt, which
    is no verdict on this one.
    """
    attempt = work.get(Attempt, account, attempt_id)
    step = STEPS.get((attempt.status, type(news.verdict)))
    if step:
        if isinstance(news.verdict, Captured) and _is_anothers(work, attempt, news.verdict):
            return False
        intent = work.get(Intent, account, attempt.intent)
        step(work, intent, attempt, news)
        if intent.errand:
            _settle_errand(work, work.get(Errand, account, intent.errand), news.cause)
    return True


def keys(attempt: Attempt, verdict: Verdict) -> Iterable[Key]:
    """The rows that `apply` wants, by the attempt as it was read: a hint for the committer."""
    yield Attempt, (attempt.account, attempt.id)
    yield Intent, (attempt.account, attempt.intent)
    yield Account, (attempt.account,)
    yield Duty, (attempt.account, ask_psp_id(attempt.id))
    yield from event_keys(attempt.account)
    if attempt.idempotency_key:
        yield Kept, (attempt.account, attempt.idempotency_key)
    if isinstance(verdict, Captured):
        yield LedgerTransaction, (attempt.account, attempt.psp, verdict.psp_reference, "capture")
        chart = Chart(attempt.account, attempt.currency)
        yield from balance_keys(attempt.account, postings.touched(chart, attempt.psp))
        if attempt.status in OVER:
            yield from late.keys(attempt, verdict)


class Outcome(Command[bool], frozen=True):
    """What the PSP said of an attempt that is open: the first question, a resumed duty, a look-up.

    Replies whether that can be, as `apply` does.
    """

    RANK = Rank.APPLY

    duty: Duty
    attempt: Attempt
    """As it was read when the PSP was asked; decided is on the row of now."""
    verdict: Verdict
    not_found_counts_ms: int
    """From when on the PSP's "not found" is definitive; a look-up is due then at the latest."""
    terms: Terms

    def keys(self) -> Iterable[Key]:
        yield Duty, (self.duty.account, self.duty.id)
        yield from keys(self.attempt, self.verdict)

    def decide(self, work: Work) -> bool:
        before = work.get(Attempt, self.attempt.account, self.attempt.id)
        can_be = apply(work, before.account, before.id, News(verdict=self.verdict, cause=PSP, terms=self.terms))
        attempt = work.get(Attempt, before.account, before.id)
        if attempt.status == "requires_action":
            self._wait_for_the_shopper(work, attempt, begins=before.status != attempt.status)
        elif attempt.status in OPEN:
            self._ask_again(work, attempt)
        elif duty := work.find(Duty, self.duty.account, self.duty.id):  # As a rule it went with the verdict.
            work.remove(duty)
        return can_be

    def _wait_for_the_shopper(self, work: Work, attempt: Attempt, *, begins: bool) -> None:
        """The PSP is asked again when the shopper comes back (`challenge.py`, which notes it on the duty), from then on
        at intervals, or when the time for that is over; then the challenge is called off.
        """
        assert attempt.challenge_until_ms is not None
        intent = work.get(Intent, attempt.account, attempt.intent)
        row = held(work, self.duty)
        if work.now_ms < attempt.challenge_until_ms:
            came_back = row.note and not begins
            next_check_ms = work.now_ms + _wait_ms(row) if came_back else attempt.challenge_until_ms
            due_ms = min(next_check_ms, attempt.challenge_until_ms)
            put_off(work, self.duty, due_ms=due_ms, note=row.note if came_back else "")
        elif isinstance(self.verdict, ChallengeWanted) and not intent.errand:
            recorded = errand.record(work, intent, kind="cancel", why=CHALLENGE)
            change(work, intent, "challenge_over", "clock", about=attempt.id, errand=recorded.errand.id)
            work.remove(row)
        else:
            put_off(work, self.duty, due_ms=work.now_ms + _wait_ms(row))

    def _ask_again(self, work: Work, attempt: Attempt) -> None:
        """No verdict: the intent says so (and its merchant hears it once), and the duty asks again."""
        intent = work.get(Intent, attempt.account, attempt.intent)
        row = held(work, self.duty)
        next_check_ms = work.now_ms + _wait_ms(row)
        if work.now_ms < self.not_found_counts_ms < next_check_ms:
            next_check_ms = self.not_found_counts_ms
        put_off(work, self.duty, due_ms=next_check_ms, note=row.note or str(work.now_ms))
        unknown(work, intent, next_check_ms, about=attempt.id, event=True, attempt=attempt)


class ErrandOutcome(Command[None], frozen=True):
    """How the charge stands after the PSP was asked to capture or to cancel it."""

    RANK = Rank.APPLY

    duty: Duty
    errand: Errand
    attempt: Attempt
    """As it was read when the PSP was asked; decided is on the row of now."""
    verdict: Verdict
    refused: bool
    """The PSP said that it will not; `verdict` is what a look-up found then."""
    first: bool
    """Nothing was sent before: a `NotSent` says that the PSP never heard of it."""
    terms: Terms

    def keys(self) -> Iterable[Key]:
        yield from errand.keys(self.errand)
        yield from keys(self.attempt, self.verdict)
        for kind in (Duty, DeadDuty):  # The question about the attempt, which is over as a rule.
            yield kind, (self.attempt.account, ask_psp_id(self.attempt.id))
        if self.errand.idempotency_key:
            yield Kept, (self.errand.account, self.errand.idempotency_key)

    def decide(self, work: Work) -> None:
        row = work.get(Errand, self.errand.account, self.errand.id)
        if row.status == "asking":
            apply(work, row.account, row.attempt, News(verdict=self.verdict, cause=PSP, terms=self.terms))
            row = work.get(Errand, row.account, row.id)
        if row.status == "asking" and row.why == LATE and isinstance(self.verdict, Canceled | Captured | Declined):
            end_errand(work, row, "refused" if isinstance(self.verdict, Captured) else "done", PSP)
        elif row.status == "asking":
            self._still_open(work, row)
        elif duty := work.find(Duty, self.duty.account, self.duty.id):
            work.remove(duty)

    def _still_open(self, work: Work, row: Errand) -> None:
        """The charge is as it was before."""
        known = not isinstance(self.verdict, NotSent | NotFound | NoVerdict)
        if self.refused and known:
            end_errand(work, row, "refused", PSP)
        elif self.first and isinstance(self.verdict, NotSent) and row.idempotency_key:
            end_errand(work, row, "not_sent", PSP)
        else:
            due = held(work, self.duty)
            next_check_ms = work.now_ms + _wait_ms(due)
            put_off(work, self.duty, due_ms=next_check_ms, note=due.note or str(work.now_ms))
            intent = work.get(Intent, row.account, row.intent)
            if intent.errand == row.id and not (self.first and isinstance(self.verdict, NotSent)):
                unknown(work, intent, next_check_ms, about=row.id)


def _settle_errand(work: Work, row: Errand, cause: str) -> None:
    """An errand whose charge is known to stand as it wants, or can't any more, is over, whoever brought the news."""
    status = work.get(Attempt, row.account, row.attempt).status
    if row.status == "asking" and status in OVER:
        captured = status == "captured"
        end_errand(work, row, "done" if captured == (row.kind == "capture") else "refused", cause)


def end_errand(work: Work, row: Errand, status: str, cause: str) -> None:
    """It is over: the intent is free for the next one, and who waited is answered."""
    work.change(row, status=status, settled_ms=work.now_ms)
    no_more(work, row.account, errand_id(row.id))
    intent = work.get(Intent, row.account, row.intent)
    canceling = row.kind == "cancel" and status == "done" and row.why not in (CHALLENGE, LATE)
    if canceling and intent.status not in TERMINAL:  # The bank's no came first: nothing is held, nothing is wanted.
        intent = settle.cancel(work, intent, Move.CANCEL, row.why, cause, about=row.id)
    elif intent.errand == row.id:
        intent = change(work, intent, f"{row.kind}_{status}", cause, about=row.id, errand="", **KNOWN)
    if status == "done":
        answer_intent(work, intent, row.idempotency_key)
    else:
        free_key(work, row.account, row.idempotency_key)


def parked(work: Work, dead: DeadDuty) -> None:
    """The question was parked: the intent stays open and says so, and promises no time of a next look."""
    attempt = work.find(Attempt, dead.account, dead.subject)
    intent = attempt and work.find(Intent, attempt.account, attempt.intent)
    if attempt and intent and attempt.status in OPEN:
        asking = attempt.status == "asking"  # Else the shopper is wanted at the bank, and the merchant was told so.
        unknown(work, intent, None, about=attempt.id, event=asking, attempt=attempt if asking else None)


def errand_parked(work: Work, dead: DeadDuty) -> None:
    """The same for an errand."""
    row = work.find(Errand, dead.account, dead.subject)
    intent = row and work.find(Intent, row.account, row.intent)
    if row and intent and intent.errand == row.id:
        unknown(work, intent, None, about=row.id)


def unknown(
    work: Work,
    intent: Intent,
    next_check_ms: int | None,
    *,
    about: str,
    event: bool = False,
    attempt: Attempt | None = None,
) -> None:
    """The PSP was asked and its answer is missing: the intent says so, and when it is asked again."""
    if intent.outcome_unknown:
        change(work, intent, "still_unknown", PSP, about=about, next_check_ms=next_check_ms)
        return
    new = settle.about_attempt(attempt) if attempt else {}
    change(
        work,
        intent,
        "unknown",
        PSP,
        event="payment_intent.processing" if event else None,
        about=about,
        outcome_unknown=1,
        next_check_ms=next_check_ms,
        **new,
    )


def _wait_ms(duty: Duty) -> int:
    return CHECKS_SECONDS[min(duty.tries, len(CHECKS_SECONDS) - 1)] * 1000


def _is_anothers(work: Work, attempt: Attempt, verdict: Captured) -> bool:
    """Whether the charge was posted before. This attempt took nothing yet, so it was posted for another one."""
    kinds = ("capture", "late_payment") if attempt.status in OVER else ("capture",)
    key = attempt.account, attempt.psp, verdict.psp_reference
    return any(work.find(LedgerTransaction, *key, kind) for kind in kinds)
