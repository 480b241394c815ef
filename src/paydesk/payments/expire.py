"""Expiry: what nobody paid, or captured, in its time ends by the clock."""

from collections.abc import Iterable

from paydesk.payments import settle
from paydesk.payments.cancel import release
from paydesk.payments.rows import Intent
from paydesk.payments.states import Move, Status, allowed
from paydesk.store import Command, Key, Rank, Work

LATER_MS = 60_000  # An attempt or an errand is under way: its outcome comes first.
CLOCK = "clock"


class Expire(Command[None], frozen=True):
    """The time of some intents is over; each is looked at as it is now."""

    RANK = Rank.BACKGROUND

    intents: tuple[tuple[str, str], ...]
    """(account, intent) of each."""

    def keys(self) -> Iterable[Key]:
        return ((Intent, key) for key in self.intents)

    def decide(self, work: Work) -> None:
        for account, intent_id in self.intents:
            intent = work.find(Intent, account, intent_id)
            if intent and intent.expires_ms is not None and intent.expires_ms <= work.now_ms:
                _expire(work, intent)


def _expire(work: Work, intent: Intent) -> None:
    if intent.errand or not allowed(intent.status, Move.EXPIRE):
        work.change(intent, expires_ms=work.now_ms + LATER_MS)
    elif intent.status == Status.REQUIRES_CAPTURE:
        release(work, intent, "expired", CLOCK)
    else:
        settle.cancel(work, intent, Move.EXPIRE, "expired", CLOCK)
