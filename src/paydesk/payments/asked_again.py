"""What a PSP says when it is asked again after a restore, applied through the doors that any answer goes through; and
which of our own it is to be asked about, whenever they were made.
"""

from collections.abc import Iterable
from typing import TypeVar

from paydesk.desk import Reader
from paydesk.payments.dispute import apply_dispute, dispute_keys
from paydesk.payments.outcome import PSP, apply, keys
from paydesk.payments.refund_outcome import NotMade, apply_refund
from paydesk.payments.refund_outcome import keys as refund_keys
from paydesk.payments.rows import Attempt, Dispute, Refund
from paydesk.payments.terms import News, Terms
from paydesk.psp.base import Canceled, Captured, Declined, DisputeStanding, RefundVerdict, Verdict
from paydesk.store import Command, Key, Rank, Versioned, Work, table_of

RowType = TypeVar("RowType", bound=Versioned)

STEP = 256

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
    """Those whose charge may have changed."""
    return await _open(reader, Attempt, account, ("asking", "requires_action", "authorised"))


async def open_refunds(reader: Reader, account: str) -> list[Refund]:
    """Those that the PSP may have made, or may have failed."""
    return await _open(reader, Refund, account, ("asking", "pending"))


async def open_disputes(reader: Reader, account: str) -> list[Dispute]:
    """Those that may have been closed."""
    return await _open(reader, Dispute, account, ("needs_response",))


async def charged_as(reader: Reader, account: str, psp: str, psp_reference: str) -> Attempt | None:
    """The attempt of a charge that only the PSP's reference names."""
    table = table_of(Attempt)
    columns = ", ".join(f'"{column}"' for column in table.columns)
    where = '"account" = ? AND "psp" = ? AND "psp_reference" = ?'
    statement = f'SELECT {columns} FROM "{table.name}" WHERE {where} LIMIT 1'  # noqa: S608 (names are our own)
    found = await reader.query(Attempt, statement, (account, psp, psp_reference))
    return found[0] if found else None


class AskedAgain(Command[bool], frozen=True):
    """How a charge stands. Whether that can be, as `apply` says."""

    RANK = Rank.APPLY

    attempt: Attempt
    verdict: Verdict
    terms: Terms

    def keys(self) -> Iterable[Key]:
        return keys(self.attempt, self.verdict)

    def decide(self, work: Work) -> bool:
        news = News(verdict=self.verdict, cause=PSP, terms=self.terms)
        return apply(work, self.attempt.account, self.attempt.id, news)


class RefundAskedAgain(Command[bool], frozen=True):
    """How a refund stands; as `apply_refund` replies."""

    RANK = Rank.APPLY

    refund: Refund
    verdict: RefundVerdict | NotMade

    def keys(self) -> Iterable[Key]:
        return refund_keys(self.refund)

    def decide(self, work: Work) -> bool:
        return apply_refund(work, work.get(Refund, self.refund.account, self.refund.id), self.verdict, PSP)


class DisputeAskedAgain(Command[bool], frozen=True):
    """How a dispute stands, of a charge that is paid here. Whether that can be."""

    RANK = Rank.APPLY

    attempt: Attempt
    standing: DisputeStanding
    day: str
    """On which the disputed money matures, or did: a hint."""

    def keys(self) -> Iterable[Key]:
        return dispute_keys(self.attempt, self.standing.psp_reference, self.day)

    def decide(self, work: Work) -> bool:
        attempt = work.get(Attempt, self.attempt.account, self.attempt.id)
        return attempt.captured_minor > 0 and not apply_dispute(work, attempt, self.standing, PSP)


async def _open(reader: Reader, kind: type[RowType], account: str, statuses: tuple[str, ...]) -> list[RowType]:
    """An account's rows in one of these statuses. (After a restore alone: it looks at all of the account's rows.)"""
    table = table_of(kind)
    columns = ", ".join(f'"{column}"' for column in table.columns)
    wanted = ", ".join("?" for _ in statuses)
    statement = (
        f'SELECT {columns} FROM "{table.name}" WHERE "account" = ? AND "id" > ? '  # noqa: S608 (names are our own)
        f'AND "status" IN ({wanted}) ORDER BY "id" LIMIT ?'
    )
    found: list[RowType] = []
    while some := await reader.query(kind, statement, (account, _last(found), *statuses, STEP)):
        found += some
    return found


def _last(found: list[RowType]) -> str:
    return table_of(type(found[-1])).key_of(found[-1])[-1] if found else ""
