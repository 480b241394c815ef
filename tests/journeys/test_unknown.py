"""A PSP that was asked and did not answer: nobody is told paid or failed until its own books have said so."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.journeys import psp
from tests.journeys.cast import Cast, refused
from tests.stage.shopper import Shopper
from tests.stage.stage import Merchant, Stage

CHARGED = {
    "late": psp.LATE,
    "lost after it was charged": psp.LOST_AFTER,
    "500 after it was charged": psp.FAILED_AFTER,
    "garbage": psp.GARBAGE,
    "another amount": psp.OTHER_AMOUNT,
    "lands late": psp.LANDS_LATE,
}
NOT_CHARGED = {"lost before": psp.LOST_BEFORE, "503": psp.UNAVAILABLE, "reset": psp.RESET}


class Told:
    """One payment with an unknown outcome: what was answered at first, and what became of it."""

    def __init__(self, merchant: Merchant, number: str) -> None:
        self.intent = merchant.open(amount=1900)
        self.shopper = merchant.shopper(self.intent)
        self.number = number
        self.first: httpx.Response
        self.end: dict[str, Any]

    def play(self) -> None:
        self.first = self.shopper.pay(self.number)
        self.end = psp.settled(self.shopper)


def play_all(told: list[Told]) -> None:
    """All at once, since most of the time is waiting."""
    with ThreadPoolExecutor(len(told)) as threads:
        for playing in [threads.submit(one.play) for one in told]:
            playing.result()


def test_every_unknown_outcome_ends_as_the_psps_books_say(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant(receiver=True)
    charged = {name: Told(tea, number) for name, number in CHARGED.items()}
    not_charged = {name: Told(tea, number) for name, number in NOT_CHARGED.items()}
    play_all([*charged.values(), *not_charged.values()])

    for name, told in (charged | not_charged).items():
        answer = told.first.json()
        assert (told.first.status_code, answer["status"], answer.get("outcome")) == (202, "processing", "unknown"), name
        assert answer["phase"] == "executing", name
        assert answer["next_check_at"] > answer.get("created", ""), name

    for name, told in charged.items():
        assert (told.end["status"], told.end["phase"]) == ("succeeded", "success"), name
        assert "outcome" not in told.end, name
        assert psp.captured(stage, tea, told.intent["id"]) == [(1900, "usd")], name
        snapshot = tea.receiver.wait_for("payment_intent.succeeded", told.intent["id"]).event
        assert snapshot["data"]["object"]["amount_received"] == 1900, name
        assert tea.receiver.of(told.intent["id"]) == [
            "payment_intent.created",
            "payment_intent.processing",
            "payment_intent.succeeded",
        ], name

    for name, told in not_charged.items():
        assert (told.end["status"], told.end["phase"]) == ("requires_payment_method", "failed"), name
        assert told.end["last_payment_error"]["code"] == "psp_unavailable", name
        assert psp.captured(stage, tea, told.intent["id"]) == [], name
        tea.receiver.wait_for("payment_intent.payment_failed", told.intent["id"])
        assert tea.receiver.of(told.intent["id"]) == [
            "payment_intent.created",
            "payment_intent.processing",
            "payment_intent.payment_failed",
        ], name

    assert psp.charged_twice(stage) == []
    paid = 1900 * len(charged)
    assert [(sum_["amount"], sum_["currency"]) for sum_ in tea.client.balance.retrieve()["pending"]] == [(paid, "usd")]
    payable_again(stage, tea, not_charged["reset"].intent)


def payable_again(stage: Stage, merchant: Merchant, intent: dict[str, Any]) -> None:
    assert merchant.shopper(intent).pay().json()["status"] == "succeeded"
    assert psp.captured(stage, merchant, intent["id"]) == [(1900, "usd")]


def test_the_processing_event_says_unknown_and_when_it_is_looked_up(cast: Cast) -> None:
    tea = cast.merchant(receiver=True)
    intent = tea.open()
    assert tea.shopper(intent).pay(psp.GARBAGE).status_code == 202
    told = tea.receiver.wait_for("payment_intent.processing", intent["id"]).event
    assert told["sequence"] == 2
    snapshot = told["data"]["object"]
    assert (snapshot["status"], snapshot["outcome"]) == ("processing", "unknown")
    assert snapshot["next_check_at"] > told["timestamp"]


def test_while_the_outcome_is_unknown_nobody_can_pay_again(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = tea.open()
    shopper = tea.shopper(intent)
    assert shopper.pay(psp.FAILED_AFTER).status_code == 202
    whole = refused(shopper.pay(), 409, "operation_in_progress")
    assert whole["payment_intent"]["outcome"] == "unknown"
    assert psp.settled(shopper)["status"] == "succeeded"
    refused(shopper.pay(), 409, "invalid_state")
    assert psp.captured(stage, tea, intent["id"]) == [(4200, "usd")]


@pytest.mark.parametrize("fault", ["status", "status_after", "garbage", "reset"])
def test_the_answer_comes_as_soon_as_the_outcome_is_known_to_be_unknown(cast: Cast, stage: Stage, fault: str) -> None:
    """Had it waited longer, the look-up two seconds later would have settled it, and the answer were no 202."""
    tea = cast.merchant()
    psp.order(stage, fault, status=500) if fault.startswith("status") else psp.order(stage, fault)
    answer = tea.shopper(tea.open()).pay()
    assert (answer.status_code, answer.json()["outcome"]) == (202, "unknown")


def test_a_repeat_of_the_payload_shows_what_it_has_become(cast: Cast) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    jwe = shopper.seal(psp.GARBAGE)
    assert shopper.confirm(jwe).status_code == 202
    assert shopper.confirm(jwe).status_code == 202
    assert psp.settled(shopper)["status"] == "succeeded"
    again = shopper.confirm(jwe)
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")
    no_more(shopper)


def no_more(shopper: Shopper) -> None:
    refused(shopper.pay(), 409, "invalid_state")
