"""A nonce is good once: for a change for ever, for a read as long as this process remembers."""

import httpx

from tests.journeys.cast import Cast, refused
from tests.stage.stage import Stage

NONCE = "nonce-of-a-change-used-once"


def create(client: httpx.Client, key: str, **changed: object) -> httpx.Response:
    body = {"amount": 500, "currency": "usd"} | changed
    return client.post("/v1/payment_intents", json=body, headers={"Idempotency-Key": key})


def test_a_change_with_a_nonce_used_before_is_refused_even_under_its_own_key(cast: Cast) -> None:
    tea = cast.merchant()
    client = cast.signed(tea, nonce=lambda: NONCE)
    assert create(client, "order-1").status_code == 200
    refused(create(client, "order-1"), 401, "nonce_reused")
    refused(create(client, "order-2"), 401, "nonce_reused")
    assert len(tea.client.payment_intents.list()["data"]) == 1


def test_a_refused_change_burns_its_nonce(cast: Cast) -> None:
    tea = cast.merchant()
    assert create(cast.signed(tea), "order-1").status_code == 200
    burnt = cast.signed(tea, nonce=lambda: "burnt-by-a-refusal-of-422")
    refused(create(burnt, "order-1", amount=501), 422, "idempotency_key_reused")
    refused(create(burnt, "order-2"), 401, "nonce_reused")

    missing = cast.signed(tea, nonce=lambda: "burnt-by-a-refusal-of-404")
    refused(missing.delete("/v1/webhook_endpoints/we_none"), 404, "resource_missing")
    refused(create(missing, "order-3"), 401, "nonce_reused")


def test_what_the_bytes_alone_refuse_burns_nothing(cast: Cast) -> None:
    tea = cast.merchant()
    client = cast.signed(tea, nonce=lambda: "not-burnt-by-bad-bytes")
    refused(create(client, "order-1", amount=0), 400, "amount_too_small")
    refused(create(client, "order-1", colour="green"), 400, "parameter_unknown")
    assert create(client, "order-1").status_code == 200


def test_a_wrong_signature_burns_nothing(cast: Cast) -> None:
    tea = cast.merchant()
    stranger = cast.signed(tea, nonce=lambda: NONCE)
    stranger.auth = None
    own = cast.signed(tea, nonce=lambda: NONCE)
    request = own.build_request("POST", "/v1/payment_intents", json={}, headers={"Idempotency-Key": "k"})
    signed = next(own.auth.auth_flow(request))  # type: ignore[union-attr]
    signed.headers["X-Signature"] = "sha256=" + "0" * 64
    refused(stranger.send(signed, auth=None), 401, "invalid_signature")
    assert create(own, "order-1").status_code == 200


def test_reads_remember_theirs_and_share_none_with_changes(cast: Cast) -> None:
    tea = cast.merchant()
    client = cast.signed(tea, nonce=lambda: NONCE)
    assert client.get("/v1/ping").status_code == 200
    refused(client.get("/v1/ping"), 401, "nonce_reused")
    refused(client.get("/v1/balance"), 401, "nonce_reused")
    assert create(client, "order-1").status_code == 200


def test_a_head_is_a_read_like_any_other(cast: Cast) -> None:
    client = cast.signed(cast.merchant(), nonce=lambda: NONCE)
    first, again = client.head("/v1/ping"), client.head("/v1/ping")
    assert (first.status_code, again.status_code) == (200, 401)
    assert first.content == b""


def test_nonces_belong_to_their_key(cast: Cast) -> None:
    for merchant in (cast.merchant(), cast.merchant("Coffee House")):
        assert create(cast.signed(merchant, nonce=lambda: NONCE), "order-1").status_code == 200


def test_a_restart_forgets_no_nonce_and_no_answer(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    client = cast.signed(tea, nonce=lambda: NONCE)
    first = create(client, "order-1")
    assert stage.server
    assert stage.server.stop() == 0
    stage.start(stage.port)
    client = cast.signed(tea, nonce=lambda: NONCE)
    refused(create(client, "order-1"), 401, "nonce_reused")
    assert create(cast.signed(tea), "order-1").content == first.content
