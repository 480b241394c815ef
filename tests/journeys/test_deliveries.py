"""Webhooks as real receivers get them: signed, in order, once taken never again, and never into private space."""

import queue
import socket
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager

import httpx
import pytest
from standardwebhooks import Webhook

from tests.journeys import psp
from tests.journeys.cast import Cast, refused
from tests.stage.shopper import DECLINED
from tests.stage.stage import Stage

CREATED = "payment_intent.created"
FAILED = "payment_intent.payment_failed"
PROCESSING = "payment_intent.processing"
SUCCEEDED = "payment_intent.succeeded"


def test_the_events_of_a_payment_come_in_order_with_their_snapshots(cast: Cast) -> None:
    tea = cast.merchant(receiver=True)
    intent = tea.open()
    shopper = tea.shopper(intent)
    refused(shopper.pay(DECLINED), 402, "card_declined")
    shopper.pay(psp.FAILED_AFTER)
    psp.settled(shopper)
    tea.receiver.wait_for(SUCCEEDED, intent["id"])

    assert tea.receiver.of(intent["id"]) == [CREATED, FAILED, PROCESSING, SUCCEEDED]
    received = tea.receiver.received
    assert [one.event["sequence"] for one in received] == [1, 2, 3, 4]
    ids = [one.event["id"] for one in received]
    assert [one.event["previous_event_id"] for one in received] == [None, *ids[:-1]]
    snapshots = [one.event["data"]["object"] for one in received]
    assert [seen["status"] for seen in snapshots] == [
        "requires_payment_method",
        "requires_payment_method",
        "processing",
        "succeeded",
    ]
    versions = [seen["version"] for seen in snapshots]
    assert versions == sorted(set(versions))
    assert tea.receiver.refused == []


def test_the_public_package_verifies_what_is_sent(cast: Cast) -> None:
    tea = cast.merchant(receiver=True)
    intent = tea.open()
    received = tea.receiver.wait_for(CREATED, intent["id"])
    assert Webhook(tea.receiver.secret).verify(received.body, received.headers) == received.event
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == received.event["id"]
    assert abs(int(received.headers["webhook-timestamp"]) - time.time()) < 60
    assert len(received.body) < 20_000
    assert intent["client_secret"] not in received.body.decode()


def test_the_bytes_are_those_that_events_shows(cast: Cast) -> None:
    tea = cast.merchant(receiver=True)
    received = tea.receiver.wait_for(CREATED, tea.open()["id"])
    shown = cast.signed(tea).get(f"/v1/events/{received.event['id']}")
    assert shown.content == received.body


def test_a_retry_has_the_same_bytes_and_what_came_later_waits_for_it(cast: Cast) -> None:
    """The one test that waits for the five seconds of the first retry; the others turn the clock."""
    tea = cast.merchant(receiver=True)
    other = cast.receiver(tea.facts["merchant_id"])
    tea.receiver.answers.append(500)
    intent = tea.open()
    assert tea.shopper(intent).pay().status_code == 200
    other.wait_for(SUCCEEDED, intent["id"])
    failed = tea.receiver.wait_for(CREATED, intent["id"], answered=500)
    assert tea.receiver.of(intent["id"]) == []

    again = tea.receiver.wait_for(CREATED, intent["id"])
    tea.receiver.wait_for(SUCCEEDED, intent["id"])
    assert (again.body, again.headers["webhook-id"]) == (failed.body, failed.headers["webhook-id"])
    assert again.headers["webhook-timestamp"] != failed.headers["webhook-timestamp"]
    assert tea.receiver.of(intent["id"]) == [CREATED, SUCCEEDED]


def test_an_endpoint_gets_the_types_that_it_asked_for(cast: Cast) -> None:
    tea = cast.merchant(receiver=True, events=f"{SUCCEEDED},{FAILED}")
    everything = cast.receiver(tea.facts["merchant_id"])
    intent = tea.open()
    shopper = tea.shopper(intent)
    shopper.pay(DECLINED)
    shopper.pay()
    everything.wait_for(SUCCEEDED, intent["id"])
    tea.receiver.wait_for(SUCCEEDED, intent["id"])
    assert tea.receiver.of(intent["id"]) == [FAILED, SUCCEEDED]
    assert everything.of(intent["id"]) == [CREATED, FAILED, SUCCEEDED]


def test_two_endpoints_have_two_secrets(cast: Cast) -> None:
    tea = cast.merchant(receiver=True)
    other = cast.receiver(tea.facts["merchant_id"])
    intent = tea.open()
    one, two = (receiver.wait_for(CREATED, intent["id"]) for receiver in (tea.receiver, other))
    assert one.body == two.body
    assert tea.receiver.secret != other.secret
    assert one.headers["webhook-signature"] != two.headers["webhook-signature"]


def test_a_deleted_endpoint_gets_nothing_more(cast: Cast) -> None:
    tea = cast.merchant(receiver=True)
    stays = cast.receiver(tea.facts["merchant_id"])
    tea.receiver.wait_for(CREATED, tea.open()["id"])
    listed = tea.client.webhook_endpoints.list()["data"]
    (endpoint,) = [shown["id"] for shown in listed if shown["url"] == tea.receiver.url]
    assert tea.client.webhook_endpoints.delete(endpoint)["deleted"] is True
    intent = tea.open()
    tea.shopper(intent).pay()
    stays.wait_for(SUCCEEDED, intent["id"])
    assert tea.receiver.of(intent["id"]) == []
    assert [shown["url"] for shown in tea.client.webhook_endpoints.list()["data"]] == [stays.url]


@contextmanager
def listening() -> Generator[tuple[int, queue.Queue[str]]]:
    """A port on loopback, and who connected to it."""
    heard: queue.Queue[str] = queue.Queue()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_hear, args=(server, heard))
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _hear(server: socket.socket, heard: queue.Queue[str]) -> None:
    while True:
        try:
            connection, (address, _) = server.accept()
        except OSError:
            return
        connection.close()
        heard.put(address)


SPELLINGS = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
]


def test_an_address_in_private_space_is_refused_in_every_spelling(cast: Cast) -> None:
    tea = cast.merchant()
    for spelling in SPELLINGS:
        answer = cast.signed(tea).post("/v1/webhook_endpoints", json={"url": spelling.format(port=80)})
        refused(answer, 400, "url_not_allowed", "url")
    assert tea.client.webhook_endpoints.list()["data"] == []
    elsewhere = {"merchant": tea.facts["merchant_id"], "url": "http://10.0.0.1/", "events": ["*"]}
    assert "PAYDESK_EGRESS_ALLOW" in cast.ask("webhooks add", **elsewhere)["error"]["message"]


def test_what_merchants_add_is_never_reached_in_private_space(cast: Cast, stage: Stage) -> None:
    """PAYDESK_EGRESS_ALLOW opens loopback for endpoints of the operator; a merchant's stay shut out all the same, also
    where their name leads there: so each spelling is put behind the check.
    """
    tea = cast.merchant(receiver=True)
    with listening() as (port, heard):
        for number in range(len(SPELLINGS)):
            tea.client.webhook_endpoints.create(f"https://shop{number}.example/")
        assert stage.server
        assert stage.server.stop() == 0
        with closing(sqlite3.connect(stage.data / "paydesk.db")) as database, database:
            for number, spelling in enumerate(SPELLINGS):
                there = (spelling.format(port=port), f"https://shop{number}.example/")
                changed = database.execute("UPDATE webhook_endpoints SET url = ? WHERE url = ?", there)
                assert changed.rowcount == 1
        stage.start(stage.port)
        intent = tea.open()
        assert tea.shopper(intent).pay().status_code == 200
        tea.receiver.wait_for(SUCCEEDED, intent["id"])
        assert stage.server.stop() == 0  # A stop waits for what is under way: every endpoint had its first attempt.
        stage.start(stage.port)
        assert heard.empty()

        own = {"merchant": tea.facts["merchant_id"], "url": f"http://127.0.0.1:{port}/", "events": ["*"]}
        cast.operate("webhooks add", **own)
        tea.open()
        assert heard.get(timeout=30) == "127.0.0.1"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example/hooks",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//shop.example/hooks",
        "shop.example/hooks",
        "",
        "https://",
        "https:///hooks",
        "https://user:password@shop.example/",
        "https://shop.example:0/",
        "https://shop.example:65536/",
        "https://shop.example:port/",
        "https://shop.example/#fragment",
        "https://shop.example/a b",
        "https://shop.example/\n",
        "https://shop.example\\@127.0.0.1/",
        "https://münchen.example/",
        "https://shop.ⓔxample/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://shop.example/" + "a" * 2048,
    ],
)
def test_urls_that_no_endpoint_may_have(cast: Cast, url: str) -> None:
    tea = cast.merchant()
    answer = cast.signed(tea).post("/v1/webhook_endpoints", json={"url": url})
    code = "parameter_invalid" if len(url) > 2048 else "url_not_allowed"
    refused(answer, 400, code, "url")
    assert tea.client.webhook_endpoints.list()["data"] == []


def test_endpoints_are_read_and_listed_without_their_secret(cast: Cast) -> None:
    tea = cast.merchant()
    made = tea.client.webhook_endpoints.create(
        "https://shop.example/hooks", enabled_events=[SUCCEEDED, FAILED], ordering="strict", description="till 1"
    )
    secret = made.pop("secret")
    assert made == tea.client.webhook_endpoints.retrieve(made["id"])
    assert (made["enabled_events"], made["ordering"], made["status"]) == ([SUCCEEDED, FAILED], "strict", "enabled")
    assert tea.client.webhook_endpoints.list()["data"] == [made]
    assert secret.startswith("whsec_")


@pytest.mark.parametrize(
    ("changed", "code", "param"),
    [
        ({"enabled_events": []}, "parameter_invalid", "enabled_events"),
        ({"enabled_events": ["*", SUCCEEDED]}, "parameter_invalid", "enabled_events"),
        ({"enabled_events": ["payment_intent.*"]}, "parameter_invalid", "enabled_events"),
        ({"enabled_events": [SUCCEEDED, SUCCEEDED]}, "parameter_invalid", "enabled_events"),
        ({"enabled_events": [1]}, "parameter_invalid", "enabled_events[0]"),
        ({"enabled_events": "*"}, "parameter_invalid", "enabled_events"),
        ({"ordering": "loose"}, "parameter_invalid", "ordering"),
        ({"description": "4242 4242 4242 4242"}, "card_number_in_text", "description"),
        ({"description": "a" * 501}, "parameter_invalid", "description"),
        ({"url": "https://shop.example/4242424242424242"}, "card_number_in_text", "url"),
        ({"secret": "whsec_mine"}, "parameter_unknown", "secret"),
        ({"status": "enabled"}, "parameter_unknown", "status"),
        ({"url": None}, "parameter_invalid", "url"),
    ],
)
def test_endpoints_that_are_refused(cast: Cast, changed: dict[str, object], code: str, param: str) -> None:
    tea = cast.merchant()
    body = {"url": "https://shop.example/hooks"} | changed
    refused(cast.signed(tea).post("/v1/webhook_endpoints", json=body), 400, code, param)
    assert tea.client.webhook_endpoints.list()["data"] == []


def test_an_endpoint_without_a_url(cast: Cast) -> None:
    answer: httpx.Response = cast.signed(cast.merchant()).post("/v1/webhook_endpoints", json={})
    refused(answer, 400, "parameter_missing", "url")
