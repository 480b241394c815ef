"""Disputes and notices over real processes: from the card that is disputed to the merchant's webhook and its books."""

import time
from typing import Any

import httpx
import pytest

from paydesk_client import PaydeskError
from tests.journeys import psp
from tests.journeys.cast import Cast
from tests.journeys.test_commands import shown
from tests.stage.shopper import VISA
from tests.stage.stage import Merchant, Stage

DISPUTED = "4000000000000259"
CREATED, CLOSED = "charge.dispute.created", "charge.dispute.closed"


def paid(merchant: Merchant, number: str, amount: int = 4200) -> dict[str, Any]:
    intent = merchant.open(amount=amount)
    answer = merchant.shopper(intent).pay(number)
    assert answer.status_code == 200, answer.text
    return merchant.client.payment_intents.retrieve(intent["id"])


def heard(merchant: Merchant, event_type: str) -> dict[str, Any]:
    """The first event of this type that the merchant's receiver took."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for one in merchant.receiver.received:
            if one.event["type"] == event_type and one.answered == 200:
                return one.event["data"]["object"]
        time.sleep(0.02)
    raise AssertionError(f"no {event_type}")


def at_psp(stage: Stage, attempt: str) -> dict[str, Any]:
    (found,) = httpx.get(f"{stage.psp}/books", params={"reference": attempt}).json()["disputes"]
    return found


@pytest.mark.parametrize("how", ["won", "lost"])
def test_paid_then_disputed_then_closed(cast: Cast, stage: Stage, how: str) -> None:
    tea = cast.merchant(receiver=True, notices=True, dispute_fee="1500")
    intent = paid(tea, DISPUTED)
    made = heard(tea, CREATED)
    assert (made["payment_intent"], made["amount"], made["status"]) == (intent["id"], 4200, "needs_response")
    assert tea.client.disputes.retrieve(made["id"]) == made
    assert tea.client.disputes.list()["data"] == [made]
    assert tea.client.payment_intents.retrieve(intent["id"])["amount_disputed"] == 4200
    balance = tea.client.balance.retrieve()
    assert [one["amount"] for one in balance["reserved"]] == [4200]
    assert sum(one["amount"] for one in balance["pending"]) == -1500

    theirs = at_psp(stage, intent["latest_attempt"])
    answer = httpx.post(f"{stage.psp}/disputes/{theirs['id']}/close", json={"status": how})
    assert answer.status_code == 200, answer.text
    closed = heard(tea, CLOSED)
    assert (closed["id"], closed["status"], closed["event_sequence"]) == (made["id"], how, 2)
    assert tea.client.disputes.retrieve(made["id"]) == closed
    balance = tea.client.balance.retrieve()
    assert [one["amount"] for one in balance["reserved"]] == [0]
    assert sum(one["amount"] for one in balance["available"]) == (4200 if how == "won" else 0)
    told = [entry["what"] for entry in tea.client.payment_intents.timeline(intent["id"])["data"]]
    assert told[-2:] == ["dispute_opened", f"dispute_{how}"]
    assert shown("ledger", "verify", data=stage.data)["ok"] is True


def test_disputes_are_listed_by_page_and_by_payment(cast: Cast, stage: Stage) -> None:
    tea, coffee = cast.merchant(receiver=True, notices=True), cast.merchant("Coffee House")
    first, second = paid(tea, VISA, 1000), paid(tea, VISA, 2000)
    for intent, amounts in ((first, (100, 200)), (second, (300,))):
        (charge,) = stage.charges(intent["latest_attempt"])
        for amount in amounts:
            body = {"amount": amount, "reason": "product_not_received"}
            assert httpx.post(f"{stage.psp}/charges/{charge['id']}/dispute", json=body).status_code == 200
    until = time.monotonic() + 30
    while len(whole := tea.client.disputes.list()["data"]) < 3:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert {one["reason"] for one in whole} == {"product_not_received"}
    assert [one["id"] for one in whole] == sorted((one["id"] for one in whole), reverse=True)
    page = tea.client.disputes.list(limit=2)
    assert (page["data"], page["has_more"]) == (whole[:2], True)
    rest = tea.client.disputes.list(starting_after=whole[1]["id"])
    assert (rest["data"], rest["has_more"]) == (whole[2:], False)
    of_first = tea.client.disputes.list(payment_intent=first["id"])["data"]
    assert sorted(one["amount"] for one in of_first) == [100, 200]

    assert coffee.client.disputes.list()["data"] == []
    with pytest.raises(PaydeskError) as refused:
        coffee.client.disputes.retrieve(whole[0]["id"])
    assert (refused.value.status, refused.value.code) == (404, "resource_missing")
    with pytest.raises(PaydeskError) as missing:
        coffee.client.disputes.list(payment_intent=first["id"])
    assert missing.value.code == "resource_missing"


def test_a_notice_tells_the_outcome_that_the_answer_did_not(cast: Cast, stage: Stage) -> None:
    """The answer is lost; the PSP's notice comes at once, long before the time of the look-up."""
    tea = cast.merchant(receiver=True, notices=True)
    intent = tea.open(amount=1900)
    answer = tea.shopper(intent).pay(psp.LOST_AFTER)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert psp.captured(stage, tea, intent["id"]) == [(1900, "usd")]
    tea.receiver.wait_for("payment_intent.succeeded", intent["id"])
    assert tea.receiver.of(intent["id"]) == ["payment_intent.created", "payment_intent.succeeded"]


@pytest.mark.parametrize("fault", ["notice_twice", "notice_early", "notice_forged", "notice_unknown"])
def test_whatever_notices_say_it_is_paid_once(cast: Cast, stage: Stage, fault: str) -> None:
    tea = cast.merchant(receiver=True, notices=True)
    psp.order(stage, fault, on="any", times=1)
    intent = paid(tea, VISA, 1700)
    assert psp.captured(stage, tea, intent["id"]) == [(1700, "usd")]
    until = time.monotonic() + 30
    wanted = "parked" if fault == "notice_unknown" else "applied"
    while not (found := shown("notices", "--account", tea.account, "--status", wanted, data=stage.data)):
        assert time.monotonic() < until
    assert len(found) == 1
    assert tea.client.payment_intents.retrieve(intent["id"])["version"] == intent["version"]
    assert intent["id"] not in psp.charged_twice(stage)
