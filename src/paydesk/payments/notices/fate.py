"""What becomes of a notice: done with, tried later, or parked and shown to people."""

from collections.abc import Iterable
from typing import Any

from paydesk.duties.lease import finish, put_off
from paydesk.duties.rows import DeadDuty
from paydesk.payments.notices.take import KEEP_MS, key_of
from paydesk.payments.rows import Notice
from paydesk.store import Command, Duty, Key, Rank, Work
from paydesk.times import DAY_MS

AGAIN_SECONDS = (2, 5, 15, 60, 300, 900, 3_600, 21_600)
"""How long after each try that brought nothing the next one follows; the last one for ever."""

PARKED_MS = DAY_MS
"""So long a parked notice is looked at again. What it is about may be younger than it, and what contradicts what is
known may have been overtaken on the way.
"""

KEEP_PARKED_MS = 366 * DAY_MS
"""How long one that stays parked is shown."""

UNKNOWN = "Nothing here has this reference."
NOT_AT_PSP = "The PSP does not know what its notice is about."
ANOTHERS = "The PSP shows another object under this reference."

DEAD = "Seeing to it failed: `paydesk dead list` says why."

CAUSE = "psp"


class Heed(Command[str], frozen=True):
    """Something was heard of what a notice names. Replies why it is parked; empty where it is not."""

    RANK = Rank.APPLY

    duty: Duty

    def keys(self) -> Iterable[Key]:
        yield Duty, (self.duty.account, self.duty.id)
        yield Notice, key_of(self.duty)


class Nothing(Heed, frozen=True):
    """Nothing could come of it: nobody has to be asked."""

    def decide(self, work: Work) -> str:
        return done(work, self.duty)


class Later(Heed, frozen=True):
    """The PSP could not be asked."""

    reason: str

    def decide(self, work: Work) -> str:
        return later(work, self.duty, self.reason)


class Park(Heed, frozen=True):
    """It names nothing that is known here."""

    reason: str

    def decide(self, work: Work) -> str:
        return park(work, self.duty, self.reason)


def done(work: Work, duty: Duty) -> str:
    """What it told is in."""
    _change(work, duty, status="applied", reason="", settled_ms=work.now_ms, forget_ms=work.now_ms + KEEP_MS)
    finish(work, duty)
    return ""


def later(work: Work, duty: Duty, reason: str) -> str:
    """Try again, for as long as it takes."""
    _change(work, duty, reason=reason)
    put_off(work, duty, due_ms=work.now_ms + _wait_ms(duty))
    return ""


def park(work: Work, duty: Duty, reason: str, *, for_good: bool = False) -> str:
    """Show it to people, and look again for a while, unless that would help nothing."""
    notice = _change(work, duty, status="parked", reason=reason)
    until_ms = notice.received_ms + PARKED_MS
    if for_good or work.now_ms >= until_ms:
        work.change(notice, settled_ms=work.now_ms, forget_ms=work.now_ms + KEEP_PARKED_MS)
        finish(work, duty)
    else:
        put_off(work, duty, due_ms=min(work.now_ms + _wait_ms(duty), until_ms))
    return reason


def buried(work: Work, dead: DeadDuty) -> None:
    """Seeing to it failed too often: people find it among the parked ones, and what failed among the dead duties."""
    psp, _, notice_id = dead.subject.partition("/")
    if notice := work.find(Notice, dead.account, psp, notice_id):
        work.change(notice, status="parked", reason=DEAD)


def _change(work: Work, duty: Duty, **new: Any) -> Notice:
    notice = work.get(Notice, *key_of(duty))
    return work.change(notice, tries=notice.tries + 1, **new)


def _wait_ms(duty: Duty) -> int:
    return AGAIN_SECONDS[min(duty.tries, len(AGAIN_SECONDS) - 1)] * 1000
