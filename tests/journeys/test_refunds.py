"""Refunds over real processes: what goes back goes back once, whatever the PSP or a kill does on the way."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from paydesk_client import PaydeskError
from tests.journeys import psp
from tests.journeys.cast import Cast, refused
from tests.journeys.test_kill import kill
from tests.stage.stage import Merchant, Stage

ROUTE = "/v1/refunds"


def paid(merchant: Merchant, amount: int = 4200) -> dict[str, Any]:
    intent = merchant.open(amount=amount)
    assert merchant.shopper(intent).pay().status_code == 200
    return merchant.client.payment_intents.retrieve(intent["id"])


def at_psp(stage: Stage, refund: dict[str, Any]) -> list[tuple[int, str]]:
    """Amount and status of every refund that the PSP made under this reference."""
    found = httpx.get(f"{stage.psp}/books", params={"reference": refund["id"]}).json()["refunds"]
    return [(one["amount"], one["status"]) for one in found]


def judged(stage: Stage) -> None:
    books = httpx.get(f"{stage.psp}/books").json()
    assert (books["refunded_twice"], books["refunded_beyond_captured"]) == ([], [])


def test_a_payment_goes_back_in_parts(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant(fee="1%", receiver=True)
    intent, other = paid(tea), paid(tea)
    client = tea.client
    parts = [
        client.refunds.create(intent["id"], amount=1200, reason="requested_by_customer", metadata={"line": "1"}),
        client.refunds.create(intent["id"], amount=1000),
        client.refunds.create(intent["id"]),
    ]
    assert [(part["amount"], part["status"]) for part in parts] == [
        (1200, "succeeded"),
        (1000, "succeeded"),
        (2000, "succeeded"),
    ]
    client.refunds.create(other["id"], amount=1)
    for part in parts:
        assert client.refunds.retrieve(part["id"]) == part
        assert at_psp(stage, part) == [(part["amount"], "succeeded")]
        event = tea.receiver.wait_for("refund.updated", part["id"]).event
        assert event["data"]["object"] == part
        assert tea.receiver.of(part["id"]) == ["refund.created", "refund.updated"]
    newest_first = [part["id"] for part in reversed(parts)]
    listed = client.refunds.list(payment_intent=intent["id"])
    assert ([one["id"] for one in listed["data"]], listed["has_more"]) == (newest_first, False)
    page = client.refunds.list(payment_intent=intent["id"], limit=1, starting_after=newest_first[0])
    assert ([one["id"] for one in page["data"]], page["has_more"]) == ([newest_first[1]], True)
    assert len(client.refunds.list()["data"]) == 4
    assert client.payment_intents.retrieve(intent["id"])["amount_refunded"] == 4200
    moves = client.ledger.transactions(payment_intent=intent["id"], limit=100)["data"]
    assert sorted(move["kind"] for move in moves) == ["capture", *["refund"] * 3, *["refund_begun"] * 3]
    judged(stage)


def test_two_at_once_are_never_more_than_there_is(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = paid(tea, 1000)
    clients = [cast.signed(tea) for _ in range(6)]

    def ask(numbered: tuple[int, httpx.Client]) -> httpx.Response:
        number, client = numbered
        body = {"payment_intent": intent["id"], "amount": 600}
        return client.post(ROUTE, json=body, headers={"Idempotency-Key": f"refund-{number}"})

    with ThreadPoolExecutor(len(clients)) as threads:
        answers = list(threads.map(ask, enumerate(clients)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400, 400]
    assert tea.client.payment_intents.retrieve(intent["id"])["amount_refunded"] == 600
    judged(stage)


@pytest.mark.parametrize("fault", ["lost_after", "lost_before", "status", "garbage"])
def test_an_answer_that_does_not_come_is_looked_for(cast: Cast, stage: Stage, fault: str) -> None:
    tea = cast.merchant(receiver=True)
    intent = paid(tea)
    psp.order(stage, fault, on="refunds")
    made = tea.client.refunds.create(intent["id"], amount=700, idempotency_key="refund-1")
    assert made["status"] == "pending"
    tea.receiver.wait_for("refund.updated", made["id"])
    assert at_psp(stage, made) == [(700, "succeeded")]
    assert tea.client.refunds.create(intent["id"], amount=700, idempotency_key="refund-1")["status"] == "succeeded"
    assert at_psp(stage, made) == [(700, "succeeded")]
    judged(stage)


@pytest.mark.parametrize("fault", ["lost_after", "lost_before"])
def test_a_kill_while_the_psp_is_asked(cast: Cast, stage: Stage, fault: str) -> None:
    tea = cast.merchant(receiver=True)
    intent = paid(tea)
    psp.order(stage, fault, on="refunds")
    body = {"payment_intent": intent["id"], "amount": 700}
    client = cast.signed(tea)
    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(client.post, ROUTE, json=body, headers={"Idempotency-Key": "refund-1"})
        while not (begun := tea.client.refunds.list()["data"]):
            pass
        kill(stage)
        with pytest.raises(httpx.RemoteProtocolError):
            asking.result()
    tea.receiver.wait_for("refund.updated", begun[0]["id"])
    again = tea.client.refunds.create(intent["id"], amount=700, idempotency_key="refund-1")
    assert (again["id"], again["status"]) == (begun[0]["id"], "succeeded")
    assert at_psp(stage, again) == [(700, "succeeded")]
    judged(stage)


BAD: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "an amount of 0": ({"amount": 0}, 400, "amount_too_small", "amount"),
    "a negative amount": ({"amount": -1}, 400, "amount_too_small", "amount"),
    "2^53": ({"amount": 2**53}, 400, "amount_too_large", "amount"),
    "2^63": ({"amount": 2**63}, 400, "amount_too_large", "amount"),
    "more than was taken": ({"amount": 4201}, 400, "amount_too_large", "amount"),
    "10.0": ({"amount": 10.0}, 400, "parameter_invalid", "amount"),
    "an amount as text": ({"amount": "1000"}, 400, "parameter_invalid", "amount"),
    "true": ({"amount": True}, 400, "parameter_invalid", "amount"),
    "a status": ({"status": "succeeded"}, 400, "parameter_unknown", "status"),
    "a currency": ({"currency": "usd"}, 400, "parameter_unknown", "currency"),
    "a reason of its own": ({"reason": "expired_uncaptured_charge"}, 400, "parameter_invalid", "reason"),
    "a nested metadata": ({"metadata": {"a": {"b": "c"}}}, 400, "parameter_invalid", None),
    "a card in metadata": ({"metadata": {"a": "4242424242424242"}}, 400, "card_number_in_text", None),
    "no such intent": ({"payment_intent": "pi_1"}, 404, "resource_missing", "payment_intent"),
    "a number for an intent": ({"payment_intent": 1}, 400, "parameter_invalid", "payment_intent"),
}


def test_bad_refunds_each_have_their_answer(cast: Cast) -> None:
    tea = cast.merchant()
    intent = paid(tea)
    client = cast.signed(tea)
    for number, (wrong, status, code, param) in enumerate(BAD.values()):
        body = {"payment_intent": intent["id"], "amount": 100} | wrong
        answer = client.post(ROUTE, json=body, headers={"Idempotency-Key": f"bad-{number}"})
        refused(answer, status, code, param)
    refused(client.post(ROUTE, json={"amount": 1}, headers={"Idempotency-Key": "x"}), 400, "parameter_missing")
    refused(client.post(ROUTE, json={"payment_intent": intent["id"]}), 400, "idempotency_key_missing")
    assert tea.client.refunds.list()["data"] == []
    refused(client.get(f"{ROUTE}?payment_intent=pi_1"), 404, "resource_missing", "payment_intent")


def test_what_took_nothing_gives_nothing_back(cast: Cast) -> None:
    tea = cast.merchant()
    unpaid, held, canceled = tea.open(), tea.open(capture_method="manual"), tea.open()
    assert tea.shopper(held).pay().status_code == 200
    tea.client.payment_intents.cancel(canceled["id"])
    for intent in (unpaid, held, canceled):
        with pytest.raises(PaydeskError) as no:
            tea.client.refunds.create(intent["id"])
        assert (no.value.status, no.value.code) == (409, "invalid_state")


def test_nobody_refunds_what_is_anothers(cast: Cast) -> None:
    tea, stranger = cast.merchant(), cast.merchant("Stranger")
    intent = paid(tea)
    made = tea.client.refunds.create(intent["id"], amount=1)
    client = cast.signed(stranger)
    body = {"payment_intent": intent["id"], "amount": 1}
    refused(client.post(ROUTE, json=body, headers={"Idempotency-Key": "x"}), 404, "resource_missing")
    refused(client.get(f"{ROUTE}/{made['id']}"), 404, "resource_missing")
    refused(client.get(f"{ROUTE}?payment_intent={intent['id']}"), 404, "resource_missing")
    refused(client.get(f"{ROUTE}?starting_after={made['id']}"), 400, "parameter_invalid")
    assert stranger.client.refunds.list()["data"] == []
