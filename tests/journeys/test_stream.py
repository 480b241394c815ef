"""How it goes, told as it happens: server-sent events over an ordinary request."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from msgspec import Struct, json

from tests.journeys import psp
from tests.journeys.cast import Cast, refused
from tests.stage.stage import Stage


class Sent(Struct, frozen=True):
    """One event of a stream, or a comment."""

    id: str = ""
    event: str = ""
    data: str = ""
    comment: str = ""

    @property
    def seen(self) -> dict[str, Any]:
        return json.decode(self.data)


def events(response: httpx.Response) -> Iterator[Sent]:
    """What the stream sends, as browsers read it (the HTML standard, section 9.2.6)."""
    lines: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(":")
            lines[name or "comment"] = value.removeprefix(" ")
        elif lines:
            yield Sent(**lines)
            lines = {}


def streaming(client: httpx.Client, intent_id: str, **headers: str) -> Any:
    return client.stream("GET", f"/v1/payment_intents/{intent_id}/stream", headers=headers)


def test_a_stream_tells_each_version_and_ends_when_it_is_paid(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    psp.order(stage, "late", delay_ms=700)
    jwe = shopper.seal()
    with streaming(shopper.http, shopper.intent_id) as response, ThreadPoolExecutor(1) as thread:
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"
        told = events(response)
        seen = [next(told)]
        paying = thread.submit(shopper.confirm, jwe)
        seen += told
        assert paying.result().status_code == 200
    assert [event.event for event in seen] == ["status"] * 3
    assert [event.seen["status"] for event in seen] == ["requires_payment_method", "processing", "succeeded"]
    assert [event.id for event in seen] == [str(event.seen["version"]) for event in seen]
    assert seen[-1].seen == shopper.status().json()


def test_a_stream_goes_on_through_a_decline(cast: Cast) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    payloads = [shopper.seal("4000000000009995"), shopper.seal()]
    with streaming(shopper.http, shopper.intent_id) as response, ThreadPoolExecutor(1) as thread:
        told = events(response)
        next(told)
        paying = thread.submit(lambda: [shopper.confirm(jwe).status_code for jwe in payloads])
        statuses = [event.seen["status"] for event in told]
        assert paying.result() == [402, 200]
    assert statuses[-1] == "succeeded"


def test_last_event_id_takes_up_where_it_was_left(cast: Cast) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    refused(shopper.pay("4000000000000002"), 402, "card_declined")
    now = shopper.status().json()
    with streaming(shopper.http, shopper.intent_id, **{"Last-Event-ID": "1"}) as response:
        assert next(events(response)).seen == now


def test_who_has_seen_everything_is_answered_at_once_and_told_what_comes(cast: Cast) -> None:
    """The answer begins with a comment: a client that waits for headers would give up before anything happens."""
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    jwe = shopper.seal()
    shopper.http.timeout = httpx.Timeout(10)
    with streaming(shopper.http, shopper.intent_id, **{"Last-Event-ID": "1"}) as response:
        told = events(response)
        assert next(told).comment
        assert shopper.confirm(jwe).status_code == 200
        assert int(next(told).id) > 1


def test_a_paid_intent_is_told_and_that_is_all(cast: Cast) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    shopper.pay()
    with streaming(shopper.http, shopper.intent_id) as response:
        (only,) = events(response)
        assert only.seen["status"] == "succeeded"
    with streaming(shopper.http, shopper.intent_id, **{"Last-Event-ID": only.id}) as response:
        assert [event for event in events(response) if event.data] == []


def test_a_merchant_streams_with_a_signature_and_sees_more(cast: Cast) -> None:
    tea = cast.merchant()
    intent = tea.open(metadata={"order": "1001"})
    client = cast.signed(tea)
    with streaming(client, intent["id"]) as response:
        told = next(events(response)).seen
        assert told["metadata"] == {"order": "1001"}
        assert "client_secret" not in told
    with streaming(tea.shopper(intent).http, intent["id"]) as response:
        assert "metadata" not in next(events(response)).seen


def test_streams_that_are_refused(cast: Cast) -> None:
    tea, coffee = cast.merchant(), cast.merchant("Coffee House")
    intent = tea.open()
    where = f"/v1/payment_intents/{intent['id']}/stream"
    refused(cast.signed(coffee).get(where), 404, "resource_missing")
    refused(httpx.get(tea.stage.paydesk + where), 400, "missing_header")
    shopper = tea.shopper(intent)
    for last in ("-1", "x", "1.0", "٣".encode().decode("latin-1"), "9" * 20):
        refused(shopper.http.get(where, headers={"Last-Event-ID": last.encode("latin-1")}), 400, "parameter_invalid")
    refused(shopper.http.get(where + "?client_secret=x"), 400, "parameter_unknown")


def test_a_head_is_answered_and_holds_nothing_open(cast: Cast) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    answer = shopper.http.head(f"/v1/payment_intents/{shopper.intent_id}/stream")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    shopper.http.timeout = httpx.Timeout(10)
    assert shopper.status().status_code == 200  # On the same connection.


def test_a_caller_that_leaves_is_noticed(cast: Cast) -> None:
    """Streams are bounded: one that stayed counted after its caller had left would shut others out in the end."""
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    for _ in range(30):
        with streaming(shopper.http, shopper.intent_id) as response:
            next(events(response))
    assert shopper.pay().json()["status"] == "succeeded"
