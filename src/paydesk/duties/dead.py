"""Dead letters: what failed too often is parked with its reason while the rest goes on; people retry or drop it."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from paydesk.desk import Reader
from paydesk.duties.failures import FINAL_TRIES, backoff_ms, reason_of
from paydesk.duties.lease import held
from paydesk.duties.rows import DeadDuty
from paydesk.errors import Refusal
from paydesk.store import Command, Duty, Key, Rank, Work, table_of
from paydesk.store.work import LEASE_MS

Parked = Callable[[Work, DeadDuty], None]
"""What else a duty's end changes, in the commit that parks it: whatever waits for it must not wait for ever."""

COLUMNS = ", ".join(f'"{column}"' for column in table_of(DeadDuty).columns)
_FROM = 'FROM "dead_duties" WHERE'
_OLDEST_FIRST = 'ORDER BY "died_ms", "account", "id" LIMIT ?'
# The dead duties that died before a time, the longest dead first: all, of a kind, of an account, of both.
ALL = f'SELECT {COLUMNS} {_FROM} "died_ms" < ? {_OLDEST_FIRST}'
OF_KIND = f'SELECT {COLUMNS} {_FROM} "kind" = ? AND "died_ms" < ? {_OLDEST_FIRST}'
OF_ACCOUNT = f'SELECT {COLUMNS} {_FROM} "account" = ? AND "died_ms" < ? ORDER BY "died_ms", "id" LIMIT ?'
OF_BOTH = f'SELECT {COLUMNS} {_FROM} "kind" = ? AND "account" = ? AND "died_ms" < ? {_OLDEST_FIRST}'
# The dead duty with this id, of whichever account.
BY_ID = f'SELECT {COLUMNS} {_FROM} "id" = ? ORDER BY "account" LIMIT 1'


class Failed(Command[DeadDuty | None], frozen=True):
    """Doing a duty raised: put it off, or park it. Replies what was parked."""

    RANK = Rank.BACKGROUND

    duty: Duty
    retryable: bool
    reason: str
    chance: float
    """In [0, 1): spreads the time of the next try."""
    parked: Parked | None = None

    def keys(self) -> Iterable[Key]:
        return ((Duty, (self.duty.account, self.duty.id)),)

    def decide(self, work: Work) -> DeadDuty | None:
        row = held(work, self.duty)
        failures, final = row.failures + 1, row.final_failures + (not self.retryable)
        if final >= FINAL_TRIES:
            return self._park(work, row)
        due_ms = work.now_ms + backoff_ms(failures, self.chance)
        work.change(row, owner="", due_ms=due_ms, failures=failures, final_failures=final)
        return None

    def _park(self, work: Work, row: Duty) -> DeadDuty:
        work.remove(row)
        dead = DeadDuty(
            account=row.account,
            id=row.id,
            kind=row.kind,
            subject=row.subject,
            note=row.note,
            tries=row.tries,
            failures=row.failures + 1,
            reason=self.reason,
            lease=row.lease,
            created_ms=row.created_ms,
            died_ms=work.now_ms,
        )
        return bury(work, self._told(work, dead))

    def _told(self, work: Work, dead: DeadDuty) -> DeadDuty:
        """The dead duty, after what waits for it was told. Where its rows are such that this fails it is parked too."""
        if self.parked is None:
            return dead
        try:
            with work.nested() as inner:
                self.parked(inner, dead)
        except Exception as why:
            return replace(dead, reason=f"{dead.reason}; and at its end: {reason_of(why)}")
        return dead


class Retry(Command[int], frozen=True):
    """Owe dead duties again, to be done at once. Replies how many of them were still there."""

    dead: tuple[tuple[str, str], ...]
    """Account and id of each."""

    def keys(self) -> Iterable[Key]:
        for key in self.dead:
            yield DeadDuty, key
            yield Duty, key

    def decide(self, work: Work) -> int:
        found = [dead for key in self.dead if (dead := work.find(DeadDuty, *key))]
        for dead in found:
            work.remove(dead)
            if work.find(Duty, dead.account, dead.id) is None:
                work.add(_owed_again(work, dead))
        return len(found)


class Drop(Command[DeadDuty], frozen=True):
    """Take a dead duty away: it will never be done. Replies what it was."""

    account: str
    id: str

    def keys(self) -> Iterable[Key]:
        return ((DeadDuty, (self.account, self.id)),)

    def decide(self, work: Work) -> DeadDuty:
        dead = work.find(DeadDuty, self.account, self.id)
        if dead is None:
            raise missing()
        work.remove(dead)
        return dead


def bury(work: Work, dead: DeadDuty) -> DeadDuty:
    """List it among the dead, in place of what lay there under its name."""
    if older := work.find(DeadDuty, dead.account, dead.id):
        work.remove(older)
    return work.add(dead)


def missing() -> Refusal:
    return Refusal("resource_missing", "There is no dead duty with this id.", param="id")


async def find(reader: Reader, duty_id: str) -> DeadDuty:
    """The dead duty with this id, or the refusal that says there is none."""
    found = await reader.query(DeadDuty, BY_ID, (duty_id,))
    if not found:
        raise missing()
    return found[0]


async def listed(
    reader: Reader, *, kind: str | None, account: str | None, before_ms: int, limit: int
) -> list[DeadDuty]:
    """The dead duties that died before a time, the longest dead first."""
    if kind and account:
        return await reader.query(DeadDuty, OF_BOTH, (kind, account, before_ms, limit))
    if kind or account:
        return await reader.query(DeadDuty, OF_KIND if kind else OF_ACCOUNT, (kind or account, before_ms, limit))
    return await reader.query(DeadDuty, ALL, (before_ms, limit))


def _owed_again(work: Work, dead: DeadDuty) -> Duty:
    """As `Work.owe` would, but as old as it is, and with the next lease: what was begun before it may be half done."""
    return Duty(
        account=dead.account,
        id=dead.id,
        kind=dead.kind,
        subject=dead.subject,
        note=dead.note,
        tries=dead.tries,
        due_ms=work.now_ms + LEASE_MS,
        owner=work.process,
        lease=dead.lease + 1,
        created_ms=dead.created_ms,
    )
