"""Payments whose outcome is unknown: the PSP was asked, and what became of it is not known yet. For people and alarms.

Found by the duties that ask again and by those that were parked, so that no payment is looked through for it.
"""

from msgspec import Struct

from paydesk.desk import Reader
from paydesk.duties.dead import COLUMNS as DEAD_COLUMNS
from paydesk.duties.rows import DeadDuty
from paydesk.payments.confirm import ASK_PSP
from paydesk.payments.rows import Attempt
from paydesk.store import Duty, table_of

_COLUMNS = ", ".join(f'"{column}"' for column in table_of(Duty).columns)
_OLDEST_FIRST = 'ORDER BY "created_ms", "account", "id" LIMIT ?'
# The questions of a kind that are asked again, since no answer told the outcome; the oldest first.
ASKED_AGAIN = f'SELECT {_COLUMNS} FROM "duties" WHERE "kind" = ? AND "tries" > 0 {_OLDEST_FIRST}'  # noqa: S608
# Those that were parked; the oldest first.
PARKED = f'SELECT {DEAD_COLUMNS} FROM "dead_duties" WHERE "kind" = ? {_OLDEST_FIRST}'  # noqa: S608
# Since when the oldest of either is open.
OLDEST_ASKED_AGAIN = 'SELECT min("created_ms") FROM "duties" WHERE "kind" = ? AND "tries" > 0'
OLDEST_PARKED = 'SELECT min("created_ms") FROM "dead_duties" WHERE "kind" = ?'


class Unknown(Struct, frozen=True, kw_only=True):
    """One attempt of which nobody can say whether it was paid."""

    attempt: Attempt
    since_ms: int
    """When the PSP was first asked."""
    tries: int
    """How often it was asked what became of it, or could not be asked."""
    next_check_ms: int | None
    """None: its question was parked, and waits for a person."""


async def unknown_outcomes(reader: Reader, limit: int) -> list[Unknown]:
    """The oldest first."""
    asked = await reader.query(Duty, ASKED_AGAIN, (ASK_PSP, limit))
    parked = await reader.query(DeadDuty, PARKED, (ASK_PSP, limit))
    attempts = await reader.get_all(Attempt, [(duty.account, duty.subject) for duty in (*asked, *parked)])
    of = {(attempt.account, attempt.id): attempt for attempt in attempts}
    found = [_unknown(of[duty.account, duty.subject], duty) for duty in (*asked, *parked) if _known(of, duty)]
    return sorted(found, key=lambda one: (one.since_ms, one.attempt.id))[:limit]


async def oldest_ms(reader: Reader) -> int | None:
    """Since when the oldest unknown outcome is open; None where there is none."""
    times = [await reader.number(statement, (ASK_PSP,)) for statement in (OLDEST_ASKED_AGAIN, OLDEST_PARKED)]
    return min((time for time in times if time is not None), default=None)


def _known(attempts: dict[tuple[str, str], Attempt], duty: Duty | DeadDuty) -> bool:
    return (duty.account, duty.subject) in attempts


def _unknown(attempt: Attempt, duty: Duty | DeadDuty) -> Unknown:
    return Unknown(
        attempt=attempt,
        since_ms=duty.created_ms,
        tries=duty.tries + duty.failures,
        next_check_ms=duty.due_ms if isinstance(duty, Duty) else None,
    )
