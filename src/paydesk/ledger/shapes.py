"""The journal as the API shows it. Amounts are signed, debit positive, as in the books."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from paydesk.ledger.chart import PURPOSES, Side, purpose
from paydesk.ledger.rows import Balance, LedgerTransaction, Posting
from paydesk.money import decimal_text
from paydesk.times import rfc3339


class LedgerEntry(Struct, frozen=True, kw_only=True):
    """One line of a transaction: a change of one ledger account."""

    object: Literal["ledger_entry"] = "ledger_entry"
    id: str
    """The transaction's, a dot and the number of the line."""
    transaction: str
    ledger_account: str
    amount: int
    """In the currency's minor unit; a debit is positive, a credit negative."""
    amount_decimal: str
    currency: str
    sequence: int
    """The entries of a ledger account count 1, 2, 3 … without gaps."""
    balance: int
    """The ledger account's balance after this entry."""
    balance_decimal: str


class LedgerTransactionAnswer(Struct, frozen=True, kw_only=True):
    """One move of money; its entries sum to zero."""

    object: Literal["ledger_transaction"] = "ledger_transaction"
    id: str
    kind: str
    """What moved: `capture`, `maturity`, `refund_begun`, `refund`, `dispute_opened` …"""
    livemode: bool
    psp: str | None
    """Null where no PSP has a part in it: a maturity."""
    reference: str
    """The PSP's name for what moved; a maturity's is `<currency>/<day>`."""
    payment_intent: str | None
    """Null where it belongs to many: a maturity."""
    entries: list[LedgerEntry]
    created: str


class LedgerAccount(Struct, frozen=True, kw_only=True):
    """A ledger account and its balance."""

    object: Literal["ledger_account"] = "ledger_account"
    id: str
    """Its name: `<account>/<purpose>/…/<currency>`."""
    purpose: str
    """What it is for: `psp_clearing`, `merchant_pending`, `merchant_available`, `fees`, `refunds`, `disputes` …"""
    normal_side: Side
    """The side on which its balance stands as a rule."""
    balance: int
    """In the currency's minor unit, debit positive: what is owed to the merchant is negative here."""
    balance_decimal: str
    currency: str
    entries: int
    """How many entries it has."""


def entry_id(posting: Posting) -> str:
    """The transaction and the line, as `txn_….1`."""
    return f"{posting.transaction_id}.{posting.line}"


def entry(posting: Posting) -> LedgerEntry:
    return LedgerEntry(
        id=entry_id(posting),
        transaction=posting.transaction_id,
        ledger_account=posting.ledger_account,
        amount=posting.amount_minor,
        amount_decimal=decimal_text(posting.amount_minor, posting.currency),
        currency=posting.currency,
        sequence=posting.sequence,
        balance=posting.balance_minor,
        balance_decimal=decimal_text(posting.balance_minor, posting.currency),
    )


def transaction(row: LedgerTransaction, postings: Iterable[Posting], *, livemode: bool) -> LedgerTransactionAnswer:
    return LedgerTransactionAnswer(
        id=row.id,
        kind=row.kind,
        livemode=livemode,
        psp=row.psp or None,
        reference=row.reference,
        payment_intent=row.subject or None,
        entries=[entry(posting) for posting in postings],
        created=rfc3339(row.created_ms),
    )


def ledger_account(balance: Balance) -> LedgerAccount:
    what = purpose(balance.ledger_account)
    return LedgerAccount(
        id=balance.ledger_account,
        purpose=what,
        normal_side=PURPOSES[what].normal,
        balance=balance.amount_minor,
        balance_decimal=decimal_text(balance.amount_minor, balance.currency),
        currency=balance.currency,
        entries=balance.sequence,
    )
