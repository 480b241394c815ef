"""Typing, deleting, pasting and filling: grouping, brands, and errors beside the field."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.counter import Counter, press_pay

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def page(shared: Counter) -> Page:
    return shared.open_alone()


@pytest.fixture
def form(page: Page) -> Page:
    """One page for all: a field that was emptied is as new."""
    expect(page.locator("#pay")).to_be_enabled()
    for field in ("number", "expiry", "cvc", "name"):
        page.locator(f"#{field}").fill("")
    page.evaluate("document.activeElement.blur()")
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    return page


@pytest.mark.parametrize(
    ("typed", "shown", "brand"),
    [
        ("4242424242424242", "4242 4242 4242 4242", "Visa"),
        ("378282246310005", "3782 822463 10005", "Amex"),
        ("5555 5555-5555.4444", "5555 5555 5555 4444", "Mastercard"),
        ("2720999999999996", "2720 9999 9999 9996", "Mastercard"),
        ("6011111111111117", "6011 1111 1111 1117", "Discover"),
        ("30569309025904", "3056 930902 5904", "Diners Club"),
        ("3530111333300000", "3530 1113 3330 0000", "JCB"),
        ("6200000000000005", "6200 0000 0000 0005", "UnionPay"),
        ("9999", "9999", ""),
        ("37828224631000599", "3782 822463 10005", "Amex"),
        ("٤٢٤٢４２４２", "4242 4242", "Visa"),
        ("card 42", "42", "Visa"),
    ],
)
def test_numbers_are_grouped_and_named(form: Page, typed: str, shown: str, brand: str) -> None:
    form.locator("#number").press_sequentially(typed)
    expect(form.locator("#number")).to_have_value(shown)
    expect(form.locator("#brand")).to_have_text(brand)


def test_the_caret_stays_where_the_digit_was_typed(form: Page) -> None:
    number = form.locator("#number")
    number.press_sequentially("42424242")
    for _ in range(5):
        number.press("ArrowLeft")
    number.press_sequentially("99")
    expect(number).to_have_value("4242 9942 42")
    number.press("Backspace")
    number.press("Backspace")
    expect(number).to_have_value("4242 4242")


def test_deleting_a_space_deletes_the_digit_before_it(form: Page) -> None:
    number = form.locator("#number")
    number.press_sequentially("42431")
    number.press("ArrowLeft")
    number.press("Backspace")
    expect(number).to_have_value("4241")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("1", "1"),
        ("12", "12 / "),
        ("5", "05 / "),
        ("1230", "12 / 30"),
        ("122030", "12 / 2030"),
        ("12/3", "12 / 3"),
        ("12345", "12 / 34"),
    ],
)
def test_the_slash_comes_by_itself(form: Page, typed: str, shown: str) -> None:
    form.locator("#expiry").press_sequentially(typed)
    expect(form.locator("#expiry")).to_have_value(shown)


def test_an_expiry_can_be_deleted_to_the_end(form: Page) -> None:
    expiry = form.locator("#expiry")
    expiry.press_sequentially("123")
    for left in ("12", "1", ""):
        expiry.press("Backspace")
        expect(expiry).to_have_value(left)


@pytest.mark.parametrize(("filled", "shown"), [("12/2034", "12 / 2034"), ("12/34", "12 / 34"), ("1234", "12 / 34")])
def test_browsers_fill_the_expiry_in_their_way(form: Page, filled: str, shown: str) -> None:
    form.locator("#expiry").fill(filled)
    expect(form.locator("#expiry")).to_have_value(shown)


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("number", "4242", "Enter the whole card number."),
        ("number", "4242424242424241", "This card number is not valid."),
        ("expiry", "1", "Enter month and year, as on the card."),
        ("expiry", "1334", "This is not a month."),
        ("expiry", "0034", "This is not a month."),
        ("expiry", "1220", "This card has expired."),
        ("expiry", "1299", "This is not a year a card can have."),
        ("cvc", "12", "Enter the security code."),
        ("cvc", "1234", "Enter the security code."),
    ],
)
def test_errors_stand_beside_the_field(form: Page, field: str, typed: str, sentence: str) -> None:
    place = form.locator(f"#{field}")
    place.press_sequentially(typed)
    expect(form.locator(f"#{field}-error")).to_be_empty()
    place.blur()
    expect(form.locator(f"#{field}-error")).to_have_text(sentence)
    expect(place).to_have_attribute("aria-invalid", "true")
    expect(place).to_have_accessible_description(sentence if field != "number" else f"Visa {sentence}")
    place.press_sequentially("9")
    expect(place).not_to_have_attribute("aria-invalid", "true")


def test_an_empty_field_is_no_error_until_pay(form: Page) -> None:
    form.locator("#number").focus()
    form.locator("#number").blur()
    expect(form.locator("#number-error")).to_be_empty()
    press_pay(form)
    for field in ("number", "expiry", "cvc"):
        expect(form.locator(f"#{field}-error")).not_to_be_empty()
    expect(form.locator("#number")).to_be_focused()


def test_the_expiry_counts_by_the_servers_calendar(counter: Counter) -> None:
    """At UTC−12 it is still January when the server has the first of February."""
    counter.stub.server_time = "2031-02-01T11:00:00.000Z"
    page = counter.open_alone()
    page.locator("#expiry").press_sequentially("0131")
    page.locator("#expiry").blur()
    expect(page.locator("#expiry-error")).to_be_empty()
    counter.stub.server_time = "2031-02-01T13:00:00.000Z"
    page.reload()
    page.locator("#expiry").press_sequentially("0131")
    page.locator("#expiry").blur()
    expect(page.locator("#expiry-error")).to_have_text("This card has expired.")
