"""What a PSP says of an attempt when it is asked again after a restore, and which attempts are to be asked about."""

from collections.abc import Iterable

from paydesk.desk import Reader
from paydesk.payments.outcome import PSP, apply, keys
from paydesk.payments.rows import Attempt
from paydesk.payments.terms import News, Terms
from paydesk.psp.base import Canceled, Captured, Declined, Verdict
from paydesk.store import Command, Key, Rank, Work, table_of

STEP = 256

_COLUMNS = ", ".join(f'"{column}"' for column in table_of(Attempt).columns)
# An account's attempts that are open, behind one. (After a restore alone: it looks at all of them.)
_OPEN = (
    f'SELECT {_COLUMNS} FROM "attempts" WHERE "account" = ? AND "id" > ? '  # noqa: S608
    "AND \"status\" IN ('asking', 'requires_action', 'authorised') ORDER BY \"id\" LIMIT ?"
)

_SAME: dict[str, tuple[type, ...]] = {
    "captured": (Captured,),
    "declined": (Declined,),
    "canceled": (Canceled,),
    "abandoned": (Canceled, Declined),
}


def agrees(attempt: Attempt, verdict: Verdict) -> bool:
    """Whether a PSP's list says what is known of an attempt that is over."""
    return isinstance(verdict, _SAME.get(attempt.status, ()))


async def open_attempts(reader: Reader, account: str) -> list[Attempt]:
    """Those whose charge may have changed, whenever it was made."""
    found: list[Attempt] = []
    while some := await reader.query(Attempt, _OPEN, (account, found[-1].id if found else "", STEP)):
        found += some
    return found


class AskedAgain(Command[bool], frozen=True):
    """How the charge stands. Whether that can be, as `apply` says."""

    RANK = Rank.APPLY

    attempt: Attempt
    verdict: Verdict
    terms: Terms

    def keys(self) -> Iterable[Key]:
        return keys(self.attempt, self.verdict)

    def decide(self, work: Work) -> bool:
        news = News(verdict=self.verdict, cause=PSP, terms=self.terms)
        return apply(work, self.attempt.account, self.attempt.id, news)
