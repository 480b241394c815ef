"""The one way into the journal: a transaction with its postings and balances, in the caller's commit."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from paydesk.ledger.rows import Balance, LedgerTransaction, Posting
from paydesk.store import Key, Work


class Line(Struct, frozen=True):
    """One posting to be made: a ledger account and a signed amount, debit positive."""

    ledger_account: str
    amount_minor: int


class Unbalanced(Exception):
    """The lines do not sum to zero, or a line moves nothing: a bug in a postings table, never an input's fault."""


def keys(account: str, ledger_accounts: Iterable[str]) -> Iterable[Key]:
    """The balances that posting to these ledger accounts will change: a hint for the committer."""
    return ((Balance, (account, name)) for name in ledger_accounts)


def post(
    work: Work, *, account: str, psp: str, reference: str, kind: str, subject: str, currency: str, lines: Sequence[Line]
) -> LedgerTransaction | None:
    """Post the lines, all of one currency; None where this very move was posted before."""
    if sum(line.amount_minor for line in lines) != 0 or not all(line.amount_minor for line in lines):
        raise Unbalanced(f"{kind} of {subject}: {[line.amount_minor for line in lines]}")
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
        work.add(
            Posting(
                account=account,
                transaction_id=transaction.id,
                line=str(number),
                ledger_account=line.ledger_account,
                amount_minor=line.amount_minor,
                currency=currency,
            )
        )
        _raise_balance(work, account, line, currency)
    return transaction


def _raise_balance(work: Work, account: str, line: Line, currency: str) -> None:
    balance = work.find(Balance, account, line.ledger_account)
    if balance:
        work.change(balance, amount_minor=balance.amount_minor + line.amount_minor)
    else:
        work.add(
            Balance(
                account=account,
                ledger_account=line.ledger_account,
                currency=currency,
                amount_minor=line.amount_minor,
            )
        )
