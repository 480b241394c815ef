"""The journal as a table: a row per posting, with its transaction's facts, in the order in which ids were made."""

from collections.abc import Generator, Iterator
from typing import Any, Protocol, TypeVar

from paydesk.ledger.rows import LedgerTransaction, Posting
from paydesk.ledger.verify import beside
from paydesk.store import Row
from paydesk.times import rfc3339

RowType = TypeVar("RowType", bound=Row)

COLUMNS = (
    "account", "transaction", "created", "kind", "psp", "reference", "payment_intent", "line", "ledger_account",
    "amount_minor", "currency", "sequence", "balance_minor",
)  # fmt: skip


class Everything(Protocol):
    """All rows of a table at one moment, in an order, of one account or of all."""

    def rows(self, kind: type[RowType], *order: str, **equal: str) -> Iterator[RowType]: ...


def exported(everything: Everything, account: str | None) -> Generator[dict[str, Any]]:
    """Every posting of the account, or of all accounts. Amounts are signed, debit positive."""
    of: dict[str, str] = {"account": account} if account else {}
    transactions = everything.rows(LedgerTransaction, "account", "id", **of)
    postings = everything.rows(Posting, "account", "transaction_id", "line", **of)
    for transaction, lines in beside(transactions, _id, postings, _transaction):
        if transaction is not None:
            yield from (_row(transaction, line) for line in lines)


def _row(transaction: LedgerTransaction, line: Posting) -> dict[str, Any]:
    values = (
        transaction.account, transaction.id, rfc3339(transaction.created_ms), transaction.kind, transaction.psp,
        transaction.reference, transaction.subject, line.line, line.ledger_account,
        line.amount_minor, line.currency, line.sequence, line.balance_minor,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _id(row: LedgerTransaction) -> tuple[str, str]:
    return row.account, row.id


def _transaction(row: Posting) -> tuple[str, str]:
    return row.account, row.transaction_id
