"""3-D Secure in a real browser: the bank's page inside ours inside the shop's, and back, over the real processes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.browser.counter import GOOD, fill, press_pay, sees
from tests.browser.real import Street, Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

APPROVES = "4000000000003220"
DISAPPOINTS = "4000008400001629"


@pytest.fixture
def visit(browser: Browser, street: Street) -> Iterator[Visit]:
    context = browser.new_context(locale="en-US")
    context.set_default_timeout(20_000)
    visit = Visit(context, street)
    yield visit
    context.close()
    assert visit.faults == []


def bank(form: FrameLocator | Page) -> FrameLocator:
    """The bank's page, once it asks."""
    page = form.frame_locator("iframe")
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    return page


def test_approved(visit: Visit, street: Street) -> None:
    order = visit.buy()
    visit.pay(APPROVES)
    page = bank(visit.form)
    visit.photograph("challenge")
    with visit.shop_kept_in_the_dark():
        page.get_by_role("button", name="Approve").click()
        sees(visit.form, "success")
        visit.photograph("challenge-approved")
    visit.thanked()
    assert street.charges(street.shop_says(order)["payment_intent"]) == [("captured", 4200)]


@pytest.mark.parametrize(("number", "button"), [(DISAPPOINTS, "Approve"), (APPROVES, "Refuse")])
def test_declined_and_paid_with_another_card(visit: Visit, street: Street, number: str, button: str) -> None:
    order = visit.buy()
    visit.pay(number)
    bank(visit.form).get_by_role("button", name=button).click()
    sees(visit.form, "form")
    expect(visit.form.get_by_role("alert")).to_have_text("Your card was declined. Try another card.")
    visit.photograph(f"challenge-{button.lower()}-declined")
    visit.pay(GOOD)
    visit.thanked()
    assert street.charges(street.shop_says(order)["payment_intent"]) == [("captured", 4200)]
