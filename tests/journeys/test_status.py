"""How it goes, asked: by merchant or shopper (who holds the client secret), at once or held until something changed."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.journeys import psp
from tests.journeys.cast import Cast, refused
from tests.stage.shopper import DECLINED
from tests.stage.stage import Stage


def test_a_held_request_is_answered_by_the_change(cast: Cast) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    jwe = shopper.seal()
    with ThreadPoolExecutor(1) as thread:
        held = thread.submit(shopper.status, wait=30, after=1)
        paid = shopper.confirm(jwe).json()
        seen = held.result().json()
    assert seen["version"] > 1
    assert seen["status"] in ("processing", "succeeded")
    assert shopper.status(wait=30, after=seen["version"] - 1).json() == paid  # Terminal: nothing to wait for.


def test_without_after_the_wait_is_for_a_change_from_now_on(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    psp.order(stage, "late", delay_ms=1200)
    jwe = shopper.seal()
    with ThreadPoolExecutor(1) as thread:
        paying = thread.submit(shopper.confirm, jwe)
        assert shopper.status(wait=30, after=1).json()["status"] == "processing"
        assert shopper.status(wait=30).json()["status"] == "succeeded"
        assert paying.result().status_code == 200


def test_a_wait_that_is_over_shows_what_there_is(cast: Cast) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    began = time.monotonic()
    answer = shopper.status(wait=1, after=7)
    assert time.monotonic() - began > 0.9
    assert (answer.status_code, answer.json()["version"]) == (200, 1)


def test_a_version_that_is_behind_is_not_waited_for(cast: Cast) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    assert shopper.status(wait=60, after=0).json()["version"] == 1


def test_the_etag_is_the_version(cast: Cast) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    first = shopper.status()
    assert first.headers["etag"] == '"1"'
    same = conditional(shopper.http, shopper.intent_id, '"1"')
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
    assert "content-length" not in same.headers

    refused(shopper.pay(DECLINED), 402, "card_declined")
    changed = conditional(shopper.http, shopper.intent_id, '"1"')
    assert (changed.status_code, changed.headers["etag"]) == (200, f'"{changed.json()["version"]}"')


@pytest.mark.parametrize("given", ['W/"1"', '"0", "1"', '"0",W/"1"', "*"])
def test_if_none_match_is_a_list_and_weak(cast: Cast, given: str) -> None:
    """RFC 9110, section 13.1.2: proxies make an ETag weak, and clients send all they have."""
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    assert conditional(shopper.http, shopper.intent_id, given).status_code == 304


@pytest.mark.parametrize("given", ['"11"', '"0"', "1", '"', "", 'W/"11", "0"'])
def test_if_none_match_of_another_version_is_answered(cast: Cast, given: str) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    assert conditional(shopper.http, shopper.intent_id, given).status_code == 200


def conditional(http: httpx.Client, intent_id: str, etag: str) -> httpx.Response:
    return http.get(f"/v1/payment_intents/{intent_id}/status", headers={"If-None-Match": etag})


def test_merchant_and_shopper_see_different_things(cast: Cast) -> None:
    tea = cast.merchant()
    intent = tea.open(metadata={"order": "secret-to-shoppers"}, description="also a secret")
    shopper = tea.shopper(intent)
    refused(shopper.pay(DECLINED), 402, "card_declined")

    shown = shopper.status()
    assert "secret-to-shoppers" not in shown.text
    assert "also a secret" not in shown.text
    assert "generic_decline" not in shown.text
    assert "latest_attempt" not in shown.json()
    assert (shown.json()["merchant_name"], shown.json()["amount_decimal"]) == ("Tea House", "42.00")

    own = tea.client.payment_intents.status(intent["id"])
    assert own["metadata"] == {"order": "secret-to-shoppers"}
    assert own["last_payment_error"]["decline_code"] == "generic_decline"
    assert "client_secret" not in own
    assert own == without_secret(tea.client.payment_intents.retrieve(intent["id"]))


def without_secret(intent: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in intent.items() if name != "client_secret"}


def test_a_client_secret_opens_its_own_intent_alone(cast: Cast) -> None:
    tea = cast.merchant()
    one, other = tea.open(), tea.open()
    shopper = tea.shopper(one)
    for path in ("/v1/payment_intents/{}/status", "/v1/payment_intents/{}/stream", "/checkout/{}/session"):
        refused(shopper.http.get(path.format(other["id"])), 401, "invalid_client_secret")
    refused(shopper.http.get(f"/v1/payment_intents/{one['id']}"), 400, "malformed_header")
    refused(shopper.http.post(f"/checkout/{other['id']}/confirm", json={"card": "x"}), 401, "invalid_client_secret")
    for wrong in (one["client_secret"][:-1], one["client_secret"] + "A", one["id"], "pi_", "pi_é"):
        headers = {"authorization": b"Bearer " + wrong.encode("latin-1")}
        answer = httpx.get(f"{tea.stage.paydesk}/v1/payment_intents/{one['id']}/status", headers=headers)
        refused(answer, 401, "invalid_client_secret")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("wait=61", "wait"),
        ("wait=-1", "wait"),
        ("wait=1.5", "wait"),
        ("wait=%D9%A3", "wait"),
        ("wait=", "wait"),
        ("after=-1", "after"),
        ("after=99999999999999999", "after"),
        ("wait=1&wait=2", "wait"),
    ],
)
def test_waits_that_are_none(cast: Cast, query: str, param: str) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    answer = shopper.http.get(f"/v1/payment_intents/{shopper.intent_id}/status?{query}")
    refused(answer, 400, "parameter_invalid", param)


def test_a_secret_in_the_query_is_not_taken(cast: Cast) -> None:
    tea = cast.merchant()
    intent = tea.open()
    where = f"{tea.stage.paydesk}/v1/payment_intents/{intent['id']}/status"
    refused(httpx.get(where, params={"client_secret": intent["client_secret"]}), 400, "missing_header")
