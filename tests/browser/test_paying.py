"""Paying in the shop's page: what is sealed, what the shop hears, and another card after a decline."""

import time

import pytest
from playwright.sync_api import Route, expect

from tests.browser.counter import AMEX, DECLINED, GOOD, Counter, fill, press_pay, sees, type_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_pays(counter: Counter) -> None:
    form = counter.open()
    expect(form.locator("#merchant")).to_have_text("Lamp & Shade")
    expect(form.locator("#amount")).to_have_text("$19.99")
    expect(form.locator("#pay")).to_have_text("Pay $19.99")
    expect(form.locator("#consent")).to_be_hidden()
    type_in(form)
    press_pay(form)
    sees(form, "success")
    assert counter.told("result") == [{"intent": counter.stub.intent, "status": "succeeded"}]
    assert "name" not in counter.stub.cards[0]
    assert counter.complaints == []


def test_what_is_sealed(counter: Counter) -> None:
    form = counter.open()
    fill(form, name=" Ada Ørsted ")
    press_pay(form)
    sees(form, "success")
    [card] = counter.stub.cards
    header, iat, jti = card.pop("header"), card.pop("iat"), card.pop("jti")
    assert card == {
        "v": 1,
        "number": GOOD,
        "exp_month": 12,
        "exp_year": 2034,
        "cvc": "123",
        "name": "Ada Ørsted",
        "intent": counter.stub.intent,
        "origin": counter.shop,
    }
    assert isinstance(iat, int)
    assert abs(time.time() - iat) < 60
    assert len(jti) == 22
    assert list(header) == ["alg", "enc", "kid", "epk", "typ"]
    assert set(header.pop("epk")) == {"kty", "crv", "x", "y"}
    kid = counter.stub.keys[0].kid
    assert header == {"alg": "ECDH-ES", "enc": "A256GCM", "kid": kid, "typ": "paydesk-card+jwe"}
    assert len(counter.stub.payloads[0]) < 4096
    for field in ("number", "cvc", "expiry", "name"):
        assert form.locator(f"#{field}").input_value() == "", "nothing stays in a form that was paid with"


def test_the_time_is_the_servers(counter: Counter) -> None:
    counter.stub.server_time = "2031-05-06T07:08:09.500Z"
    form = counter.open()
    fill(form)
    press_pay(form)
    sees(form, "success")
    assert 0 <= counter.stub.cards[0]["iat"] - 1935817689 < 60


def test_another_card_after_a_decline(counter: Counter) -> None:
    counter.stub.plans.extend(["card_declined", "succeeded"])
    form = counter.open()
    fill(form, number=DECLINED)
    press_pay(form)
    expect(form.get_by_role("alert")).to_have_text("Your card was declined. Try another card.")
    expect(form.locator("#number")).to_be_focused()
    expect(form.locator("#pay")).to_be_enabled()
    fill(form)
    press_pay(form)
    sees(form, "success")
    assert [card["number"] for card in counter.stub.cards] == [DECLINED, GOOD]
    assert counter.stub.cards[0]["jti"] != counter.stub.cards[1]["jti"]
    assert counter.told("result") == [{"intent": counter.stub.intent, "status": "succeeded"}]


def test_a_refused_code_is_said_at_its_field(counter: Counter) -> None:
    counter.stub.plans.append("incorrect_cvc")
    form = counter.open()
    fill(form)
    press_pay(form)
    expect(form.locator("#cvc-error")).to_have_text("The security code is incorrect.")
    expect(form.locator("#cvc")).to_be_focused()
    expect(form.locator("#cvc")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_role("alert")).to_be_hidden()


def test_the_button_works_once(counter: Counter) -> None:
    counter.stub.plans.append("processing")
    form = counter.open()
    fill(form)
    form.locator("#pay").dblclick()
    sees(form, "processing")
    counter.page.evaluate("window.form.submit()")
    counter.stub.become("succeeded")
    sees(form, "success")
    assert len(counter.stub.payloads) == 1


def test_the_shops_button_works_once_too(counter: Counter) -> None:
    """Its presses come while the first one is being answered, when the form still stands there."""
    form = counter.open()
    fill(form)
    asked: list[Route] = []
    counter.context.route("**/confirm", lambda route: asked.append(route))
    counter.page.evaluate("window.form.submit()")
    expect(form.locator("#pay")).to_have_text("Paying $19.99…")
    counter.page.evaluate("window.form.submit(); window.form.update({ accent: 'rgb(1, 90, 60)' })")
    expect(form.locator("#pay")).to_have_css("background-color", "rgb(1, 90, 60)")  # Came behind the second press.
    while not asked:  # Playwright hands routes over while it waits for something.
        counter.page.wait_for_timeout(10)
    asked[0].continue_()
    sees(form, "success")
    assert len(asked) == len(counter.stub.payloads) == 1


def test_pays_by_keyboard_alone(counter: Counter) -> None:
    form = counter.open()
    expect(form.locator("#pay")).to_be_enabled()
    keyboard = counter.page.keyboard
    for field, text in (("number", AMEX), ("expiry", "0834"), ("cvc", "1234"), ("name", "Ada")):
        keyboard.press("Tab")
        expect(form.locator(f"#{field}")).to_be_focused()  # The frame is another process: focus arrives in its time.
        keyboard.type(text)
    keyboard.press("Tab")
    expect(form.locator("#pay")).to_be_focused()
    keyboard.press("Enter")
    sees(form, "success")
    expect(form.get_by_role("heading", name="Payment successful")).to_be_focused()
    assert counter.stub.cards[0]["number"] == AMEX


def test_enter_in_a_field_pays(counter: Counter) -> None:
    form = counter.open()
    fill(form)
    form.locator("#cvc").press("Enter")
    sees(form, "success")


def test_the_shops_own_button_pays(counter: Counter) -> None:
    form = counter.open()
    fill(form)
    counter.page.evaluate("window.form.submit()")
    sees(form, "success")


def test_the_digits_are_the_servers(counter: Counter) -> None:
    for amount, currency, text in (
        ("1999", "jpy", "Pay ¥1,999"),
        ("1.999", "kwd", "Pay KWD 1.999"),
        ("1999", "isk", "Pay ISK 1,999"),
        ("19.99", "huf", "Pay HUF 19.99"),
        ("19.99", "afn", "Pay AFN 19.99"),
    ):
        counter.stub.fields = {"amount_decimal": amount, "currency": currency}
        page = counter.open_alone()
        expect(page.locator("#pay")).to_have_text(text)


def test_in_german(counter: Counter) -> None:
    form = counter.open(locale="de-AT")
    expect(form.locator("#pay")).to_have_text("$ 19,99 bezahlen")
    expect(form.get_by_label("Kartennummer")).to_be_visible()


def test_pays_in_an_isolated_shop(counter: Counter) -> None:
    form = counter.open("/isolated")
    assert counter.page.evaluate("crossOriginIsolated")
    fill(form)
    press_pay(form)
    sees(form, "success")
    assert counter.complaints == []
