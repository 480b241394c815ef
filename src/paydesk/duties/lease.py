"""Leases: a duty belongs to one process at a time, and what an older holder writes is refused."""

from collections.abc import Iterable

from paydesk.duties.rows import DeadDuty
from paydesk.errors import Refusal
from paydesk.store import Command, Duty, Key, Rank, Work
from paydesk.store.work import LEASE_MS


class LeaseLost(Refusal):
    """Another process took the duty over (or it is done): whatever this holder wanted to write is void."""

    def __init__(self, duty_id: str) -> None:
        super().__init__("operation_in_progress", f"The lease of {duty_id} is gone.")


def held(work: Work, duty: Duty) -> Duty:
    """The duty's row, if the lease that `duty` shows is still the latest; else LeaseLost."""
    row = work.find(Duty, duty.account, duty.id)
    if row is None or row.lease != duty.lease:
        raise LeaseLost(duty.id)
    return row


def finish(work: Work, duty: Duty) -> None:
    """It is done: take it away."""
    work.remove(held(work, duty))


def put_off(work: Work, duty: Duty, *, due_ms: int, note: str | None = None) -> Duty:
    """This try ended well, and there is more to do: again at `due_ms`, whoever is there then."""
    row = held(work, duty)
    return work.change(
        row,
        owner="",
        due_ms=due_ms,
        tries=row.tries + 1,
        failures=0,
        final_failures=0,
        note=row.note if note is None else note,
    )


def no_more(work: Work, account: str, duty_id: str) -> None:
    """What it was to bring is known by another way: it is done whoever holds it, dead or alive."""
    if row := work.find(Duty, account, duty_id) or work.find(DeadDuty, account, duty_id):
        work.remove(row)


class TakeLease(Command[Duty | None], frozen=True):
    """A duty is due: take it, unless somebody else did. Extends the lease where this process still works on it."""

    RANK = Rank.BACKGROUND

    duty: Duty
    running_here: bool

    def keys(self) -> Iterable[Key]:
        return ((Duty, (self.duty.account, self.duty.id)),)

    def decide(self, work: Work) -> Duty | None:
        row = work.find(Duty, self.duty.account, self.duty.id)
        if row is None or row.version != self.duty.version:
            return None
        lease = row.lease if self.running_here else row.lease + 1
        return work.change(row, owner=work.process, lease=lease, due_ms=work.now_ms + LEASE_MS)
