"""A payment from a signed intent to a signed webhook, over HTTP against the sandbox."""

from tests.stage.shopper import DECLINED
from tests.stage.stage import Stage


def test_a_card_is_charged_and_everyone_hears_of_it(stage: Stage) -> None:
    tea = stage.merchant(fee="1.5%+25")
    intent = tea.open(amount=4200, currency="usd", metadata={"order": "1001"})
    assert intent["status"] == "requires_payment_method"
    shopper = tea.shopper(intent)

    answer = shopper.pay()
    assert answer.status_code == 200
    assert answer.json()["status"] == "succeeded"
    assert "metadata" not in answer.json()

    told = tea.receiver.wait_for("payment_intent.succeeded", intent["id"])
    snapshot = told.event["data"]["object"]
    assert snapshot["amount_received"] == 4200
    assert told.event["sequence"] == 2
    assert tea.receiver.of(intent["id"]) == ["payment_intent.created", "payment_intent.succeeded"]

    read = tea.client.payment_intents.retrieve(intent["id"])
    assert {key: value for key, value in read.items() if key != "client_secret"} == snapshot
    assert tea.client.balance.retrieve()["pending"] == [
        {"amount": 4200 - 63 - 25, "amount_decimal": "41.12", "currency": "usd"}
    ]
    charges = stage.charges(read["latest_attempt"])
    assert [(charge["status"], charge["amount_captured"]) for charge in charges] == [("captured", 4200)]


def test_after_a_decline_another_card_can_be_tried(stage: Stage) -> None:
    tea = stage.merchant()
    intent = tea.open()
    shopper = tea.shopper(intent)

    declined = shopper.pay(DECLINED)
    assert declined.status_code == 402
    assert declined.json()["error"]["code"] == "card_declined"
    assert declined.json()["payment_intent"]["status"] == "requires_payment_method"
    failed = tea.receiver.wait_for("payment_intent.payment_failed", intent["id"])
    assert failed.event["data"]["object"]["last_payment_error"]["decline_code"] == "generic_decline"

    assert shopper.pay().json()["status"] == "succeeded"
    tea.receiver.wait_for("payment_intent.succeeded", intent["id"])
