"""Journal and balances as they are stored. Transactions and postings are never changed; triggers refuse it."""

from paydesk.store import Row, Versioned


class LedgerTransaction(Row, frozen=True, kw_only=True):
    """One move of money. Its key is what happened outside, so that it can't be posted twice."""

    TABLE = "ledger_transactions"
    KEY = ("account", "psp", "reference", "kind")

    account: str
    psp: str
    reference: str
    """The PSP's name for what moved."""
    kind: str
    """`capture`; refunds, disputes and payouts later."""
    id: str
    subject: str
    """The payment intent it belongs to."""
    created_ms: int


class Posting(Row, frozen=True, kw_only=True):
    """One line of a transaction."""

    TABLE = "ledger_postings"
    KEY = ("account", "transaction_id", "line")
    INDEXES = (("account", "ledger_account", "transaction_id"),)

    account: str
    transaction_id: str
    line: str
    """`1`, `2`, … in the order of the postings table."""
    ledger_account: str
    amount_minor: int
    """Debit positive."""
    currency: str


class Balance(Versioned, frozen=True, kw_only=True):
    """The sum of a ledger account's postings, written in the commit of each of them."""

    TABLE = "ledger_balances"
    KEY = ("account", "ledger_account")

    account: str
    ledger_account: str
    currency: str
    amount_minor: int
    """Debit positive: what is owed to a merchant is negative here."""
