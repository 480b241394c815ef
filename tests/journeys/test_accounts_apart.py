"""Nothing of one account is visible to another: 404 on every route, and lists that show one's own alone."""

import pytest

from tests.journeys.cast import Cast, refused
from tests.stage.stage import Merchant


@pytest.fixture
def two(cast: Cast) -> tuple[Merchant, Merchant]:
    """A merchant with one of everything, and a stranger with nothing."""
    tea, stranger = cast.merchant(fee="1%"), cast.merchant("Stranger")
    assert tea.shopper(tea.open(idempotency_key="order-1001")).pay().status_code == 200
    tea.client.webhook_endpoints.create("https://shop.example/hooks")
    return tea, stranger


def test_another_merchants_ids_are_not_there(cast: Cast, two: tuple[Merchant, Merchant]) -> None:
    tea, stranger = two
    intent = tea.client.payment_intents.list()["data"][0]["id"]
    event = tea.client.events.list()["data"][0]["id"]
    endpoint = tea.client.webhook_endpoints.list()["data"][0]["id"]
    client = cast.signed(stranger)
    for path in (
        f"/v1/payment_intents/{intent}",
        f"/v1/payment_intents/{intent}/status",
        f"/v1/payment_intents/{intent}/status?wait=30&after=99",
        f"/v1/payment_intents/{intent}/stream",
        f"/v1/events/{event}",
        f"/v1/webhook_endpoints/{endpoint}",
        "/v1/idempotency_keys/order-1001",
    ):
        answer = client.get(path)
        refused(answer, 404, "resource_missing")
        assert intent not in answer.text
    refused(client.delete(f"/v1/webhook_endpoints/{endpoint}"), 404, "resource_missing")
    assert tea.client.webhook_endpoints.retrieve(endpoint)["status"] == "enabled"


def test_a_missing_and_another_merchants_object_look_alike(cast: Cast, two: tuple[Merchant, Merchant]) -> None:
    tea, stranger = two
    intent = tea.client.payment_intents.list()["data"][0]["id"]
    missing = intent[:-4] + "0000"
    client = cast.signed(stranger)
    theirs, none = (client.get(f"/v1/payment_intents/{one}").json()["error"] for one in (intent, missing))
    assert {**theirs, "request_id": ""} == {**none, "request_id": ""}


def test_lists_show_ones_own_alone(cast: Cast, two: tuple[Merchant, Merchant]) -> None:
    tea, stranger = two
    assert stranger.client.payment_intents.list()["data"] == []
    assert stranger.client.events.list()["data"] == []
    assert stranger.client.webhook_endpoints.list()["data"] == []
    assert stranger.client.balance.retrieve()["pending"] == []
    own = stranger.open()
    assert [intent["id"] for intent in stranger.client.payment_intents.list(limit=100)["data"]] == [own["id"]]
    assert own["id"] not in str(tea.client.payment_intents.list(limit=100))
    assert len(tea.client.events.list(limit=100)["data"]) == 2


def test_a_client_secret_and_a_key_of_different_accounts(cast: Cast, two: tuple[Merchant, Merchant]) -> None:
    """A secret opens its intent whoever shows it, and nothing of whoever shows it."""
    tea, stranger = two
    mine, theirs = stranger.open(), tea.open()
    shopper = stranger.shopper(mine)
    refused(shopper.http.get(f"/v1/payment_intents/{theirs['id']}/status"), 401, "invalid_client_secret")
    payload = tea.shopper(theirs).seal()
    refused(shopper.confirm(payload), 400, "card_payload_invalid")
    assert tea.client.payment_intents.retrieve(theirs["id"])["version"] == 1


def test_events_go_to_ones_own_endpoints_alone(cast: Cast) -> None:
    tea, coffee = cast.merchant(receiver=True), cast.merchant("Coffee House", receiver=True)
    first, second = tea.open(), coffee.open()
    tea.receiver.wait_for("payment_intent.created", first["id"])
    coffee.receiver.wait_for("payment_intent.created", second["id"])
    assert (tea.receiver.of(second["id"]), coffee.receiver.of(first["id"])) == ([], [])
    assert (tea.receiver.refused, coffee.receiver.refused) == ([], [])


def test_the_same_card_has_another_fingerprint_at_another_merchant(cast: Cast) -> None:
    prints = []
    for merchant in (cast.merchant(), cast.merchant("Coffee House")):
        for _ in range(2):
            intent = merchant.open()
            merchant.shopper(intent).pay()
            seen = merchant.client.payment_intents.retrieve(intent["id"])
            prints.append(seen["payment_method_details"]["card"]["fingerprint"])
    assert prints[0] == prints[1] != prints[2] == prints[3]
