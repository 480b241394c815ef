"""The one way into the journal: a transaction with its postings and balances, in the caller's commit."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from paydesk.ledger.chart import PURPOSES, currency_of, owner_of, purpose
from paydesk.ledger.rows import Balance, LedgerTransaction, Posting
from paydesk.store import Key, Work


class Line(Struct, frozen=True):
    """One posting to be made: a ledger account and a signed amount, debit positive."""

    ledger_account: str
    amount_minor: int


class BadLines(Exception):
    """Lines that can't be posted: a bug in a postings table, never an input's fault."""


class Unbalanced(BadLines):
    """The lines do not sum to zero, or a line moves nothing, or there is none."""


class Misplaced(BadLines):
    """A line's ledger account is of another account or currency, or is not in the chart: currencies never mix."""


def keys(account: str, ledger_accounts: Iterable[str]) -> Iterable[Key]:
    """The balances that posting to these ledger accounts will change: a hint for the committer."""
    return ((Balance, (account, name)) for name in ledger_accounts)


def post(
    work: Work, *, account: str, psp: str, reference: str, kind: str, subject: str, currency: str, lines: Sequence[Line]
) -> LedgerTransaction | None:
    """Post the lines, all of one account and currency; None where this very move was posted before."""
    _check(lines, account, currency, f"{kind} of {subject or reference}")
    if work.find(LedgerTransaction, account, psp, reference, kind):
        return None
    transaction = work.add(
        LedgerTransaction(
            account=account,
            psp=psp,
            reference=reference,
            kind=kind,
            id=work.id("txn", account),
            subject=subject,
            created_ms=work.now_ms,
        )
    )
    for number, line in enumerate(lines, 1):
        balance = _moved(work, account, line, currency)
        work.add(
            Posting(
                account=account,
                transaction_id=transaction.id,
                line=str(number),
                ledger_account=line.ledger_account,
                amount_minor=line.amount_minor,
                currency=currency,
                sequence=balance.sequence,
                balance_minor=balance.amount_minor,
            )
        )
    return transaction


def _check(lines: Sequence[Line], account: str, currency: str, what: str) -> None:
    total = 0
    for line in lines:
        name = line.ledger_account
        if owner_of(name) != account or currency_of(name) != currency or purpose(name) not in PURPOSES:
            raise Misplaced(f"{what}: {name} is no ledger account of {account} in {currency}")
        if not line.amount_minor:
            raise Unbalanced(f"{what}: nothing for {name}")
        total += line.amount_minor
    if total or not lines:
        raise Unbalanced(f"{what}: {[line.amount_minor for line in lines]}")


def _moved(work: Work, account: str, line: Line, currency: str) -> Balance:
    """The ledger account's balance after this line."""
    balance = work.find(Balance, account, line.ledger_account)
    if balance is None:
        return work.add(
            Balance(
                account=account,
                ledger_account=line.ledger_account,
                currency=currency,
                amount_minor=line.amount_minor,
                sequence=1,
            )
        )
    return work.change(balance, amount_minor=balance.amount_minor + line.amount_minor, sequence=balance.sequence + 1)
