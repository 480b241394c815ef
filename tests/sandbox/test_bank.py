"""The bank's page over HTTP and in a real browser: approve, refuse, come again, come too late."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from paydesk_sandbox.psp.bank import written
from paydesk_sandbox.psp.objects import Charge
from tests.browser.chromium import launch
from tests.sandbox.merchant import Merchant
from tests.sandbox.processes import Running, running, until

ASKS, DISAPPOINTS = "4000000000003220", "4000008400001629"
BACK = "https://shop.example/back?order=1&from=bank"


@pytest.fixture(scope="module")
def psp() -> Iterator[Running]:
    with running("psp") as started:
        yield started


@pytest.fixture
def merchant(psp: Running, request: pytest.FixtureRequest) -> Iterator[Merchant]:
    merchant = Merchant(psp, request.node.name)
    yield merchant
    merchant.http.close()


def challenged(merchant: Merchant, number: str = ASKS, **fields: Any) -> dict[str, Any]:
    charge = merchant.charge(number=number, challenge="allow", **fields).json()
    assert charge["status"] == "challenge"
    assert charge["challenge"]["url"].startswith(f"{merchant.psp.url}/bank/")
    return charge


def status(merchant: Merchant) -> str:
    (charge,) = merchant.books()
    return charge["status"]


@pytest.mark.parametrize(
    ("number", "button", "ends"),
    [(ASKS, "approve", "captured"), (ASKS, "refuse", "declined"), (DISAPPOINTS, "approve", "declined")],
)
@pytest.mark.parametrize("back", [BACK, None])
def test_an_answer_and_the_way_back(merchant: Merchant, number: str, button: str, ends: str, back: str | None) -> None:
    url = challenged(merchant, number, return_url=back)["challenge"]["url"]
    for address in (f"{url}/{button}", f"{url}/approve", f"{url}/refuse"):  # the first one counts
        answer = httpx.post(address)
        assert (answer.status_code, answer.headers.get("location")) == ((303, BACK) if back else (200, None))
        assert status(merchant) == ends
    again = httpx.get(url)
    assert (again.status_code, again.headers.get("location")) == ((303, BACK) if back else (200, None))
    assert "<form" not in again.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_page_is_asked_for_either_way_and_answers_nothing_by_itself(merchant: Merchant, method: str) -> None:
    url = challenged(merchant)["challenge"]["url"]
    page = httpx.request(method, url)
    assert page.status_code == 200
    assert page.text.count("<form") == 2
    assert httpx.get(f"{url}/approve").status_code == 405
    assert status(merchant) == "challenge"


def test_the_page_is_safe(merchant: Merchant) -> None:
    charge = merchant.charge(
        "evil", ASKS, challenge="allow", return_url="https://shop.example/%22%3E<b>?'\"", card={"name": "<b>"}
    ).json()
    page = httpx.get(charge["challenge"]["url"])
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("form-action 'self' https://shop.example")
    assert "script" not in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "<b>" not in page.text
    assert httpx.post(f"{charge['challenge']['url']}/refuse").headers["location"].startswith("https://shop.example/%22")


def test_what_a_merchant_sent_is_escaped(psp: Running) -> None:
    headers = {"Authorization": "Bearer evil", "Idempotency-Key": "1"}
    card = {"number": ASKS, "exp_month": 12, "exp_year": 2044}
    body = {
        "reference": "<script>alert(1)</script>",
        "amount": 5,
        "currency": "usd",
        "challenge": "allow",
        "card": card,
    }
    charge = httpx.post(f"{psp.url}/v1/charges", json=body, headers=headers).json()
    for url in (charge["challenge"]["url"], psp.url):
        page = httpx.get(url).text
        assert "&lt;script&gt;" in page
        assert "<script" not in page


def test_nothing_to_confirm(psp: Running) -> None:
    for path in ("/bank/chl_9", "/bank/%3Cscript%3E"):
        page = httpx.get(psp.url + path)
        assert page.status_code == 404
        assert "<form" not in page.text
        assert "<script" not in page.text
    assert httpx.post(f"{psp.url}/bank/chl_9/approve").status_code == 404
    assert httpx.get(f"{psp.url}/bank").status_code == 404


def test_too_late() -> None:
    with running("psp", "--challenge-seconds", "1") as psp:
        merchant = Merchant(psp, "late")
        url = challenged(merchant)["challenge"]["url"]
        until(lambda: status(merchant) == "released")
        assert "over" in httpx.post(f"{url}/approve").text
        assert status(merchant) == "released"
        merchant.http.close()


def test_browsers_may_reach_it_somewhere_else() -> None:
    with running("psp", "--origin", "https://bank.example") as psp:
        merchant = Merchant(psp, "elsewhere")
        url = merchant.charge(number=ASKS, challenge="allow").json()["challenge"]["url"]
        assert url.startswith("https://bank.example/bank/")
        merchant.http.close()


@pytest.mark.parametrize(
    ("amount", "currency", "says"),
    [
        (1999, "usd", "19.99 USD"),
        (5, "eur", "0.05 EUR"),
        (123456789, "usd", "1,234,567.89 USD"),
        (500, "jpy", "500 JPY"),
    ],
)
def test_amounts_for_people(amount: int, currency: str, says: str) -> None:
    charge = Charge(
        id="ch_1",
        reference="at_1",
        amount=amount,
        currency=currency,
        status="challenge",
        amount_captured=0,
        decline_code=None,
        created_ms=0,
    )
    assert written(charge) == says


@contextmanager
def a_shop() -> Iterator[str]:
    """An address where a browser finds something, as the shop's own."""
    with running("psp") as other:
        yield f"{other.url}/livez"


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_in_a_browser_within_the_shop_s_page(merchant: Merchant) -> None:
    with a_shop() as back, sync_playwright() as playwright:
        chromium = launch(playwright)
        page = chromium.new_page(viewport={"width": 320, "height": 640})
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        url = challenged(merchant, return_url=back)["challenge"]["url"]
        page.set_content(f'<iframe src="{url}" width="300" height="600" title="bank"></iframe>')
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("heading", level=1)).to_have_text("Is this payment yours?")
        wide = "document.documentElement.scrollWidth <= window.innerWidth"
        assert page.frames[1].evaluate(wide)
        frame.get_by_role("button", name="Approve").click()
        expect(frame.get_by_text("ok")).to_be_visible()
        assert page.frames[1].url == back
        assert status(merchant) == "captured"
        page.goto(merchant.psp.url)
        assert page.evaluate(wide)
        assert told == []
        chromium.close()
