"""The shop in a real browser: what a shopper sees, with Paydesk there and with Paydesk away."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import launch
from tests.sandbox.shopping import Town, town

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def market() -> Iterator[Town]:
    with town() as market:
        yield market


@pytest.fixture
def page(browser: Browser, market: Town) -> Iterator[Page]:
    market.paydesk.down = False
    page = browser.new_page(viewport={"width": 320, "height": 640})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    yield page
    page.close()
    assert faults == []


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_from_the_shelf_to_thank_you(page: Page, market: Town) -> None:
    page.goto(market.shop.url)
    assert fits(page)
    page.get_by_label("Quantity").last.select_option("2")
    page.get_by_role("button", name="Buy Clay teapot").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pay for your order")
    assert fits(page)
    page.get_by_role("button", name="Pay now").click()
    expect(page.get_by_role("status")).to_contain_text("Waiting for the shop to confirm")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pay for your order")  # the browser's word is advice
    order = market.books()["orders"][-1]
    assert (order["amount"], order["status"]) == (8400, "open")
    market.tell_paid(order, "evt_browser")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, your order is paid")
    expect(page.get_by_role("button", name="Pay now")).to_be_hidden()
    page.reload()
    expect(page.get_by_text("The payment is confirmed.")).to_be_visible()


def test_a_checkout_that_does_not_load_says_so(page: Page, market: Town) -> None:
    order = market.buy()
    market.paydesk.down = True
    page.goto(f"{market.shop.url}/orders/{order['order']}")
    expect(page.get_by_role("status")).to_contain_text("The checkout could not be loaded")
    assert fits(page)
    market.paydesk.down = False
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("button", name="Pay now")).to_be_visible()


def test_an_order_that_can_not_be_paid_yet(page: Page, market: Town) -> None:
    market.paydesk.down = True
    page.goto(market.shop.url)
    page.get_by_role("button", name="Buy Mountain oolong").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The payment could not be opened")
    assert fits(page)
    market.paydesk.down = False
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Pay now")).to_be_visible()
