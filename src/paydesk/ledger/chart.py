"""The chart of accounts: the names of an account's ledger accounts, `<account>/<what>/…/<currency>`."""

from msgspec import Struct


class Chart(Struct, frozen=True):
    """The ledger accounts of one account in one currency."""

    account: str
    currency: str

    def psp_clearing(self, psp: str) -> str:
        """What a PSP collected for the merchant and has yet to pay out. Per merchant: no row is shared between them."""
        return f"{self.account}/psp_clearing/{psp}/{self.currency}"

    @property
    def merchant_pending(self) -> str:
        """What the merchant has earned and can't yet be paid out."""
        return f"{self.account}/merchant_pending/{self.currency}"

    @property
    def merchant_available(self) -> str:
        """What the merchant can be paid out."""
        return f"{self.account}/merchant_available/{self.currency}"

    @property
    def fees(self) -> str:
        """What the platform keeps."""
        return f"{self.account}/fees/{self.currency}"


def purpose(ledger_account: str) -> str:
    """`merchant_pending` of `acct_…/merchant_pending/usd`."""
    return ledger_account.split("/")[1]
