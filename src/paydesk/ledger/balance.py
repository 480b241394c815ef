"""What an account has, per currency: the answer of `GET /v1/balance`."""

from typing import Literal

from msgspec import Struct

from paydesk.desk import Reader
from paydesk.ledger.chart import purpose
from paydesk.ledger.rows import Balance
from paydesk.money import decimal_text
from paydesk.store import table_of

_COLUMNS = ", ".join(f'"{column}"' for column in table_of(Balance).columns)
# All balances of an account.
OF_ACCOUNT = f'SELECT {_COLUMNS} FROM "ledger_balances" WHERE "account" = ? ORDER BY "ledger_account"'  # noqa: S608


class Sum(Struct, frozen=True, kw_only=True):
    """An amount in one currency, in minor units."""

    amount: int
    amount_decimal: str
    currency: str


class BalanceAnswer(Struct, frozen=True, kw_only=True):
    """`available` for payout, `pending` until it settles, `reserved` for refunds and disputes."""

    object: Literal["balance"] = "balance"
    livemode: bool
    available: list[Sum]
    pending: list[Sum]
    reserved: list[Sum]


async def read(reader: Reader, account: str, *, livemode: bool) -> BalanceAnswer:
    """The account's balances as the merchant sees them: what is owed to the merchant is positive."""
    balances = await reader.query(Balance, OF_ACCOUNT, (account,))

    def sums(what: str) -> list[Sum]:
        return [_sum(balance) for balance in balances if purpose(balance.ledger_account) == what]

    return BalanceAnswer(
        livemode=livemode,
        available=sums("merchant_available"),
        pending=sums("merchant_pending"),
        reserved=sums("merchant_reserved"),
    )


def _sum(balance: Balance) -> Sum:
    amount = -balance.amount_minor
    return Sum(amount=amount, amount_decimal=decimal_text(amount, balance.currency), currency=balance.currency)
