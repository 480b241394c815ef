"""The chart of accounts: an account's ledger accounts, `<account>/<purpose>/…/<currency>`, and what each of them means.

Every name begins with the account: no row of the books is shared between merchants, the platform's fees included.
"""

from typing import Literal

from msgspec import Struct

Side = Literal["debit", "credit"]

Owed = Literal["merchant_pending", "merchant_available"]
"""Where what is owed to the merchant stands: not yet to be paid out, or to be paid out."""


class Purpose(Struct, frozen=True):
    """What one kind of ledger account is for."""

    normal: Side
    """The side on which its balance stands as a rule. Debit is positive in the books: `credit` is below zero there."""
    says: str


PURPOSES: dict[str, Purpose] = {
    "psp_clearing": Purpose("debit", "What a PSP has collected and has yet to pay out; one per PSP."),
    "merchant_pending": Purpose("credit", "What the merchant has earned and can't be paid out yet."),
    "merchant_available": Purpose(
        "credit", "What the merchant can be paid out. Below nothing where refunds took more."
    ),
    "fees": Purpose("credit", "What the platform keeps."),
    "refunds": Purpose("credit", "Refunds under way: taken from the merchant, not yet given back by the PSP."),
    "disputes": Purpose("credit", "Disputes that are open: taken from the merchant until the bank has decided."),
    "late_payments": Purpose("credit", "Money that arrived when its payment was over, held until somebody decides."),
    # Names that stand before there is anything in them: what is in the journal can't be renamed.
    "payouts": Purpose("credit", "Payouts under way: taken from the merchant, not yet seen to arrive at its bank."),
    "sellers": Purpose("credit", "What a marketplace owes a seller; one per seller."),
    "wallets": Purpose("credit", "What shoppers have put into a wallet; one per wallet."),
    "gift_balance": Purpose("credit", "What was paid for gift cards and not yet spent."),
}

RESERVED = ("refunds", "disputes")
"""What was taken from the merchant and is neither given back nor lost yet."""


class Chart(Struct, frozen=True):
    """The ledger accounts of one account in one currency."""

    account: str
    currency: str

    def psp_clearing(self, psp: str) -> str:
        return f"{self.account}/psp_clearing/{psp}/{self.currency}"

    def owed(self, where: Owed) -> str:
        """What is owed to the merchant: pending, or available."""
        return f"{self.account}/{where}/{self.currency}"

    @property
    def merchant_pending(self) -> str:
        return self.owed("merchant_pending")

    @property
    def merchant_available(self) -> str:
        return self.owed("merchant_available")

    @property
    def fees(self) -> str:
        return f"{self.account}/fees/{self.currency}"

    @property
    def refunds(self) -> str:
        return f"{self.account}/refunds/{self.currency}"

    @property
    def disputes(self) -> str:
        return f"{self.account}/disputes/{self.currency}"

    @property
    def late_payments(self) -> str:
        return f"{self.account}/late_payments/{self.currency}"


def purpose(ledger_account: str) -> str:
    """`merchant_pending` of `acct_…/merchant_pending/usd`."""
    return ledger_account.partition("/")[2].partition("/")[0]


def owner_of(ledger_account: str) -> str:
    """The account that a ledger account belongs to."""
    return ledger_account.partition("/")[0]


def currency_of(ledger_account: str) -> str:
    """The one currency that a ledger account is kept in."""
    return ledger_account.rpartition("/")[2]
