"""What an account has, per currency: the answer of `GET /v1/balance`."""

from typing import Literal

from msgspec import Struct

from paydesk.desk import Reader
from paydesk.ledger.chart import RESERVED, purpose
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
    """What is owed to the merchant, per currency; below zero where refunds and disputes took more than there was."""

    object: Literal["balance"] = "balance"
    livemode: bool
    available: list[Sum]
    """Can be paid out."""
    pending: list[Sum]
    """Becomes available on the day that each payment names."""
    reserved: list[Sum]
    """Taken for refunds that are under way and for disputes that are open."""


async def read(reader: Reader, account: str, *, livemode: bool) -> BalanceAnswer:
    """The account's balances as the merchant sees them: what is owed to the merchant is positive."""
    balances = await reader.query(Balance, OF_ACCOUNT, (account,))

    def sums(*purposes: str) -> list[Sum]:
        amounts: dict[str, int] = {}
        for balance in balances:
            if purpose(balance.ledger_account) in purposes:
                amounts[balance.currency] = amounts.get(balance.currency, 0) - balance.amount_minor
        return [_sum(amount, currency) for currency, amount in sorted(amounts.items())]

    return BalanceAnswer(
        livemode=livemode,
        available=sums("merchant_available"),
        pending=sums("merchant_pending"),
        reserved=sums(*RESERVED),
    )


def _sum(amount: int, currency: str) -> Sum:
    return Sum(amount=amount, amount_decimal=decimal_text(amount, currency), currency=currency)
