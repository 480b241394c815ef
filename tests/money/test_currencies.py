"""The table of ISO 4217's digits, and amounts written as text."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydesk.errors import Refusal
from paydesk.money import AMOUNT_MAX, DIGITS, check_amount, decimal_text, digits

UNPAYABLE = "xxx xts xau xag xpt xpd xba xbb xbc xbd xdr xsu xua xad usn che chw clf cou mxv uyi uyw bov"
GONE = "ang bgn cuc hrk zwl sll eek lvl ltl byr mro std vef"
WITHOUT_DIGITS = "isk ugx jpy krw clp pyg vnd vuv bif djf gnf kmf rwf xaf xof xpf"
WITH_THREE = "bhd iqd jod kwd lyd omr tnd"
# Where libraries that follow CLDR's cash digits, or memory, go wrong.
OFTEN_WRONG_BUT_TWO = "huf twd afn all irr lbp rsd sos idr mga mru usd eur xcg zwg sle ved"


@pytest.mark.parametrize(("currencies", "places"), [(WITHOUT_DIGITS, 0), (WITH_THREE, 3), (OFTEN_WRONG_BUT_TWO, 2)])
def test_the_digits_are_those_of_the_standard(currencies: str, places: int) -> None:
    assert {digits(currency) for currency in currencies.split()} == {places}


def test_the_table_is_whole() -> None:
    assert len(DIGITS) == 155
    assert set(DIGITS.values()) == {0, 2, 3}
    assert all(len(code) == 3 and code.isascii() and code.islower() for code in DIGITS)


@pytest.mark.parametrize("currency", [*UNPAYABLE.split(), *GONE.split(), "USD", "US", "us", "", "usd ", "uѕd", "usd\n"])
def test_what_is_not_in_the_table_is_refused(currency: str) -> None:
    with pytest.raises(Refusal) as refused:
        digits(currency)
    assert (refused.value.code, refused.value.param) == ("currency_unknown", "currency")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1999, "usd", "19.99"),
        (1000, "jpy", "1000"),
        (-1000, "jpy", "-1000"),
        (0, "jpy", "0"),
        (-5, "usd", "-0.05"),
        (5, "kwd", "0.005"),
        (12345, "bhd", "12.345"),
        (0, "eur", "0.00"),
        (100, "huf", "1.00"),
    ],
)
def test_amounts_as_text(amount: int, currency: str, text: str) -> None:
    assert decimal_text(amount, currency) == text


@given(st.integers(-(10**20), 10**20), st.sampled_from(sorted(DIGITS)))
def test_the_text_is_exact(amount: int, currency: str) -> None:
    text = decimal_text(amount, currency)
    assert text == format(Decimal(amount).scaleb(-DIGITS[currency]), "f")


@pytest.mark.parametrize("amount", [1, 4200, AMOUNT_MAX])
def test_amounts_within_the_limits(amount: int) -> None:
    check_amount(amount)


@pytest.mark.parametrize(
    ("amount", "maximum", "code"),
    [
        (0, AMOUNT_MAX, "amount_too_small"),
        (-1, AMOUNT_MAX, "amount_too_small"),
        (AMOUNT_MAX + 1, AMOUNT_MAX, "amount_too_large"),
        (2**53, AMOUNT_MAX, "amount_too_large"),
        (2**63, AMOUNT_MAX, "amount_too_large"),
        (501, 500, "amount_too_large"),
    ],
)
def test_amounts_outside_the_limits(amount: int, maximum: int, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_amount(amount, maximum)
    assert (refused.value.code, refused.value.param) == (code, "amount")
