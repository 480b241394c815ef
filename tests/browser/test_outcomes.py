"""Answers that are lost, late, refused or unknown: never a second payment, never a guess."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.counter import GOOD, Counter, fill, press_pay, sees

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def counter(counter: Counter) -> Counter:
    counter.hurry()
    return counter


LATER = "The payment did not go through and nothing was charged. Please try again in a moment."


INTERNAL = '{"error": {"type": "api_error", "code": "internal_error", "message": "?"}}'


def lose_answers(counter: Counter, times: int, *, arrive: bool) -> None:
    """The next answers of confirm never reach the frame; its requests reach the server only if they `arrive`."""
    left = [times]

    def lose(route: Route) -> None:
        if left[0] == 0:
            route.continue_()
            return
        left[0] -= 1
        if arrive:
            route.fetch()
        route.abort("connectionreset")

    counter.context.route("**/confirm", lose)


def hold_status(counter: Counter) -> None:
    """Questions for the status get no answer, so that only the repeat can tell."""
    counter.context.route("**/status", lambda route: route.abort("connectionreset"))


def test_a_lost_answer_is_asked_for_with_the_same_payload(counter: Counter) -> None:
    form = counter.open()
    lose_answers(counter, 2, arrive=True)
    hold_status(counter)
    fill(form)
    press_pay(form)
    sees(form, "success")
    assert len(counter.stub.payloads) == 3
    assert len(set(counter.stub.payloads)) == 1
    assert len(counter.stub.cards) == 1


def test_a_lost_request_is_sent_again_as_it_was(counter: Counter) -> None:
    form = counter.open()
    lose_answers(counter, 1, arrive=False)
    fill(form)
    press_pay(form)
    sees(form, "success")
    assert len(counter.stub.payloads) == 1


def test_while_the_answer_is_lost_it_says_do_not_pay_again(counter: Counter) -> None:
    form = counter.open()
    counter.context.route("**/confirm", lambda route: route.abort("connectionreset"))
    fill(form)
    press_pay(form)
    sees(form, "processing")
    expect(form.locator("[data-part=processing]")).to_contain_text("Do not pay again")
    expect(form.locator("#pay")).to_be_hidden()
    counter.context.unroute("**/confirm")
    sees(form, "success")


def test_the_status_tells_of_a_payment_whose_answer_was_lost(counter: Counter) -> None:
    form = counter.open()
    counter.stub.plans.append("processing")
    lose_answers(counter, 99, arrive=True)
    fill(form)
    press_pay(form)
    sees(form, "processing")
    expect(form.locator("[data-part=processing]")).to_contain_text("waiting for your bank")
    counter.stub.become("succeeded")
    sees(form, "success")
    assert len(counter.stub.cards) == 1


def test_a_decline_whose_answer_was_lost_is_shown(counter: Counter) -> None:
    counter.stub.plans.append("card_declined")
    form = counter.open()
    lose_answers(counter, 1, arrive=True)
    fill(form)
    press_pay(form)
    expect(form.get_by_role("alert")).to_have_text("Your card was declined. Try another card.")
    assert len(set(counter.stub.payloads)) == 1
    fill(form)
    press_pay(form)
    sees(form, "success")


@pytest.mark.parametrize(("status", "body"), [(502, "<h1>Bad gateway</h1>"), (503, "busy"), (500, INTERNAL)])
def test_a_proxys_error_is_a_lost_answer(counter: Counter, status: int, body: str) -> None:
    form = counter.open()
    first = [True]

    def answer(route: Route) -> None:
        if first.pop() if first else False:
            route.fetch()
            route.fulfill(status=status, body=body)
        else:
            route.continue_()

    counter.context.route("**/confirm", answer)
    fill(form)
    press_pay(form)
    sees(form, "success")
    assert len(set(counter.stub.payloads)) == 1


def test_an_old_key_is_replaced(counter: Counter) -> None:
    counter.stub.plans.extend(["card_key_expired", "succeeded"])
    form = counter.open()
    fill(form)
    press_pay(form)
    sees(form, "success")
    first, second = counter.stub.payloads
    assert first != second
    assert counter.stub.cards[0]["number"] == GOOD
    assert counter.stub.asked.count("keys") == 2


def test_a_payload_that_is_refused_is_made_anew_with_the_servers_time(counter: Counter) -> None:
    """A laptop that slept has a monotonic clock that stood still."""
    form = counter.open()
    expect(form.locator("#pay")).to_be_enabled()
    counter.stub.server_time = "2031-01-01T00:00:00.000Z"
    counter.stub.plans.extend(["card_payload_invalid", "succeeded"])
    fill(form, expiry="1239")
    press_pay(form)
    sees(form, "success")
    stale, fresh = counter.stub.cards
    assert fresh["iat"] - 1924992000 in range(60)
    assert stale["jti"] != fresh["jti"]


def test_keys_that_stay_old_end_in_another_try(counter: Counter) -> None:
    counter.stub.plans.extend(["card_key_expired"] * 3)
    form = counter.open()
    fill(form)
    press_pay(form)
    expect(form.get_by_role("alert")).to_have_text(LATER)
    assert len(counter.stub.payloads) == 3
    press_pay(form)
    sees(form, "success")


@pytest.mark.parametrize("code", ["psp_unavailable", "rate_limited"])
def test_nothing_charged_try_again(counter: Counter, code: str) -> None:
    counter.stub.plans.append(code)
    form = counter.open()
    fill(form)
    press_pay(form)
    expect(form.get_by_role("alert")).to_have_text(LATER)
    press_pay(form)
    sees(form, "success")
    assert len(set(counter.stub.payloads)) == 2


def test_keys_out_of_reach_charge_nothing(counter: Counter) -> None:
    form = counter.open()
    counter.context.route("**/checkout/keys", lambda route: route.abort("connectionreset"))
    fill(form)
    press_pay(form)
    expect(form.get_by_role("alert")).to_have_text(LATER)
    assert counter.stub.payloads == []


@pytest.mark.parametrize("streams", [True, False])
def test_an_unknown_outcome_is_waited_for(counter: Counter, streams: bool) -> None:
    counter.stub.streams = streams
    counter.stub.plans.append("processing")
    form = counter.open()
    fill(form)
    press_pay(form)
    sees(form, "processing")
    expect(form.locator("[data-part=processing]")).to_contain_text("Do not pay again")
    counter.stub.become("succeeded")
    sees(form, "success")
    assert counter.told("result") == [{"intent": counter.stub.intent, "status": "succeeded"}]
    assert ("status" in counter.stub.asked) is not streams


def test_an_unknown_outcome_may_become_a_decline(counter: Counter) -> None:
    counter.stub.plans.extend(["processing", "succeeded"])
    form = counter.open()
    fill(form)
    press_pay(form)
    sees(form, "processing")
    counter.stub.become("requires_payment_method", error="card_declined")
    expect(form.get_by_role("alert")).to_have_text("Your card was declined. Try another card.")
    press_pay(form)
    sees(form, "success")


def test_another_operation_shows_its_state(counter: Counter) -> None:
    """Paid in another tab: the confirm is refused, and what became of that other payment is shown."""
    form = counter.open()
    fill(form)
    counter.stub.plans.append("operation_in_progress")
    counter.stub.become("processing")
    press_pay(form)
    sees(form, "processing")
    counter.stub.become("succeeded")
    sees(form, "success")


@pytest.mark.parametrize(
    ("status", "part"), [("succeeded", "success"), ("requires_capture", "success"), ("canceled", "closed")]
)
def test_a_payment_that_is_over_shows_so(counter: Counter, status: str, part: str) -> None:
    counter.stub.become(status)
    form = counter.open()
    sees(form, part)
    assert counter.told("result") == [{"intent": counter.stub.intent, "status": status}]


def test_a_payment_still_open_is_waited_for_after_a_reload(counter: Counter) -> None:
    counter.stub.become("processing")
    form = counter.open()
    sees(form, "processing")
    counter.stub.become("succeeded")
    sees(form, "success")


def test_an_unknown_secret_is_fatal(counter: Counter) -> None:
    form = counter.open(clientSecret=f"{counter.stub.intent}_secret_wrong")
    sees(form, "fatal")
    [fatal] = counter.told("fatal")
    assert fatal["code"] == "invalid_client_secret"


def test_the_session_is_asked_for_again_until_it_answers(counter: Counter) -> None:
    left = [2]

    def lose(route: Route) -> None:
        left[0] -= 1
        _ = route.abort("connectionreset") if left[0] >= 0 else route.continue_()

    counter.context.route("**/session", lose)
    form = counter.open()
    expect(form.locator("#pay")).to_be_enabled(timeout=10_000)


def test_the_bank_asks_and_the_shopper_comes_back(counter: Counter) -> None:
    counter.stub.plans.append("requires_action")
    form = counter.open()
    fill(form)
    press_pay(form)
    form.locator("#agree").wait_for()
    counter.stub.become("succeeded")
    form.locator("#agree").click()
    sees(form, "success")
    assert counter.told("result") == [{"intent": counter.stub.intent, "status": "succeeded"}]


def test_a_reload_leads_to_the_bank_by_a_link(counter: Counter) -> None:
    counter.stub.become("requires_action")
    form = counter.open()
    form.get_by_role("link", name="Continue to your bank").click()
    form.locator("#agree").wait_for()


def test_a_challenge_elsewhere_is_not_followed(counter: Counter) -> None:
    counter.stub.fields = {"next_action": {"type": "challenge", "url": "https://elsewhere.example/"}}
    counter.stub.become("requires_action")
    form = counter.open()
    sees(form, "processing")
    expect(form.locator("#bank")).to_be_hidden()
