"""Redirect mode: the page at the top level, the secret out of the address, and the way back to the shop."""

import pytest
from playwright.sync_api import expect

from tests.browser.counter import Counter, fill, press_pay, sees

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_the_secret_leaves_the_address(counter: Counter) -> None:
    page = counter.open_alone()
    expect(page.locator("#pay")).to_be_enabled()
    assert page.url == f"{counter.paydesk}/checkout/{counter.stub.intent}"
    assert page.evaluate("history.length") == 2  # about:blank and the page: no entry with the secret is left behind
    page.reload()
    expect(page.locator("#pay")).to_be_enabled()
    assert page.evaluate("sessionStorage.length") == 1


def test_pays_for_its_own_origin(counter: Counter) -> None:
    page = counter.open_alone()
    fill(page)
    press_pay(page)
    sees(page, "success")
    assert counter.stub.cards[0]["origin"] == counter.paydesk
    assert counter.complaints == []


def test_who_comes_back_after_paying_reads_so(counter: Counter) -> None:
    counter.stub.become("succeeded")
    page = counter.open_alone()
    sees(page, "success")
    page.reload()
    sees(page, "success")


@pytest.mark.parametrize(("status", "word"), [("succeeded", "succeeded"), ("canceled", "failed")])
def test_goes_back_to_the_shop(counter: Counter, status: str, word: str) -> None:
    counter.stub.fields = {"return_url": f"{counter.shop}/thanks?order=7#top"}
    counter.stub.plans.append(status)
    page = counter.open_alone()
    fill(page)
    press_pay(page)
    page.wait_for_url(f"{counter.shop}/thanks?order=7&payment_intent={counter.stub.intent}&redirect_status={word}#top")


def test_an_open_outcome_is_waited_for_before_going_back(counter: Counter) -> None:
    counter.stub.fields = {"return_url": f"{counter.shop}/thanks"}
    counter.stub.plans.append("processing")
    page = counter.open_alone()
    fill(page)
    press_pay(page)
    sees(page, "processing")
    counter.stub.become("succeeded")
    page.wait_for_url("**/thanks?**redirect_status=succeeded")


def test_a_return_to_a_script_is_not_followed(counter: Counter) -> None:
    counter.stub.fields = {"return_url": "javascript:alert(1)"}
    page = counter.open_alone()
    fill(page)
    press_pay(page)
    sees(page, "success")
    expect(page.locator(".way-back").first).to_be_hidden()


def test_through_the_bank_and_back(counter: Counter) -> None:
    counter.stub.plans.append("requires_action")
    page = counter.open_alone()
    fill(page)
    press_pay(page)
    page.locator("#agree").wait_for()
    counter.stub.become("succeeded")
    page.locator("#agree").click()
    sees(page, "success")


def test_without_a_secret_there_is_nothing_to_pay(counter: Counter) -> None:
    counter.page.goto(f"{counter.paydesk}/checkout/{counter.stub.intent}")
    sees(counter.page, "fatal")
    assert counter.stub.asked == []


def test_a_new_secret_in_the_same_tab_is_taken(counter: Counter) -> None:
    """The same address with another fragment loads nothing by itself."""
    address = f"{counter.paydesk}/checkout/{counter.stub.intent}"
    counter.page.goto(f"{address}#client_secret={counter.stub.intent}_secret_old")
    sees(counter.page, "fatal")
    counter.page.evaluate("(hash) => { location.hash = hash; }", f"client_secret={counter.stub.secret}")
    expect(counter.page.locator("#pay")).to_be_enabled()
    assert counter.page.url == address
