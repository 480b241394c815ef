"""What the PSP was asked and nobody knows the outcome of: payments, captures, cancels, refunds. For people and alarms.

Found by the duties that ask again and by those that were parked, so that no payment is looked through for it.
"""

from collections.abc import Iterable

from msgspec import Struct

from paydesk.desk import Reader
from paydesk.duties.dead import COLUMNS as DEAD_COLUMNS
from paydesk.duties.rows import DeadDuty
from paydesk.payments.confirm import ASK_PSP
from paydesk.payments.errand import ERRAND
from paydesk.payments.refund import REFUND
from paydesk.payments.rows import Attempt, Errand, Refund
from paydesk.store import Duty, table_of

KINDS = (ASK_PSP, ERRAND, REFUND)
"""Duties that learn what became of money. One that is asked again notes since when that is open."""

_COLUMNS = ", ".join(f'"{column}"' for column in table_of(Duty).columns)
_AGAIN = 'FROM "duties" WHERE "kind" = ? AND "tries" > 0 AND "note" <> \'\''
_OLDEST_FIRST = 'ORDER BY "created_ms", "account", "id" LIMIT ?'
# The questions of a kind that are asked again, since no answer told the outcome; the oldest first.
ASKED_AGAIN = f"SELECT {_COLUMNS} {_AGAIN} {_OLDEST_FIRST}"
# Those that were parked; the oldest first.
PARKED = f'SELECT {DEAD_COLUMNS} FROM "dead_duties" WHERE "kind" = ? {_OLDEST_FIRST}'  # noqa: S608
# Since when the oldest of either is open.
OLDEST_ASKED_AGAIN = f'SELECT min("created_ms") {_AGAIN}'
OLDEST_PARKED = 'SELECT min("created_ms") FROM "dead_duties" WHERE "kind" = ?'

Question = Duty | DeadDuty


class Unknown(Struct, frozen=True, kw_only=True):
    """One question of which nobody can say what the PSP did."""

    account: str
    intent: str
    operation: str
    """`authorise`, `capture`, `cancel` or `refund`."""
    about: str
    """The attempt, the errand or the refund."""
    attempt: str | None
    """None of a refund."""
    amount_minor: int
    currency: str
    psp: str
    since_ms: int
    """When the PSP was first asked."""
    tries: int
    """How often it was asked, or could not be asked."""
    next_check_ms: int | None
    """None: its question was parked, and waits for a person."""


async def unknown_outcomes(reader: Reader, limit: int) -> list[Unknown]:
    """The oldest first. A question whose rows are not there was parked for that, and stands among the dead alone."""
    found = [
        *await _attempts(reader, await _questions(reader, ASK_PSP, limit)),
        *await _errands(reader, await _questions(reader, ERRAND, limit)),
        *await _refunds(reader, await _questions(reader, REFUND, limit)),
    ]
    return sorted(found, key=lambda one: (one.since_ms, one.about))[:limit]


async def oldest_ms(reader: Reader) -> int | None:
    """Since when the oldest unknown outcome is open; None where there is none."""
    statements = (OLDEST_ASKED_AGAIN, OLDEST_PARKED)
    times = [await reader.number(statement, (kind,)) for statement in statements for kind in KINDS]
    return min((time for time in times if time is not None), default=None)


async def _questions(reader: Reader, kind: str, limit: int) -> dict[tuple[str, str], Question]:
    """By account and subject."""
    asked = await reader.query(Duty, ASKED_AGAIN, (kind, limit))
    parked = await reader.query(DeadDuty, PARKED, (kind, limit))
    return {(question.account, question.subject): question for question in (*asked, *parked)}


async def _attempts(reader: Reader, questions: dict[tuple[str, str], Question]) -> Iterable[Unknown]:
    found = await reader.get_all(Attempt, questions)
    return [_of_attempt(questions[attempt.account, attempt.id], attempt) for attempt in found]


async def _errands(reader: Reader, questions: dict[tuple[str, str], Question]) -> Iterable[Unknown]:
    found = await reader.get_all(Errand, questions)
    keys = dict.fromkeys((errand.account, errand.attempt) for errand in found)
    attempts = {(attempt.account, attempt.id): attempt for attempt in await reader.get_all(Attempt, keys)}
    both = [(errand, attempt) for errand in found if (attempt := attempts.get((errand.account, errand.attempt)))]
    return [_of_attempt(questions[errand.account, errand.id], attempt, errand) for errand, attempt in both]


def _of_attempt(question: Question, attempt: Attempt, errand: Errand | None = None) -> Unknown:
    return Unknown(
        account=attempt.account,
        intent=attempt.intent,
        operation=errand.kind if errand else "authorise",
        about=errand.id if errand else attempt.id,
        attempt=attempt.id,
        amount_minor=errand.amount_minor if errand and errand.kind == "capture" else attempt.amount_minor,
        currency=attempt.currency,
        psp=attempt.psp,
        since_ms=question.created_ms,
        tries=question.tries + question.failures,
        next_check_ms=_next_check_ms(question),
    )


async def _refunds(reader: Reader, questions: dict[tuple[str, str], Question]) -> Iterable[Unknown]:
    return [
        Unknown(
            account=refund.account,
            intent=refund.intent,
            operation="refund",
            about=refund.id,
            attempt=None,
            amount_minor=refund.amount_minor,
            currency=refund.currency,
            psp=refund.psp,
            since_ms=question.created_ms,
            tries=question.tries + question.failures,
            next_check_ms=_next_check_ms(question),
        )
        for refund in await reader.get_all(Refund, questions)
        if (question := questions[refund.account, refund.id])
    ]


def _next_check_ms(question: Question) -> int | None:
    return question.due_ms if isinstance(question, Duty) else None
