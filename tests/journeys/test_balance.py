"""Fees and balances in several currencies: whole numbers of the minor unit, whatever its digits."""

from typing import Any

import httpx
import pytest

from tests.journeys.cast import Cast
from tests.stage.shopper import DECLINED
from tests.stage.stage import Merchant, Stage


def pay(merchant: Merchant, amount: int, currency: str) -> None:
    intent = merchant.open(amount=amount, currency=currency)
    assert merchant.shopper(intent).pay().status_code == 200


def pending(merchant: Merchant) -> dict[str, tuple[int, str]]:
    balance = merchant.client.balance.retrieve()
    assert (balance["object"], balance["livemode"]) == ("balance", False)
    assert balance["available"] == balance["reserved"] == []
    return {shown["currency"]: (shown["amount"], shown["amount_decimal"]) for shown in balance["pending"]}


def test_each_currency_has_its_own_balance_and_digits(cast: Cast) -> None:
    tea = cast.merchant(fee="1.5%+25")
    for amount, currency in ((4200, "usd"), (1000, "usd"), (1999, "eur"), (1500, "jpy"), (12_345, "kwd"), (50, "isk")):
        pay(tea, amount, currency)
    assert pending(tea) == {
        "usd": (4200 - 63 - 25 + 1000 - 15 - 25, "50.72"),
        "eur": (1999 - 30 - 25, "19.44"),  # 1.5 % is 29.985: half a cent is rounded up.
        "jpy": (1500 - 23 - 25, "1452"),  # 22.5 yen: half a yen too.
        "kwd": (12_345 - 185 - 25, "12.135"),
        "isk": (50 - 1 - 25, "24"),
    }


def test_without_a_fee_everything_is_the_merchants(cast: Cast) -> None:
    tea = cast.merchant()
    pay(tea, 1, "usd")
    pay(tea, 99_999_999, "usd")
    assert pending(tea) == {"usd": (100_000_000, "1000000.00")}


def test_a_fee_never_takes_more_than_there_is(cast: Cast) -> None:
    tea = cast.merchant(fee="50%+100")
    pay(tea, 120, "usd")
    assert pending(tea) == {}
    pay(tea, 300, "usd")
    assert pending(tea) == {"usd": (50, "0.50")}


def test_what_was_not_paid_moves_no_balance(cast: Cast) -> None:
    tea = cast.merchant(fee="10%")
    tea.shopper(tea.open()).pay(DECLINED)
    tea.open()
    assert pending(tea) == {}
    pay(tea, 1000, "usd")
    assert pending(tea) == {"usd": (900, "9.00")}


@pytest.mark.parametrize(
    ("amount", "currency", "text"), [(1999, "usd", "19.99"), (1, "jpy", "1"), (7, "kwd", "0.007"), (100, "huf", "1.00")]
)
def test_amounts_as_people_write_them(cast: Cast, amount: int, currency: str, text: str) -> None:
    tea = cast.merchant()
    intent = tea.open(amount=amount, currency=currency)
    assert (intent["amount"], intent["amount_decimal"]) == (amount, text)
    assert tea.shopper(intent).session()["amount_decimal"] == text


def test_the_psps_books_and_ours_agree(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant(fee="2.9%+30")
    for amount in (100, 250, 9999):
        pay(tea, amount, "chf")
    intents: list[dict[str, Any]] = tea.client.payment_intents.list()["data"]
    taken = 0
    for intent in intents:
        for charge in stage.charges(intent["latest_attempt"]):
            assert (charge["currency"], charge["amount"]) == ("chf", intent["amount"])
            taken += charge["amount_captured"]
    assert taken == sum(intent["amount_received"] for intent in intents) == 10_349
    fees = (3 + 30) + (7 + 30) + (290 + 30)
    assert pending(tea) == {"chf": (taken - fees, "99.59")}
    assert httpx.get(f"{stage.psp}/books").json()["charged_twice"] == []
