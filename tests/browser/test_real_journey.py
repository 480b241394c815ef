"""From the shop's shelf to a paid order: a real browser, the real server, the sandbox PSP and the demo shop."""

import base64
import json

import httpx
import pytest
from playwright.sync_api import FrameLocator, Page, Route, expect

from tests.browser.counter import DECLINED, GOOD, HURRY, fill, press_pay, sees, type_in
from tests.browser.real import Street, Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAID_NEVER_ANSWERED = "4000009900000111"


def ready(form: FrameLocator | Page) -> None:
    expect(form.locator("#pay")).to_be_enabled()


def test_from_the_shelf_to_a_paid_order(visit: Visit, street: Street) -> None:
    """Two teapots' worth of looking: a decline, another card, the frame's advice, and then the webhook's truth."""
    pending = street.pending()
    visit.page.goto(street.shop)
    visit.photograph("shelf")
    order = visit.buy("Clay teapot")
    expect(visit.form.locator("#merchant")).to_have_text("Leaf & Kettle")
    expect(visit.form.locator("#pay")).to_have_text("Pay $42.00")
    ready(visit.form)
    visit.photograph("pay")

    type_in(visit.form, DECLINED)
    visit.form.locator("#name").fill("Ada Lovelace")
    visit.photograph("filled")
    press_pay(visit.form)
    expect(visit.form.get_by_role("alert")).to_have_text("Your card was declined. Try another card.")
    visit.photograph("declined")
    intent = street.shop_says(order)["payment_intent"]
    assert street.charges(intent) == [("declined", 0)]

    with visit.shop_kept_in_the_dark():
        visit.pay(GOOD)
        sees(visit.form, "success")
        notice = "The payment went through. Waiting for the shop to confirm it …"
        expect(visit.page.locator("#notice")).to_have_text(notice)
        visit.headline.to_have_text("Pay for your order")
        visit.photograph("advice")
    visit.thanked()
    visit.photograph("paid")
    visit.page.reload()
    visit.headline.to_have_text("Thank you, your order is paid")

    told = street.client.payment_intents.retrieve(intent)
    assert (told["status"], told["amount_received"], told["metadata"]) == ("succeeded", 4200, {"order": order})
    assert street.charges(intent) == [("captured", 4200)]
    assert street.pending() - pending == 4200
    said = street.shop_says(order)
    assert (said["status"], said["amount"], said["payment_intent"]) == ("paid", 4200, intent)
    heard = street.shop_heard()
    assert (heard["refused"], heard["mismatched"]) == (0, 0)
    about = [one["type"] for one in heard["latest"] if one["payment_intent"] == intent]
    assert about == ["payment_intent.created", "payment_intent.payment_failed", "payment_intent.succeeded"]


def test_an_unknown_outcome_says_so_and_the_stream_brings_the_end(visit: Visit, street: Street) -> None:
    """The card is charged and nobody hears of it; the first look-up is answered 503."""
    fault = {"fault": "status", "on": "lookups"}
    assert httpx.post(f"{street.stage.psp}/faults", json=fault).status_code == 200
    order = visit.buy()
    with visit.shop_kept_in_the_dark():
        visit.pay(PAID_NEVER_ANSWERED)
        sees(visit.form, "processing")
        expect(visit.form.locator("[data-part=processing]")).to_contain_text("Do not pay again")
        expect(visit.form.locator("#pay")).to_be_hidden()
        intent = street.shop_says(order)["payment_intent"]
        assert street.client.payment_intents.retrieve(intent)["outcome"] == "unknown"
        visit.photograph("processing")
        sees(visit.form, "success")
    visit.thanked()
    assert [answer for answer in visit.answers if answer[0] in ("confirm", "stream", "status")] == [
        ("confirm", 202),
        ("stream", 200),
    ]
    assert street.charges(intent) == [("captured", 4200)]


def test_the_card_keys_are_gone_when_the_card_arrives(visit: Visit, street: Street) -> None:
    """Paydesk restarts between encrypting and delivering: the old key is in nobody's memory any more."""
    order = visit.buy("Mountain oolong")
    ready(visit.form)
    held: list[Route] = []
    visit.context.route("**/confirm", lambda route: route.continue_() if held else held.append(route))
    fill(visit.form)
    with visit.context.expect_event("request", lambda request: request.url.endswith("/confirm")):
        press_pay(visit.form)
    expect(visit.form.locator("#pay")).to_have_text("Paying $18.00…")
    street.restart_paydesk()
    with visit.context.expect_event("request", lambda request: request.url.endswith("/confirm")) as again:
        held[0].continue_()
    visit.thanked()
    confirms = [status for path, status in visit.answers if path == "confirm"]
    assert confirms == [409, 200]
    assert kid(held[0].request.post_data) != kid(again.value.post_data)
    assert street.charges(street.shop_says(order)["payment_intent"]) == [("captured", 1800)]


def kid(body: str | None) -> str:
    """The name of the key that a confirm was encrypted to."""
    header = json.loads(body or "")["card"].partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]


def test_each_new_document_shakes_hands_anew(visit: Visit, street: Street) -> None:
    """The frame by itself, the whole page, away and back: each time the form works, and the last one pays."""
    visit.buy()
    fill(visit.form, number=DECLINED)
    frame = next(frame for frame in visit.page.frames if frame.url.startswith(street.stage.paydesk))
    frame.evaluate("setTimeout(() => location.reload())")
    expect(visit.form.locator("#number")).to_have_value("")
    ready(visit.form)
    visit.page.reload()
    ready(visit.form)
    visit.page.goto(street.shop)
    visit.page.go_back()
    ready(visit.form)
    visit.pay(GOOD)
    visit.thanked()
    sessions = [status for path, status in visit.answers if path == "session"]
    assert sessions == [200] * 4


def test_a_payment_that_is_over_is_not_paid_again(visit: Visit, street: Street) -> None:
    """Another tab of the same order paid meanwhile; so did the page that the shopper comes back to."""
    visit.context.route("**/orders/*.json", lambda route: None)
    order = visit.buy()
    ready(visit.form)
    fill(visit.form)
    other = Visit(visit.context, street)
    other.page.goto(visit.page.url)
    other.pay(GOOD)
    sees(other.form, "success")
    press_pay(visit.form)
    sees(visit.form, "success")
    assert street.charges(street.shop_says(order)["payment_intent"]) == [("captured", 4200)]


def test_an_origin_that_is_not_registered_cannot_show_it(visit: Visit, street: Street) -> None:
    """The same shop by another name: the browser refuses the frame, and the page says that there is none."""
    visit.context.add_init_script(HURRY)
    visit.buy(origin=street.stranger)
    expect(visit.page.get_by_role("status")).to_have_text("The checkout could not be loaded.")
    assert any("frame-ancestors" in fault for fault in visit.faults)
    assert [answer for answer in visit.answers if answer[0] == "session"] == []
    visit.faults.clear()


def test_each_decline_stands_at_its_field(visit: Visit) -> None:
    """One order, five cards."""
    visit.buy()
    for number, field, sentence in (
        ("4000000000000127", "cvc", "The security code is incorrect."),
        ("4000000000000069", "expiry", "This card has expired."),
        ("4000000000000119", None, "Your bank could not process the payment. Nothing was charged."),
        ("4000000000009995", None, "Your card was declined. Try another card."),
    ):
        visit.pay(number)
        place = visit.form.locator(f"#{field}-error") if field else visit.form.get_by_role("alert")
        expect(place).to_contain_text(sentence)
        expect(visit.form.locator(f"#{field or 'number'}")).to_be_focused()
    visit.pay(GOOD)
    visit.thanked()
    assert [status for path, status in visit.answers if path == "confirm"] == [402, 402, 402, 402, 200]


def test_what_only_the_server_checks_stands_at_its_field(visit: Visit, street: Street) -> None:
    """A form that lets everything through, as one in an old tab might: the server's `param` names the field."""
    order = visit.buy()
    ready(visit.form)
    frame = next(frame for frame in visit.page.frames if frame.url.startswith(street.stage.paydesk))
    form_js = frame.evaluate("[...document.querySelectorAll('link')].find((one) => /form\\..*js/.test(one.href)).href")
    frame.evaluate("async (url) => { (await import(url)).CardForm.prototype.check = () => true; }", form_js)
    for number, expiry, cvc, field, sentence in (
        ("4242424242424241", "1234", "123", "number", "This card number is not valid."),
        (GOOD, "1334", "123", "expiry", "This is not a month."),
        (GOOD, "1299", "123", "expiry", "This is not a year a card can have."),
        (GOOD, "0120", "123", "expiry", "This card has expired."),
        (GOOD, "1234", "12", "cvc", "The security code is incorrect."),
    ):
        visit.pay(number, expiry=expiry, cvc=cvc)
        expect(visit.form.locator(f"#{field}-error")).to_have_text(sentence)
        expect(visit.form.locator(f"#{field}")).to_be_focused()
    assert [status for path, status in visit.answers if path == "confirm"] == [402] * 5
    intent = street.client.payment_intents.retrieve(street.shop_says(order)["payment_intent"])
    assert (intent["status"], intent["latest_attempt"]) == ("requires_payment_method", None), "no attempt was opened"


def test_at_the_top_level_and_back_to_the_shop(visit: Visit, street: Street) -> None:
    """Redirect mode; who goes back in the browser afterwards is not asked for a card again."""
    back = f"{street.shop}/?from=checkout"
    intent = street.open(amount=4200, currency="usd", return_url=back)
    visit.page.goto(f"{street.stage.paydesk}/checkout/{intent['id']}#client_secret={intent['client_secret']}")
    ready(visit.page)
    assert visit.page.url.endswith(intent["id"]), "the secret is out of the address"
    fill(visit.page)
    press_pay(visit.page)
    arrived = f"{back}&payment_intent={intent['id']}&redirect_status=succeeded"
    visit.page.wait_for_url(arrived)
    visit.page.goto(f"{street.stage.paydesk}/checkout/{intent['id']}")  # The same tab, without the secret.
    visit.page.wait_for_url(arrived)
    assert street.client.payment_intents.retrieve(intent["id"])["status"] == "succeeded"
    assert street.charges(intent["id"]) == [("captured", 4200)]
