"""Charges, refunds and disputes that a PSP knows and Paydesk does not: made after the backup that was restored. Kept,
and shown to people.
"""

from collections.abc import Iterable, Sequence

from paydesk.desk import Reader
from paydesk.payments.rows import Attempt, Intent
from paydesk.payments.states import Status
from paydesk.psp.base import (
    Authorised,
    Captured,
    ChallengeWanted,
    DisputeStanding,
    Refunded,
    RefundPending,
    RefundStanding,
    Standing,
)
from paydesk.store import Command, Key, Rank, Row, Work, table_of

SUSPECTS_MAX = 10

PAYABLE = (Status.REQUIRES_PAYMENT_METHOD.value, Status.REQUIRES_CONFIRMATION.value, Status.REQUIRES_ACTION.value)


class UnknownCharge(Row, frozen=True, kw_only=True):
    """What the PSP said of it when it was found."""

    TABLE = "unknown_charges"
    KEY = ("account", "psp", "psp_reference")

    account: str
    psp: str
    psp_reference: str
    reference: str
    """Ours at the PSP: the attempt or refund that the restored database does not have; of a dispute, its charge."""
    status: str
    """Of a charge `captured`, `authorised` or `challenge`; or `refunded`, `refund_pending`, `disputed`."""
    amount_minor: int | None
    """None while the bank is waited for: nothing is held yet."""
    currency: str | None
    may_be_of: str
    """Of a charge the intent that the PSP names; where it names none, those that ask for as much and are payable still,
    comma separated: paid again, the shopper would be charged twice. Of a refund the intent that was refunded.
    """
    made_ms: int
    """When the PSP made it."""
    found_ms: int


_COLUMNS = ", ".join(f'"{column}"' for column in table_of(UnknownCharge).columns)
# Unknown charges behind one of an account, in the order of their key.
LISTED = (
    f'SELECT {_COLUMNS} FROM "unknown_charges" WHERE ("account", "psp", "psp_reference") > (?, ?, ?) '  # noqa: S608
    'ORDER BY "account", "psp", "psp_reference" LIMIT ?'
)
_INTENT = ", ".join(f'"{column}"' for column in table_of(Intent).columns)
# Intents of an account that ask for this amount and can be paid still. (After a restore alone: all are looked at.)
_SUSPECTS = (
    f'SELECT {_INTENT} FROM "payment_intents" WHERE "account" = ? AND "amount_minor" = ? AND "currency" = ? '  # noqa: S608
    f'AND "status" IN ({", ".join("?" for _ in PAYABLE)}) ORDER BY "id" LIMIT ?'
)


class KeepUnknown(Command[int], frozen=True):
    """Write down those that are not yet; how many that were."""

    RANK = Rank.APPLY

    charges: Sequence[UnknownCharge]

    def keys(self) -> Iterable[Key]:
        for charge in self.charges:
            yield UnknownCharge, (charge.account, charge.psp, charge.psp_reference)

    def decide(self, work: Work) -> int:
        new = 0
        for charge in self.charges:
            if work.find(UnknownCharge, charge.account, charge.psp, charge.psp_reference) is None:
                work.add(charge)
                new += 1
        return new


async def of_charge(reader: Reader, account: str, psp: str, standing: Standing, now_ms: int) -> UnknownCharge | None:
    """The row for a charge whose attempt is not there; None where nothing was charged, and nothing can be."""
    match standing.verdict:
        case Captured() as verdict:
            status, amount_minor, currency = "captured", verdict.amount_minor, verdict.currency
        case Authorised() as verdict:
            status, amount_minor, currency = "authorised", verdict.amount_minor, verdict.currency
        case ChallengeWanted() as verdict:
            status, amount_minor, currency = "challenge", None, None
        case _:
            return None
    return UnknownCharge(
        account=account,
        psp=psp,
        psp_reference=verdict.psp_reference,
        reference=standing.reference,
        status=status,
        amount_minor=amount_minor,
        currency=currency,
        may_be_of=",".join(await _suspects(reader, account, standing)),
        made_ms=standing.created_ms,
        found_ms=now_ms,
    )


async def _suspects(reader: Reader, account: str, standing: Standing) -> list[str]:
    if standing.intent:
        return [standing.intent] if await reader.get(Intent, account, standing.intent) else []
    wanted = (account, standing.amount_minor, standing.currency, *PAYABLE, SUSPECTS_MAX)
    return [intent.id for intent in await reader.query(Intent, _SUSPECTS, wanted)]


def of_refund(
    account: str, psp: str, charge: Attempt | None, standing: RefundStanding, now_ms: int
) -> UnknownCharge | None:
    """The row for a refund, of this charge, that is not there; None where it came to nothing."""
    status = _REFUNDS.get(type(standing.verdict))
    if status is None:
        return None
    return UnknownCharge(
        account=account,
        psp=psp,
        psp_reference=standing.psp_reference,
        reference=standing.reference,
        status=status,
        amount_minor=standing.amount_minor,
        currency=standing.currency,
        may_be_of=charge.intent if charge else "",
        made_ms=standing.created_ms,
        found_ms=now_ms,
    )


def of_dispute(account: str, psp: str, standing: DisputeStanding, now_ms: int) -> UnknownCharge:
    """The row for a dispute of a charge that is not paid here."""
    return UnknownCharge(
        account=account,
        psp=psp,
        psp_reference=standing.psp_reference,
        reference=standing.reference,
        status="disputed",
        amount_minor=standing.amount_minor,
        currency=standing.currency,
        may_be_of="",
        made_ms=now_ms,
        found_ms=now_ms,
    )


async def unknown_charges(reader: Reader, limit: int) -> list[UnknownCharge]:
    """All of them, by account."""
    return await reader.query(UnknownCharge, LISTED, ("", "", "", limit))


_REFUNDS: dict[type, str] = {Refunded: "refunded", RefundPending: "refund_pending"}
