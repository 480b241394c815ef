"""Brands, check digits, and each thing that can be wrong with a card."""

import logging
import traceback

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from paydesk.errors import Refusal
from paydesk.vault.cards import Card, brand, check, luhn

VISA = "4242424242424242"


def card(**changes: object) -> Card:
    fields: dict[str, object] = {"number": VISA, "exp_month": 12, "exp_year": 2030, "cvc": "123", **changes}
    return msgspec.convert(fields, Card)


def refused(broken: Card, year: int = 2026, month: int = 6) -> tuple[str, str | None, int]:
    with pytest.raises(Refusal) as caught:
        check(broken, year, month)
    return caught.value.code, caught.value.param, caught.value.status


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("4242424242424242", "visa"),
        ("4222222222222", "visa"),
        ("42424242424242", "unknown"),  # No Visa has fourteen digits.
        ("5555555555554444", "mastercard"),
        ("2223003122003222", "mastercard"),
        ("2221000000000009", "mastercard"),
        ("2720990000000007", "mastercard"),
        ("2220990000000000", "unknown"),
        ("2721000000000000", "unknown"),
        ("5018000000000009", "unknown"),
        ("5600000000000003", "unknown"),
        ("378282246310005", "amex"),
        ("343434343434343", "amex"),
        ("3782822463100051", "unknown"),
        ("6011111111111117", "discover"),
        ("6444444444444444", "discover"),
        ("6500000000000002", "discover"),
        ("3056930009020004", "diners"),
        ("36227206271667", "diners"),
        ("3566002020360505", "jcb"),
        ("3527999999999999", "unknown"),
        ("6200000000000005", "unionpay"),
        ("8100000000000006", "unionpay"),
        ("9000000000000000", "unknown"),
        ("", "unknown"),
    ],
)
def test_brand_goes_by_prefix_and_length(number: str, expected: str) -> None:
    assert brand(number) == expected


@pytest.mark.parametrize(
    "number",
    [
        "4242424242424242",
        "4000000000000002",
        "4000008400001629",
        "4100000000000019",
        "378282246310005",
        "36227206271667",
    ],
)
def test_check_digit_holds(number: str) -> None:
    assert luhn(number)


@pytest.mark.parametrize(
    "number",
    [
        "4242424242424241",
        "4242 4242 4242 4242",
        "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        "⁴²⁴²⁴²⁴²⁴²⁴²⁴²⁴²",
        "42424242424",
        "42424242424242424242",
        "",
        "0",
        "-424242424242424",
    ],
)
def test_not_a_number(number: str) -> None:
    assert not luhn(number)
    assert refused(card(number=number)) == ("incorrect_number", "number", 402)


@given(st.text("0123456789", min_size=12, max_size=19), st.integers(1, 9))
def test_changing_one_digit_of_a_good_number_makes_a_refused_one(digits: str, shift: int) -> None:
    good = next(digits[:-1] + last for last in "0123456789" if luhn(digits[:-1] + last))
    where = shift % len(good)
    bad = good[:where] + str((int(good[where]) + shift) % 10) + good[where + 1 :]
    assert refused(card(number=bad)) == ("incorrect_number", "number", 402)


def test_good_cards_pass() -> None:
    check(card(), 2026, 6)
    check(card(exp_month=6, exp_year=2026), 2026, 6)  # To the end of its month.
    check(card(exp_year=2076), 2026, 6)
    check(card(number="378282246310005", cvc="1234"), 2026, 6)


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"exp_month": 0}, "invalid_expiry_month", "exp_month"),
        ({"exp_month": 13}, "invalid_expiry_month", "exp_month"),
        ({"exp_month": -1}, "invalid_expiry_month", "exp_month"),
        ({"exp_year": 30}, "invalid_expiry_year", "exp_year"),
        ({"exp_year": 1999}, "invalid_expiry_year", "exp_year"),
        ({"exp_year": 2077}, "invalid_expiry_year", "exp_year"),
        ({"exp_year": 2026, "exp_month": 5}, "expired_card", "exp_year"),
        ({"exp_year": 2025}, "expired_card", "exp_year"),
        ({"cvc": "12"}, "incorrect_cvc", "cvc"),
        ({"cvc": "1234"}, "incorrect_cvc", "cvc"),
        ({"cvc": "12a"}, "incorrect_cvc", "cvc"),
        ({"cvc": "١٢٣"}, "incorrect_cvc", "cvc"),
        ({"cvc": ""}, "incorrect_cvc", "cvc"),
        ({"number": "378282246310005", "cvc": "123"}, "incorrect_cvc", "cvc"),
    ],
)
def test_each_field_has_its_refusal(changes: dict[str, object], code: str, param: str) -> None:
    assert refused(card(**changes)) == (code, param, 402)


def test_a_card_prints_its_brand_and_last_four_alone(caplog: pytest.LogCaptureFixture) -> None:
    whole = card(cvc="987", name="Ada")
    logging.getLogger("any").warning("card %s %r", whole, whole)
    printed = [
        repr(whole),
        str(whole),
        f"{whole}",
        pretty_repr(whole),
        pretty_repr([whole]),
        caplog.text,
        repr([whole]),
    ]
    assert repr(whole) == "Card(visa …4242)"
    for text in printed:
        assert VISA not in text
        assert "987" not in text
        assert "Ada" not in text


def test_a_refusal_prints_no_digit_of_the_card() -> None:
    for broken in (card(number="4242424242424241"), card(cvc="98765"), card(exp_year=2020)):
        with pytest.raises(Refusal) as caught:
            check(broken, 2026, 6)
        printed = "".join(traceback.format_exception(caught.value)) + caught.value.body("req_1").decode()
        assert broken.number not in printed
        assert broken.cvc not in printed


def test_a_short_number_is_not_its_own_last_four() -> None:
    assert "4242" not in repr(card(number="4242"))
