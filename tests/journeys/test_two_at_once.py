"""One attempt at a time, ten at most, and a payload that works once."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.journeys import psp
from tests.journeys.cast import Cast, error_of, refused
from tests.stage.shopper import DECLINED, VISA, Shopper
from tests.stage.stage import Stage


def at_once(shoppers: list[Shopper], payloads: list[str]) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(payloads)) as threads:
        return list(threads.map(lambda pair: pair[0].confirm(pair[1]), zip(shoppers, payloads, strict=True)))


def test_two_cards_at_once_are_one_attempt(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = tea.open()
    shoppers = [tea.shopper(intent) for _ in range(6)]
    answers = at_once(shoppers, [shopper.seal() for shopper in shoppers])
    paid = [answer for answer in answers if answer.status_code != 409]
    assert len(paid) == 1
    for answer in answers:
        if answer is not paid[0]:
            assert error_of(answer)["code"] in ("operation_in_progress", "invalid_state")
            assert answer.json()["payment_intent"]["id"] == intent["id"]
    assert paid[0].json()["status"] == "succeeded"
    assert psp.captured(stage, tea, intent["id"]) == [(4200, "usd")]


def test_a_second_confirm_while_one_runs_is_told_so_with_the_intent(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = tea.open()
    first, second = tea.shopper(intent), tea.shopper(intent)
    psp.order(stage, "late", delay_ms=1500)
    jwe, other = first.seal(), second.seal()
    with ThreadPoolExecutor(1) as thread:
        paying = thread.submit(first.confirm, jwe)
        assert second.status(wait=10, after=1).json()["status"] == "processing"
        answer = second.confirm(other)
        assert (paying.result().status_code, paying.result().json()["status"]) == (200, "succeeded")
    whole = refused(answer, 409, "operation_in_progress")
    assert whole["error"]["type"] == "invalid_request_error"
    assert whole["payment_intent"]["status"] == "processing"
    assert whole["payment_intent"]["merchant_name"] == "Tea House"
    assert "metadata" not in whole["payment_intent"]
    assert psp.captured(stage, tea, intent["id"]) == [(4200, "usd")]


def test_the_same_payload_at_once_gets_the_same_answer(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = tea.open()
    shoppers = [tea.shopper(intent) for _ in range(6)]
    answers = at_once(shoppers, [shoppers[0].seal()] * 6)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert psp.captured(stage, tea, intent["id"]) == [(4200, "usd")]
    assert len(stage.charges(tea.client.payment_intents.retrieve(intent["id"])["latest_attempt"])) == 1


def test_the_same_declined_payload_is_declined_again_without_another_attempt(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant(receiver=True)
    intent = tea.open()
    shopper = tea.shopper(intent)
    jwe = shopper.seal(DECLINED)
    first, again = shopper.confirm(jwe), shopper.confirm(jwe)
    refused(first, 402, "card_declined")
    refused(again, 402, "card_declined")
    assert first.json()["payment_intent"] == again.json()["payment_intent"]
    assert shopper.pay().status_code == 200
    shown = shopper.confirm(jwe)  # Now a repeat of an older attempt: the current state, and nothing else.
    assert (shown.status_code, shown.json()["status"]) == (200, "succeeded")
    tea.receiver.wait_for("payment_intent.succeeded", intent["id"])
    assert tea.receiver.of(intent["id"]) == [
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.succeeded",
    ]


def test_the_jti_in_other_bytes_is_refused(cast: Cast) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    jti = "one-jti-for-two-payloads"
    refused(shopper.pay(DECLINED, jti=jti), 402, "card_declined")
    refused(shopper.pay(VISA, jti=jti), 400, "card_payload_invalid")
    other = tea.shopper(tea.open())
    refused(other.pay(VISA, jti=jti), 400, "card_payload_invalid")
    assert shopper.pay().json()["status"] == "succeeded"


def test_ten_attempts_and_no_more(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = tea.open()
    shopper = tea.shopper(intent)
    for _ in range(10):
        refused(shopper.pay(DECLINED), 402, "card_declined")
    whole = refused(shopper.pay(), 409, "attempts_exhausted")
    assert whole["payment_intent"]["status"] == "requires_payment_method"
    assert psp.captured(stage, tea, intent["id"]) == []


def test_a_bad_card_opens_no_attempt(cast: Cast) -> None:
    tea = cast.merchant()
    intent = tea.open()
    shopper = tea.shopper(intent)
    for _ in range(11):
        refused(shopper.pay("4242424242424241"), 402, "incorrect_number", "number")
    assert tea.client.payment_intents.retrieve(intent["id"])["version"] == 1
    assert shopper.pay().json()["status"] == "succeeded"
