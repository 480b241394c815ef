"""3-D Secure in a real browser: the bank's page inside ours inside the shop's, and back, over the real processes."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import FrameLocator, Page, expect

from paydesk_client import Paydesk
from tests.browser import shop
from tests.browser.counter import GOOD, fill, press_pay, sees
from tests.browser.real import Street, Visit
from tests.browser.serve import Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

APPROVES = "4000000000003220"
DISAPPOINTS = "4000008400001629"


@pytest.fixture(scope="module")
def alone(street: Street, shops: Stage) -> Iterator[Paydesk]:
    """A merchant without a shop's server, whose pages are at the first of `shops`."""
    origin = f"http://localhost:{shops.ports[0]}"
    facts = street.stage.command("merchants", "create", "Alone", "--origin", origin, "--psp-url", street.stage.psp)
    with Paydesk(street.stage.paydesk, facts["key_id"], facts["secret"]) as client:
        yield client


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


@pytest.mark.parametrize(
    ("number", "button", "sentence"),
    [
        (DISAPPOINTS, "Approve", "Your card was declined. Try another card."),
        (APPROVES, "Refuse", "The payment was not confirmed at your bank. Nothing was charged."),
    ],
)
def test_declined_and_paid_with_another_card(
    visit: Visit, street: Street, number: str, button: str, sentence: str
) -> None:
    order = visit.buy()
    visit.pay(number)
    bank(visit.form).get_by_role("button", name=button).click()
    sees(visit.form, "form")
    expect(visit.form.get_by_role("alert")).to_contain_text(sentence)
    visit.photograph(f"challenge-{button.lower()}-declined")
    visit.pay(GOOD)
    visit.thanked()
    assert street.charges(street.shop_says(order)["payment_intent"]) == [("captured", 4200)]


def challenge_page(visit: Visit, intent: str) -> str:
    """The address that the shopper's browser was sent to."""
    return visit.street.client.payment_intents.retrieve(intent)["next_action"]["url"]


def test_there_and_back_with_the_browsers_own_buttons(visit: Visit, street: Street, alone: Paydesk) -> None:
    """Back from the bank: nothing is paid yet, and the bank can be gone to again. Back after paying: it is paid."""
    intent = alone.payment_intents.create(amount=4200, currency="usd")
    page = visit.page
    page.goto(f"{street.stage.paydesk}/checkout/{intent['id']}#client_secret={intent['client_secret']}")
    fill(page, APPROVES)
    press_pay(page)
    bank(page)
    page.go_back()
    sees(page, "processing")
    expect(page.locator("[data-part=processing]")).to_contain_text("Do not pay again")
    page.get_by_role("link", name="Continue to your bank").click()
    bank(page).get_by_role("button", name="Approve").click()
    sees(page, "success")
    page.go_back()
    sees(page, "success")
    assert page.url.partition("?")[0].endswith(intent["id"])
    assert street.charges(intent["id"], alone) == [("captured", 4200)]


def test_alone_and_back_to_the_shop(visit: Visit, street: Street, alone: Paydesk) -> None:
    """Redirect mode."""
    back = f"{street.shop}/?from=checkout"
    intent = alone.payment_intents.create(amount=4200, currency="usd", return_url=back)
    page = visit.page
    page.goto(f"{street.stage.paydesk}/checkout/{intent['id']}#client_secret={intent['client_secret']}")
    fill(page, APPROVES)
    press_pay(page)
    bank(page)
    visit.photograph("challenge-alone")
    bank(page).get_by_role("button", name="Approve").click()
    page.wait_for_url(f"{back}&payment_intent={intent['id']}&redirect_status=succeeded")
    assert street.charges(intent["id"], alone) == [("captured", 4200)]


def test_the_psp_is_away_when_the_shopper_comes_back(visit: Visit, street: Street) -> None:
    order = visit.buy()
    visit.pay(APPROVES)
    page = bank(visit.form)
    url = challenge_page(visit, street.shop_says(order)["payment_intent"])
    fault = {"fault": "status", "status": 503, "on": "lookups", "times": 3}
    assert httpx.post(f"{street.stage.psp}/faults", json=fault).status_code == 200
    page.get_by_role("button", name="Approve").click()
    sees(visit.form, "processing")
    expect(visit.form.locator("[data-part=processing]")).to_contain_text("Do not pay again")
    visit.photograph("challenge-psp-away")
    assert httpx.post(f"{url}/done").status_code == 200, "a second return: the PSP is asked at once"
    visit.thanked()
    assert street.charges(street.shop_says(order)["payment_intent"]) == [("captured", 4200)]


def test_the_merchant_cancels_while_the_shopper_is_at_the_bank(visit: Visit, street: Street) -> None:
    """The page does not wait for a bank that has nothing to say any more."""
    order = visit.buy()
    visit.pay(APPROVES)
    bank(visit.form)
    intent = street.shop_says(order)["payment_intent"]
    assert street.client.payment_intents.cancel(intent)["status"] == "canceled"
    sees(visit.form, "closed")
    assert street.charges(intent) == [("released", 0)]


def test_the_way_back_in_a_window_of_its_own(visit: Visit, street: Street) -> None:
    """Where a bank's app may end: it says that the window can be closed, and the shop's page shows the result."""
    order = visit.buy()
    visit.pay(APPROVES)
    bank(visit.form)
    url = challenge_page(visit, street.shop_says(order)["payment_intent"])
    [frame] = [frame for frame in visit.page.frames if "/bank/" in frame.url]
    assert httpx.post(f"{frame.url}/approve").status_code == 303
    other = visit.context.new_page()
    other.goto(f"{url}/done")
    expect(other.get_by_text("You can close this window")).to_be_visible()
    assert other.url == f"{url}/done"
    visit.thanked()
    other.goto(f"{url}/done")
    expect(other.get_by_text("You can close this window")).to_be_visible()


def test_a_banks_page_leads_nobody_away(visit: Visit, street: Street) -> None:
    """It can neither take the shop's page somewhere else nor ours, and what a shop says is not taken for its word."""
    visit.buy()
    visit.pay(APPROVES)
    page = bank(visit.form)
    [frame] = [frame for frame in visit.page.frames if "/bank/" in frame.url]
    here = [frame.url for frame in visit.page.frames]
    for name in ("top", "parent"):
        assert frame.evaluate(
            f"() => {{ try {{ {name}.location.href = 'about:blank' }} catch (e) {{ return e.name }} }}"
        )
    visit.page.evaluate("frames[0].postMessage({ paydesk: 1, type: 'back' }, '*')")
    frame.evaluate("parent.postMessage({ paydesk: 1, type: 'back' }, '*')")
    page.get_by_role("button", name="Approve").hover()
    assert [frame.url for frame in visit.page.frames] == here
    visit.faults.clear()
    page.get_by_role("button", name="Approve").click()
    visit.thanked()


def test_a_stranger_cannot_embed_it(visit: Visit, street: Street) -> None:
    order = visit.buy()
    visit.pay(APPROVES)
    bank(visit.form)
    intent = street.shop_says(order)["payment_intent"]
    url = challenge_page(visit, intent)
    refuses(visit, url)
    street.client.payment_intents.cancel(intent)  # So that the way back has nothing to wait for.
    refuses(visit, f"{url}/done")


def refuses(visit: Visit, url: str) -> None:
    """The browser shows it in no frame of a page that is not registered."""
    stranger = visit.context.new_page()
    stranger.goto(visit.street.stranger)
    with stranger.expect_console_message(lambda line: "frame-ancestors" in line.text):
        stranger.evaluate(
            "(url) => document.body.append(Object.assign(document.createElement('iframe'), { src: url }))", url
        )


@pytest.fixture
def isolated(visit: Visit, street: Street, shops: Stage, alone: Paydesk) -> Iterator[None]:
    """A shop's page that is isolated (https://web.dev/articles/coop-coep)."""
    intent = alone.payment_intents.create(amount=4200, currency="usd")
    sites = shop.Shop()
    sites.pages["/isolated"] = shop.page(street.stage.paydesk, json.dumps({"clientSecret": intent["client_secret"]}))
    with shops.plays(sites.app()):
        visit.page.goto(f"http://localhost:{shops.ports[0]}/isolated")
        assert visit.page.evaluate("crossOriginIsolated")
        yield
    assert street.charges(intent["id"], alone) == [("captured", 4200)]


@pytest.mark.usefixtures("isolated")
def test_in_an_isolated_shop(visit: Visit) -> None:
    visit.pay(APPROVES)
    bank(visit.form).get_by_role("button", name="Approve").click()
    sees(visit.form, "success")


@pytest.mark.usefixtures("isolated")
def test_in_an_isolated_shop_where_a_browser_cannot_frame_the_bank(visit: Visit, street: Street) -> None:
    """Then the bank's page is shown at the top, and so is what became of the payment."""
    frame = next(frame for frame in visit.page.frames if frame.url.startswith(street.stage.paydesk))
    frame.evaluate("delete HTMLIFrameElement.prototype.credentialless")
    visit.pay(APPROVES)
    visit.form.get_by_role("link", name="Continue to your bank").click()
    visit.page.wait_for_url(f"{street.stage.paydesk}/checkout/challenge/**")
    assert "secret" not in visit.page.url
    bank(visit.page).get_by_role("button", name="Approve").click()
    sees(visit.page, "success")
