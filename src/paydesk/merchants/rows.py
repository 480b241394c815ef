"""Merchants, accounts and API keys as they are stored. Secrets are sealed."""

from paydesk.store import Versioned


class Merchant(Versioned, frozen=True, kw_only=True):
    """Who sells; has an account per mode."""

    TABLE = "merchants"
    KEY = ("id",)

    id: str
    name: str
    test_account: str
    live_account: str | None = None
    created_ms: int


class Account(Versioned, frozen=True, kw_only=True):
    """A merchant in one mode. Its id is `acct_` and the 8 letters that every id of the account carries."""

    TABLE = "accounts"
    KEY = ("id",)

    id: str
    merchant: str
    merchant_name: str
    livemode: int
    origins: str
    """The full origins that may embed the frame, one per line."""
    psp: str
    """The adapter's name."""
    psp_url: str
    psp_key_sealed: bytes
    notice_secret_sealed: bytes | None = None
    """What the PSP signs its notices with; None: none are taken."""
    fee: str
    """What the platform keeps of each payment, as `1.5%+25`; `0` for nothing."""
    refund_fee: str = "0"
    """What the platform keeps for each refund, beside its amount."""
    dispute_fee: str = "0"
    """The same for each dispute."""
    settlement_delay_days: int = 2
    """How many days after its capture what was earned becomes available; 0 for at once."""
    amount_max: int
    late_payments: str = "refund"
    """What becomes of money that arrives when its payment is over: `refund`, `hold` or `keep`."""
    created_ms: int

    @property
    def origin_list(self) -> list[str]:
        return self.origins.split("\n") if self.origins else []


class ApiKey(Versioned, frozen=True, kw_only=True):
    """A key that a merchant's server signs with. The id is public, the secret is shown once and stored sealed."""

    TABLE = "api_keys"
    KEY = ("account", "id")

    account: str
    id: str
    secret_sealed: bytes
    previous_sealed: bytes | None = None
    """The secret before a roll, good until `previous_until_ms`."""
    previous_until_ms: int | None = None
    status: str = "active"
    created_ms: int
