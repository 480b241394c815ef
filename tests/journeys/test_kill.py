"""`serve` that ends in the middle, by a signal that nobody can catch: the next start finishes what was begun."""

import signal
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.journeys import psp
from tests.journeys.cast import Cast, refused
from tests.stage.shopper import Shopper
from tests.stage.stage import Merchant, Stage


def kill(stage: Stage) -> None:
    assert stage.server
    assert stage.server.stop(signal.SIGKILL) == -signal.SIGKILL
    stage.start(stage.port)


def begun(shopper: Shopper, thread: ThreadPoolExecutor, number: str) -> "Future[httpx.Response]":
    """A confirm whose attempt is committed; its caller is about to lose the answer."""
    confirming = thread.submit(shopper.confirm, shopper.seal(number))
    assert shopper.status(wait=30, after=1).json()["status"] == "processing"
    return confirming


def asked(stage: Stage, merchant: Merchant, intent: dict[str, Any]) -> None:
    """Wait until the charge is in the PSP's books: its answer is what gets lost."""
    attempt = merchant.client.payment_intents.retrieve(intent["id"])["latest_attempt"]
    for _ in range(10_000):
        if stage.charges(attempt):
            return
    raise AssertionError("the PSP was never asked")


def test_a_charge_whose_answer_died_with_us_is_found_by_the_next_start(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant(receiver=True)
    intent = tea.open(amount=1900)
    shopper = tea.shopper(intent)
    with ThreadPoolExecutor(1) as thread:
        confirming = begun(shopper, thread, psp.LOST_AFTER)
        asked(stage, tea, intent)
        kill(stage)
        with pytest.raises(httpx.RemoteProtocolError):
            confirming.result()
    fresh = tea.shopper(intent)
    assert psp.settled(fresh)["status"] == "succeeded"
    assert psp.captured(stage, tea, intent["id"]) == [(1900, "usd")]
    assert tea.client.balance.retrieve()["pending"][0]["amount"] == 1900
    tea.receiver.wait_for("payment_intent.succeeded", intent["id"])
    assert tea.receiver.of(intent["id"])[0] == "payment_intent.created"
    refused(fresh.pay(), 409, "invalid_state")


def test_a_question_that_never_arrived_makes_the_intent_payable_again(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = tea.open(amount=1900)
    shopper = tea.shopper(intent)
    with ThreadPoolExecutor(1) as thread:
        confirming = begun(shopper, thread, psp.LOST_BEFORE)
        kill(stage)
        with pytest.raises(httpx.RemoteProtocolError):
            confirming.result()
    fresh = tea.shopper(intent)
    assert psp.settled(fresh)["status"] == "requires_payment_method"
    assert fresh.pay().json()["status"] == "succeeded"
    assert psp.captured(stage, tea, intent["id"]) == [(1900, "usd")]
    assert psp.charged_twice(stage) == []


def test_what_was_acknowledged_is_there_after_a_kill(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant(fee="1%")
    paid = [tea.open(amount=1000 + number) for number in range(5)]
    for intent in paid:
        assert tea.shopper(intent).pay().status_code == 200
    answers = [tea.client.payment_intents.retrieve(intent["id"]) for intent in paid]
    balance, events = tea.client.balance.retrieve(), tea.client.events.list(limit=100)
    unused, used = tea.open(), tea.open()
    sealed, spent = tea.shopper(unused).seal(), tea.shopper(used).seal()
    confirmed = tea.shopper(used).confirm(spent)
    kill(stage)

    assert [tea.client.payment_intents.retrieve(intent["id"]) for intent in paid] == answers
    assert tea.client.balance.retrieve()["pending"][0]["amount"] == balance["pending"][0]["amount"] + 4200 - 42
    assert tea.client.events.list(limit=100)["data"][3:] == events["data"]

    # Card keys lived in memory alone. A payload that was used is known by its digest; one that was not has to be made
    # anew, and nothing is stored of it.
    again = tea.shopper(used).confirm(spent)
    assert (again.status_code, again.content) == (200, confirmed.content)
    assert psp.captured(stage, tea, used["id"]) == [(4200, "usd")]
    shopper = tea.shopper(unused)
    refused(shopper.confirm(sealed), 409, "card_key_expired")
    assert tea.client.payment_intents.retrieve(unused["id"])["version"] == 1
    assert shopper.pay().status_code == 200


def test_events_that_nobody_took_are_sent_after_the_next_start(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant(receiver=True)
    tea.receiver.answers += [500] * 3  # The first attempts: one is under way or its retry is due when the kill comes.
    intents = [tea.open() for _ in range(3)]
    for intent in intents:
        tea.receiver.wait_for("payment_intent.created", intent["id"], answered=500)
    kill(stage)
    for intent in intents:
        tea.receiver.wait_for("payment_intent.created", intent["id"])
    bodies = {one.event["data"]["object"]["id"]: one.body for one in tea.receiver.received if one.answered == 500}
    for one in tea.receiver.received:
        assert one.body == bodies[one.event["data"]["object"]["id"]]
