"""The same request again: the same answer, and nothing done twice."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.journeys.cast import Cast, error_of, refused
from tests.stage.stage import Merchant

INTENT = {"amount": 1250, "currency": "eur", "metadata": {"order": "1001"}}


def create(client: httpx.Client, key: str | None, **changed: object) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/v1/payment_intents", json=INTENT | changed, headers=headers)


def intents_of(merchant: Merchant) -> list[str]:
    return [intent["id"] for intent in merchant.client.payment_intents.list(limit=100)["data"]]


def test_the_same_request_again_gets_the_same_bytes_and_the_secret_again(cast: Cast) -> None:
    tea = cast.merchant()
    client = cast.signed(tea)
    first = create(client, "order-1001")
    again = create(client, "order-1001")

    assert first.status_code == again.status_code == 200
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.content == first.content
    assert again.json()["client_secret"].startswith(f"{first.json()['id']}_secret_")
    assert intents_of(tea) == [first.json()["id"]]


def test_a_repeat_shows_the_answer_of_then_and_not_the_object_of_now(cast: Cast) -> None:
    tea = cast.merchant()
    client = cast.signed(tea)
    first = create(client, "order-1")
    assert tea.shopper(first.json()).pay().json()["status"] == "succeeded"
    assert create(client, "order-1").content == first.content


def test_another_body_under_the_same_key_is_refused(cast: Cast) -> None:
    tea = cast.merchant()
    client = cast.signed(tea)
    first = create(client, "order-1001")
    other = create(client, "order-1001", amount=1251)

    refused(other, 422, "idempotency_key_reused")
    assert error_of(other)["type"] == "idempotency_error"
    assert intents_of(tea) == [first.json()["id"]]
    assert create(client, "order-1001").content == first.content


def test_another_route_under_the_same_key_is_refused(cast: Cast) -> None:
    client = cast.signed(cast.merchant())
    assert create(client, "shared").status_code == 200
    endpoint = {"url": "https://shop.example/hooks"}
    answer = client.post("/v1/webhook_endpoints", json=endpoint, headers={"Idempotency-Key": "shared"})
    refused(answer, 422, "idempotency_key_reused")
    assert client.get("/v1/webhook_endpoints").json()["data"] == []


def test_a_refusal_is_not_kept(cast: Cast) -> None:
    client = cast.signed(cast.merchant())
    refused(create(client, "order-1", amount=0), 400, "amount_too_small")
    assert create(client, "order-1").status_code == 200


def test_two_at_once_have_one_effect(cast: Cast) -> None:
    tea = cast.merchant()
    clients = [cast.signed(tea) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda client: create(client, "order-1001"), clients))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert len(intents_of(tea)) == 1


def test_the_key_belongs_to_the_account(cast: Cast) -> None:
    tea, coffee = cast.merchant(), cast.merchant("Coffee House")
    one, two = (create(cast.signed(merchant), "order-1001") for merchant in (tea, coffee))
    assert one.json()["id"] != two.json()["id"]
    refused(cast.signed(coffee).get("/v1/idempotency_keys/unknown"), 404, "resource_missing")


def test_creating_an_intent_needs_a_key(cast: Cast) -> None:
    tea = cast.merchant()
    refused(create(cast.signed(tea), None), 400, "idempotency_key_missing", "Idempotency-Key")
    assert intents_of(tea) == []


def test_what_a_key_gave_can_be_asked(cast: Cast) -> None:
    tea = cast.merchant()
    client = cast.signed(tea)
    first = create(client, "order:1001.a_b-c")
    kept = client.get("/v1/idempotency_keys/order:1001.a_b-c").json()
    assert kept["object"] == "idempotency_key"
    assert kept["key"] == "order:1001.a_b-c"
    assert (kept["status"], kept["object_id"]) == (200, first.json()["id"])
    assert kept["answer"] == first.json()
    assert kept["created"] < kept["expires_at"]
    refused(client.get("/v1/idempotency_keys/order-1002"), 404, "resource_missing", "key")
    refused(cast.signed(cast.merchant()).get("/v1/idempotency_keys/order:1001.a_b-c"), 404, "resource_missing")


def test_an_endpoints_secret_is_shown_to_a_repeat_and_stored_nowhere(cast: Cast) -> None:
    client = cast.signed(cast.merchant())
    body, headers = {"url": "https://shop.example/hooks"}, {"Idempotency-Key": "endpoint-1"}
    first = client.post("/v1/webhook_endpoints", json=body, headers=headers)
    again = client.post("/v1/webhook_endpoints", json=body, headers=headers)
    secret = first.json()["secret"]
    assert secret.startswith("whsec_")
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    for read in (
        "/v1/idempotency_keys/endpoint-1",
        "/v1/webhook_endpoints",
        f"/v1/webhook_endpoints/{first.json()['id']}",
    ):
        answer = client.get(read)
        assert answer.status_code == 200
        assert secret not in answer.text


def test_a_repeat_at_the_limit_of_endpoints_is_still_a_repeat(cast: Cast) -> None:
    client = cast.signed(cast.merchant())
    made: list[httpx.Response] = []
    for number in range(16):
        headers = {"Idempotency-Key": f"endpoint-{number}"}
        made.append(client.post("/v1/webhook_endpoints", json={"url": "https://shop.example"}, headers=headers))
        assert made[-1].status_code == 200
    again = client.post("/v1/webhook_endpoints", json={"url": "https://shop.example"}, headers=headers)
    assert again.content == made[-1].content
    refused(client.post("/v1/webhook_endpoints", json={"url": "https://shop.example"}), 409, "limit_reached")


def test_two_of_everything_at_once(cast: Cast) -> None:
    tea = cast.merchant()
    clients = [cast.signed(tea) for _ in range(6)]
    body, headers = {"url": "https://shop.example/hooks"}, {"Idempotency-Key": "endpoint-1"}
    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(lambda one: one.post("/v1/webhook_endpoints", json=body, headers=headers), clients))
        assert {answer.status_code for answer in made} == {200}
        assert len({answer.content for answer in made}) == 1
        endpoint = made[0].json()["id"]
        gone = list(threads.map(lambda one: one.delete(f"/v1/webhook_endpoints/{endpoint}"), clients))
    assert sorted(answer.status_code for answer in gone) == [200, 404, 404, 404, 404, 404]
    assert clients[0].get("/v1/webhook_endpoints").json()["data"] == []


def test_deleting_with_a_key_can_be_repeated(cast: Cast) -> None:
    client = cast.signed(cast.merchant())
    endpoint = client.post("/v1/webhook_endpoints", json={"url": "https://shop.example"}).json()["id"]
    first, again = (
        client.delete(f"/v1/webhook_endpoints/{endpoint}", headers={"Idempotency-Key": "away"}) for _ in range(2)
    )
    assert first.json()["deleted"] is True
    assert again.content == first.content
    refused(client.delete(f"/v1/webhook_endpoints/{endpoint}"), 404, "resource_missing")
