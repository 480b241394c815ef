"""When what a merchant has earned becomes available: `settlement_delay_days` after its capture, as a whole day's money.

A row per account, currency and day (`Maturity`) holds what is pending for that day, and one duty moves all of it when
the day begins. What is taken back before leaves that row, afterwards what is available: so the rows that have not
matured are the pending balance, to the unit.
"""

from collections.abc import Iterable

from msgspec import Struct

from paydesk.duties.lease import finish, held
from paydesk.ledger import Balance, Chart, LedgerTransaction, Maturity, Owed, post
from paydesk.merchants import Account
from paydesk.payments import postings
from paydesk.store import Command, Duty, Key, Rank, Work
from paydesk.times import DAY_MS, day_of, day_starts_ms

MATURE = "mature"
KIND = "maturity"


class Earned(Struct, frozen=True):
    """Where newly earned money stands."""

    owed: Owed
    day: str
    """The day on which it becomes available, or became."""


def matures(work: Work, account: Account, currency: str, amount_minor: int) -> Earned:
    """Put what was just earned into its day, and owe that day's duty with the first of it.

    Called before anything else in a decision: the row is the one that nobody could name beforehand, so a decision that
    has not loaded it is run again from here.
    """
    day = day_of(work.now_ms + account.settlement_delay_days * DAY_MS)
    if not account.settlement_delay_days or not amount_minor:  # Nothing, where the fee took all of it.
        return Earned("merchant_available", day)
    return Earned(_moved(work, account.id, currency, day, amount_minor), day)


def take_back(work: Work, account: str, currency: str, day: str, amount_minor: int) -> Owed:
    """Take money back that becomes (or became) available on `day`, for a refund or a dispute: from where it is now.

    More may be taken than the day has, since fees were kept of it: then the day is that much below zero.
    """
    return _moved(work, account, currency, day, -amount_minor, opens=False)


def give_back(work: Work, account: str, currency: str, day: str, amount_minor: int) -> Owed:
    """The opposite, where a refund did not happen after all."""
    return _moved(work, account, currency, day, amount_minor, opens=False)


def _moved(work: Work, account: str, currency: str, day: str, amount_minor: int, *, opens: bool = True) -> Owed:
    row = work.find(Maturity, account, currency, day)
    if row is None and opens:
        work.add(Maturity(account=account, currency=currency, day=day, amount_minor=amount_minor))
        duty = Duty(account=account, id=duty_id(account, currency, day), kind=MATURE, subject=f"{currency}/{day}")
        work.owe(duty, after_ms=day_starts_ms(day) - work.now_ms)
        return "merchant_pending"
    if row is None or row.matured_ms is not None:
        return "merchant_available"
    work.change(row, amount_minor=row.amount_minor + amount_minor)
    return "merchant_pending"


def duty_id(account: str, currency: str, day: str) -> str:
    """The duty of one day's money. It names the account: midnight comes to all of them at once."""
    return f"{MATURE}:{account}/{currency}/{day}"


class Mature(Command[None], frozen=True):
    """A day has begun: what is pending for it becomes available."""

    RANK = Rank.BACKGROUND

    duty: Duty

    def keys(self) -> Iterable[Key]:
        account, (currency, day) = self.duty.account, self._bucket()
        chart = Chart(account, currency)
        yield Duty, (account, self.duty.id)
        yield Maturity, (account, currency, day)
        yield LedgerTransaction, (account, "", self.duty.subject, KIND)
        yield Balance, (account, chart.merchant_pending)
        yield Balance, (account, chart.merchant_available)

    def decide(self, work: Work) -> None:
        account, (currency, day) = self.duty.account, self._bucket()
        finish(work, held(work, self.duty))
        row = work.get(Maturity, account, currency, day)
        if row.matured_ms is not None:
            return
        if row.amount_minor:
            post(
                work,
                account=account,
                psp="",
                reference=self.duty.subject,
                kind=KIND,
                subject="",
                currency=currency,
                lines=postings.maturity(Chart(account, currency), amount_minor=row.amount_minor),
            )
        work.change(row, amount_minor=0, matured_ms=work.now_ms)

    def _bucket(self) -> list[str]:
        return self.duty.subject.split("/")
