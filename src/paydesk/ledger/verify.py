"""A full recount of the books, in one walk along their indexes: the first row that is off ends it.

Each step yields, so that whoever recounts while payments go on can let them through.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from paydesk.ledger.chart import PURPOSES, Chart, currency_of, owner_of, purpose
from paydesk.ledger.rows import Balance, LedgerTransaction, Maturity, Posting
from paydesk.store import Row, table_of

RowType = TypeVar("RowType", bound=Row)
One = TypeVar("One", bound=Row)
Many = TypeVar("Many", bound=Row)
At = Callable[[Any], tuple[str, ...]]
Steps = Iterator[None]


class Everything(Protocol):
    """All rows of a table at one moment, in an order."""

    def rows(self, kind: type[RowType], *order: str) -> Iterator[RowType]: ...


class Off(Exception):
    """A row that can't be so."""

    def __init__(self, row: Row, why: str) -> None:
        table = table_of(type(row))
        self.table = table.name
        self.key = dict(zip(table.key, table.key_of(row), strict=True))
        self.why = why
        super().__init__(f"{self.table} {', '.join(self.key.values())}: {why}")


class Found(Struct):
    """What there was to look at."""

    transactions: int = 0
    postings: int = 0
    ledger_accounts: int = 0
    days: int = 0


def recount(everything: Everything, found: Found | None = None) -> Steps:
    """Walk along all of it; raises Off. A step is a row: postings are walked along twice."""
    counts = found or Found()
    yield from change_logs(
        _counted(everything.rows(Balance, "account", "ledger_account"), counts, "ledger_accounts"),
        _counted(everything.rows(Posting, "account", "ledger_account", "sequence"), counts, "postings"),
    )
    yield from transactions(
        _counted(everything.rows(LedgerTransaction, "account", "id"), counts, "transactions"),
        everything.rows(Posting, "account", "transaction_id"),
    )
    yield from days(
        everything.rows(Balance, "account", "ledger_account"),
        _counted(everything.rows(Maturity, "account", "currency", "day"), counts, "days"),
    )


def _counted(rows: Iterator[RowType], counts: Found, what: str) -> Iterator[RowType]:
    for number, row in enumerate(rows, 1):
        setattr(counts, what, number)
        yield row


def change_logs(balances: Iterator[Balance], postings: Iterator[Posting]) -> Steps:
    """Each ledger account's postings count without gaps and sum up as they say, to its balance."""
    for balance, log in beside(balances, _account, postings, _account):
        last, total = None, 0
        for number, posting in enumerate(log, 1):
            yield
            total += posting.amount_minor
            _check_place(posting)
            if posting.sequence != number:
                raise Off(posting, f"is number {posting.sequence} of {posting.ledger_account}; {number} was next")
            if posting.balance_minor != total:
                raise Off(posting, f"says a balance of {posting.balance_minor}; its ledger account is at {total}")
            last = posting
        yield
        if balance is None:
            if last:
                raise Off(last, f"its ledger account {last.ledger_account} has no balance")
        elif last is None:
            raise Off(balance, "has no postings")
        else:
            _check_balance(balance, last)


def _check_place(posting: Posting) -> None:
    name = posting.ledger_account
    if owner_of(name) != posting.account or purpose(name) not in PURPOSES:
        raise Off(posting, f"{name} is no ledger account of {posting.account}")
    if currency_of(name) != posting.currency:
        raise Off(posting, f"is in {posting.currency}; its ledger account {name} is not")
    if not posting.amount_minor:
        raise Off(posting, "moves nothing")


def _check_balance(balance: Balance, last: Posting) -> None:
    if balance.currency != last.currency:
        raise Off(balance, f"is in {balance.currency}; its postings are in {last.currency}")
    if balance.amount_minor != last.balance_minor:
        raise Off(balance, f"is {balance.amount_minor}; its postings sum to {last.balance_minor}")
    if balance.sequence != last.sequence:
        raise Off(balance, f"counts {balance.sequence} postings; there are {last.sequence}")


def transactions(all_of_them: Iterator[LedgerTransaction], postings: Iterator[Posting]) -> Steps:
    """Each transaction has postings, numbered, that sum to zero per currency; each posting has its transaction."""
    for transaction, lines in beside(all_of_them, _id, postings, _transaction):
        sums, numbers = Counter[str](), set[str]()
        for line in lines:
            yield
            if transaction is None:
                raise Off(line, "there is no such transaction")
            sums[line.currency] += line.amount_minor
            numbers.add(line.line)
        yield
        if transaction is None:
            continue
        if not numbers:
            raise Off(transaction, "has no postings")
        if any(sums.values()):
            raise Off(transaction, f"its postings sum to {_sums(sums)}")
        if numbers != {str(number) for number in range(1, len(numbers) + 1)}:
            raise Off(transaction, f"its postings are numbered {', '.join(sorted(numbers))}")


def days(balances: Iterator[Balance], maturities: Iterator[Maturity]) -> Steps:
    """What the days hold that have not matured is what is pending."""
    pending = (balance for balance in balances if purpose(balance.ledger_account) == "merchant_pending")
    for balance, some in beside(pending, _account_currency, maturities, _account_currency):
        total, last = 0, None
        for day in some:
            yield
            if day.matured_ms is not None and day.amount_minor:
                raise Off(day, f"has matured, and holds {day.amount_minor} still")
            total, last = total + day.amount_minor, day
        yield
        if balance and balance.amount_minor != -total:
            raise Off(balance, f"is {balance.amount_minor}; its days hold {total}")
        if balance is None and last and total:
            name = Chart(last.account, last.currency).merchant_pending
            raise Off(last, f"holds {last.amount_minor}; there is no balance {name}")


def beside(
    ones: Iterable[One], of_one: At, manys: Iterable[Many], of_many: At
) -> Iterator[tuple[One | None, Iterator[Many]]]:
    """Each row with the rows that belong to it, both sorted alike; None for those that belong to no row.

    A row's own are to be read before the next row is asked for.
    """
    groups = groupby(manys, of_many)
    group = next(groups, None)
    for one in ones:
        at = of_one(one)
        while group and group[0] < at:
            yield None, group[1]
            group = next(groups, None)
        if group and group[0] == at:
            yield one, group[1]
            group = next(groups, None)
        else:
            yield one, iter(())
    while group:
        yield None, group[1]
        group = next(groups, None)


def _account(row: Balance | Posting) -> tuple[str, str]:
    return row.account, row.ledger_account


def _id(row: LedgerTransaction) -> tuple[str, str]:
    return row.account, row.id


def _transaction(row: Posting) -> tuple[str, str]:
    return row.account, row.transaction_id


def _account_currency(row: Balance | Maturity) -> tuple[str, str]:
    return row.account, row.currency


def _sums(sums: Counter[str]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in sums.items() if amount)
