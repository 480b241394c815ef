"""The table of test numbers, both sides of every line."""

import pytest

from paydesk_sandbox.psp.cards import (
    AFTERWARDS,
    BY_NUMBER,
    KNOWN,
    OWN,
    Card,
    brand,
    decline_code,
    fault_of,
    on_file,
    passes_luhn,
)
from tests.sandbox.asking import NOW_MS, PAYS

DECLINED = {
    "4000000000000002": "generic_decline",
    "4000000000009995": "insufficient_funds",
    "4000000000009987": "lost_card",
    "4000000000009979": "stolen_card",
    "4000000000000069": "expired_card",
    "4000000000000127": "incorrect_cvc",
    "4000000000000119": "processing_error",
    "4242424242424241": "incorrect_number",
    "4100000000000019": "fraudulent",
    "4000000000003220": "authentication_required",
    "4000008400001629": "authentication_required",
}
PAID = ["4242424242424242", "5555555555554444", "378282246310005", "6011111111111117", "4000000000000259"]


def card(number: str = PAYS, **fields: object) -> Card:
    cvc = "1234" if brand(number) == "amex" else "123"
    return Card(**{"number": number, "exp_month": 12, "exp_year": 2044, "cvc": cvc, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(("number", "code"), DECLINED.items())
def test_declined_numbers(number: str, code: str) -> None:
    assert decline_code(card(number), NOW_MS) == code


@pytest.mark.parametrize("number", PAID)
def test_paid_numbers(number: str) -> None:
    assert decline_code(card(number), NOW_MS) is None


def test_the_table_has_no_line_that_is_not_tested() -> None:
    assert {line.number for line in KNOWN} == {*DECLINED, *PAID}


def test_the_sandbox_s_own_numbers_would_be_paid_and_each_goes_wrong_its_own_way() -> None:
    assert [decline_code(card(line.number), NOW_MS) for line in OWN] == [None] * len(OWN)
    faults = [fault_of(line.number) for line in OWN]
    assert None not in faults
    assert len(set(faults)) == len(OWN)
    assert all(fault_of(line.number) is None for line in KNOWN)


def test_cards_of_what_comes_afterwards_are_paid_and_each_has_its_own_way() -> None:
    assert [decline_code(card(line.number), NOW_MS) for line in AFTERWARDS] == [None] * len(AFTERWARDS)
    assert len({line.afterwards for line in AFTERWARDS} - {None}) == len(AFTERWARDS)
    assert [line.number for line in KNOWN if line.afterwards] == ["4000000000000259"]


def test_a_card_on_file_has_no_number_and_no_code() -> None:
    kept = on_file(card("4539578763621486"))
    assert (kept.brand, kept.last4, kept.exp_month, kept.exp_year, kept.line) == ("visa", "1486", 12, 2044, None)
    assert decline_code(kept, NOW_MS) is None
    assert decline_code(on_file(card(exp_month=10, exp_year=2023)), NOW_MS) == "expired_card"
    assert decline_code(on_file(card("4000000000000002")), NOW_MS) == "generic_decline"


def test_any_other_number_that_passes_luhn_is_paid() -> None:
    assert "4539578763621486" not in BY_NUMBER
    assert decline_code(card("4539578763621486"), NOW_MS) is None
    assert decline_code(card("4539578763621487"), NOW_MS) == "incorrect_number"


@pytest.mark.parametrize(
    ("number", "passes"),
    [
        ("4242424242424242", True),
        ("378282246310005", True),
        ("4242424242424243", False),
        ("0" * 12, True),
        ("0" * 11, False),
        ("0" * 19, True),
        ("0" * 20, False),
        ("", False),
        ("4242 4242 4242 4242", False),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", False),
    ],
)
def test_luhn(number: str, passes: bool) -> None:
    assert passes_luhn(number) is passes


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"exp_month": 11, "exp_year": 2023}, None),  # it is November 2023: good until the month's end
        ({"exp_month": 10, "exp_year": 2023}, "expired_card"),
        ({"exp_month": 12, "exp_year": 2022}, "expired_card"),
        ({"exp_month": 0}, "invalid_expiry_month"),
        ({"exp_month": 13}, "invalid_expiry_month"),
        ({"exp_year": 44}, "invalid_expiry_year"),
        ({"exp_year": 2100}, "invalid_expiry_year"),
        ({"cvc": None}, None),
        ({"cvc": "12"}, "incorrect_cvc"),
        ({"cvc": "1234"}, "incorrect_cvc"),
        ({"cvc": "12x"}, "incorrect_cvc"),
        ({"number": "378282246310005", "cvc": "123"}, "incorrect_cvc"),
    ],
)
def test_expiry_and_cvc(fields: dict[str, object], code: str | None) -> None:
    assert decline_code(card(**fields), NOW_MS) == code  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("4242424242424242", "visa"),
        ("378282246310005", "amex"),
        ("5555555555554444", "mastercard"),
        ("2223003122003222", "mastercard"),
        ("2220991234567890", "unknown"),
        ("6011111111111117", "discover"),
        ("3566002020360505", "jcb"),
        ("30569309025904", "diners"),
        ("6200000000000005", "unionpay"),
        ("9999999999999995", "unknown"),
        ("", "unknown"),
        ("x", "unknown"),
    ],
)
def test_brands(number: str, name: str) -> None:
    assert brand(number) == name


def test_a_card_does_not_show_itself() -> None:
    assert repr(card()) == "Card(visa)"
