"""The rule by which the platform's fee is computed."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydesk.money import AMOUNT_MAX, Fee

FEES = st.builds(
    Fee, share_millionths=st.integers(0, 1_000_000), fixed_minor=st.integers(0, 10_000) | st.integers(0, 999_999_999)
)
AMOUNTS = st.integers(0, 10_000) | st.integers(0, AMOUNT_MAX) | st.integers(0, 10**18)


@pytest.mark.parametrize(
    ("text", "share", "fixed", "canonical"),
    [
        ("1.5%+25", 15_000, 25, "1.5%+25"),
        ("2.9%", 29_000, 0, "2.9%"),
        ("30", 0, 30, "30"),
        ("0", 0, 0, "0"),
        ("0%", 0, 0, "0"),
        ("0%+30", 0, 30, "30"),
        ("1.50%+0", 15_000, 0, "1.5%"),
        ("0.0001%", 1, 0, "0.0001%"),
        ("100%", 1_000_000, 0, "100%"),
        ("10%+100", 100_000, 100, "10%+100"),
    ],
)
def test_reading_and_writing(text: str, share: int, fixed: int, canonical: str) -> None:
    fee = Fee.parse(text)
    assert (fee.share_millionths, fee.fixed_minor) == (share, fixed)
    assert str(fee) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "%", "+", "+25", "1.5%+", "1.5", "1.5+25", "-1%", "-5", "1,5%", "1.00001%", "100.0001%", "999%"),
        *("1.5% + 25", "25+1.5%", "1%1", "01%", "007", "٣%", "1%+2%", "1.%", ".5%", "nan", "1e2", "30\n", "1%\n"),
        "1234567890",
    ],
)
def test_what_is_not_a_fee_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is not a fee: ") as refused:
        Fee.parse(text)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("text", "amount", "fee"),
    [
        ("1.5%+25", 1999, 55),  # 29.985 → 30
        ("2.5%", 20, 1),  # exactly half goes up
        ("2.5%", 19, 0),
        ("30", 100, 30),
        ("30", 12, 12),
        ("50%+50", 60, 60),
        ("0", 1999, 0),
        ("100%", 1999, 1999),
        ("1.5%+25", 0, 0),
    ],
)
def test_fees_of_amounts(text: str, amount: int, fee: int) -> None:
    assert Fee.parse(text).of(amount) == fee


def test_there_is_no_fee_of_a_negative_amount() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        Fee.parse("1%").of(-1)


@given(FEES, AMOUNTS)
def test_a_fee_is_within_its_amount_and_rounded_by_at_most_half(fee: Fee, amount: int) -> None:
    exact = Fraction(amount * fee.share_millionths, 1_000_000) + fee.fixed_minor
    taken = fee.of(amount)
    assert 0 <= taken <= amount
    assert taken == amount or Fraction(-1, 2) < taken - exact <= Fraction(1, 2)


@given(FEES, AMOUNTS, AMOUNTS)
def test_a_larger_amount_never_costs_less(fee: Fee, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert fee.of(low) <= fee.of(high)


@given(FEES)
def test_what_is_written_is_read_back(fee: Fee) -> None:
    assert Fee.parse(str(fee)) == fee
