"""Journal and balances as they are stored. Transactions and postings are never changed; triggers refuse it."""

from paydesk.store import Row, Versioned


class LedgerTransaction(Row, frozen=True, kw_only=True):
    """One move of money. Its key is what happened outside, so that it can't be posted twice."""

    TABLE = "ledger_transactions"
    KEY = ("account", "psp", "reference", "kind")
    INDEXES = (("account", "id"), ("account", "subject", "id"))

    account: str
    psp: str
    """Empty where no PSP has a part in it: a maturity."""
    reference: str
    """The PSP's name for what moved; a maturity's is `<currency>/<day>`."""
    kind: str
    """One of the moves of `payments/postings.py`."""
    id: str
    subject: str
    """The payment intent it belongs to; empty where it belongs to many."""
    created_ms: int


class Posting(Row, frozen=True, kw_only=True):
    """One line of a transaction, and an entry in the change log of its ledger account."""

    TABLE = "ledger_postings"
    KEY = ("account", "transaction_id", "line")
    INDEXES = (("account", "ledger_account", "sequence"),)

    account: str
    transaction_id: str
    line: str
    """`1`, `2`, … in the order of the postings table."""
    ledger_account: str
    amount_minor: int
    """Debit positive."""
    currency: str
    sequence: int
    """The ledger account's postings count 1, 2, 3 … without gaps."""
    balance_minor: int
    """The ledger account's balance after this posting."""


class Balance(Versioned, frozen=True, kw_only=True):
    """The sum of a ledger account's postings, written in the commit of each of them."""

    TABLE = "ledger_balances"
    KEY = ("account", "ledger_account")

    account: str
    ledger_account: str
    currency: str
    amount_minor: int
    """Debit positive: what is owed to a merchant is negative here."""
    sequence: int
    """How many postings that is the sum of."""


class Maturity(Versioned, frozen=True, kw_only=True):
    """What of an account's pending money becomes available on one day. Together these are the pending balance."""

    TABLE = "maturities"
    KEY = ("account", "currency", "day")

    account: str
    currency: str
    day: str
    """The UTC date at whose beginning it becomes available, as `2026-10-05`."""
    amount_minor: int
    """What is owed to the merchant, positive; below zero where more was taken back than the day had. 0 once matured."""
    matured_ms: int | None = None
    """When it was moved to what is available: what comes for this day afterwards is available at once."""
