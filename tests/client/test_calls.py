"""Each call as it leaves, with both senders: method, target, body, key; and what never leaves."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from paydesk_client import AsyncPaydesk, Paydesk
from tests.client.exam import BASE, INTENT, KEY, SECRET, SENDERS, Server, ask, fields, holds

READS: list[tuple[Callable[[Any], Any], str]] = [
    (lambda p: p.payment_intents.retrieve(INTENT), f"/v1/payment_intents/{INTENT}"),
    (lambda p: p.payment_intents.list(), "/v1/payment_intents"),
    (
        lambda p: p.payment_intents.list(limit=5, starting_after=INTENT),
        f"/v1/payment_intents?limit=5&starting_after={INTENT}",
    ),
    (lambda p: p.payment_intents.list(ending_before=INTENT), f"/v1/payment_intents?ending_before={INTENT}"),
    (lambda p: p.payment_intents.status(INTENT), f"/v1/payment_intents/{INTENT}/status"),
    (lambda p: p.payment_intents.status(INTENT, 30, 4), f"/v1/payment_intents/{INTENT}/status?wait=30&after=4"),
    (lambda p: p.payment_intents.status(INTENT, after=0), f"/v1/payment_intents/{INTENT}/status?after=0"),
    (lambda p: p.payment_intents.timeline(INTENT), f"/v1/payment_intents/{INTENT}/timeline"),
    (lambda p: p.webhook_endpoints.list(limit=1), "/v1/webhook_endpoints?limit=1"),
    (lambda p: p.webhook_endpoints.retrieve("we_1"), "/v1/webhook_endpoints/we_1"),
    (lambda p: p.events.list(starting_after="evt_1"), "/v1/events?starting_after=evt_1"),
    (lambda p: p.events.retrieve("evt_1"), "/v1/events/evt_1"),
    (lambda p: p.balance.retrieve(), "/v1/balance"),
    (lambda p: p.refunds.retrieve("re_1"), "/v1/refunds/re_1"),
    (lambda p: p.refunds.list(payment_intent=INTENT, limit=3), f"/v1/refunds?payment_intent={INTENT}&limit=3"),
    (lambda p: p.late_payments.retrieve("lp_1"), "/v1/late_payments/lp_1"),
    (lambda p: p.late_payments.list(), "/v1/late_payments"),
    (lambda p: p.ledger.transactions(), "/v1/ledger/transactions"),
    (
        lambda p: p.ledger.transactions(payment_intent=INTENT, limit=3),
        f"/v1/ledger/transactions?limit=3&payment_intent={INTENT}",
    ),
    (lambda p: p.ledger.accounts(limit=100), "/v1/ledger/accounts?limit=100"),
    (
        lambda p: p.ledger.entries("acct_1/fees/usd", starting_after="txn_1.2"),
        "/v1/ledger/entries?starting_after=txn_1.2&ledger_account=acct_1%2Ffees%2Fusd",
    ),
    (lambda p: p.ping(), "/v1/ping"),
]


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize(("call", "target"), READS, ids=[target for _, target in READS])
def test_reads(sender: str, call: Callable[[Any], Any], target: str) -> None:
    server = Server([httpx.Response(200, json={"object": "thing"})])
    assert ask(sender, server, call) == {"object": "thing"}
    [request] = server.seen
    assert request.method == "GET"
    assert request.url.raw_path.decode() == target
    assert request.content == b""
    assert "idempotency-key" not in request.headers
    assert holds(request)


@pytest.mark.parametrize("sender", SENDERS)
def test_create_sends_what_was_given_and_nothing_else(sender: str) -> None:
    server = Server([httpx.Response(200, json={"id": INTENT})])
    ask(sender, server, lambda p: p.payment_intents.create(1000, "jpy", description="茶 ☕", idempotency_key="order-1"))
    [request] = server.seen
    assert (request.method, request.url) == ("POST", f"{BASE}/v1/payment_intents")
    assert fields(request) == {"amount": 1000, "currency": "jpy", "description": "茶 ☕"}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == "order-1"
    assert holds(request)


@pytest.mark.parametrize("sender", SENDERS)
def test_a_refund_sends_what_was_given_and_nothing_else(sender: str) -> None:
    server = Server([httpx.Response(200, json={"id": "re_1"})])
    ask(sender, server, lambda p: p.refunds.create(INTENT))
    ask(sender, server, lambda p: p.refunds.create(INTENT, amount=5, reason="duplicate", metadata={"line": "1"}))
    whole, part = server.seen
    assert (whole.method, whole.url, fields(whole)) == ("POST", f"{BASE}/v1/refunds", {"payment_intent": INTENT})
    assert fields(part) == {"payment_intent": INTENT, "amount": 5, "reason": "duplicate", "metadata": {"line": "1"}}
    assert whole.headers["idempotency-key"] != part.headers["idempotency-key"]
    assert holds(whole)


@pytest.mark.parametrize("sender", SENDERS)
def test_what_is_decided_about_late_payments(sender: str) -> None:
    server = Server([httpx.Response(200, json={"id": "lp_1"})])
    ask(sender, server, lambda p: p.late_payments.refund("lp_1", idempotency_key="once"))
    ask(sender, server, lambda p: p.late_payments.keep("lp_1"))
    refund, keep = server.seen
    assert (refund.url, refund.headers["idempotency-key"]) == (f"{BASE}/v1/late_payments/lp_1/refund", "once")
    assert (keep.url, keep.method, fields(keep)) == (f"{BASE}/v1/late_payments/lp_1/keep", "POST", {})


@pytest.mark.parametrize("sender", SENDERS)
def test_create_with_everything(sender: str) -> None:
    server = Server([httpx.Response(200, json={})])
    ask(
        sender,
        server,
        lambda p: p.payment_intents.create(4200, "usd", metadata={"order": "7"}, capture_method="manual"),
    )
    body = fields(server.seen[0])
    assert body == {"amount": 4200, "currency": "usd", "metadata": {"order": "7"}, "capture_method": "manual"}


CHANGES: list[tuple[Callable[[Any], Any], str, dict[str, Any]]] = [
    (lambda p: p.payment_intents.update(INTENT, amount=5, idempotency_key="k"), "", {"amount": 5}),
    (lambda p: p.payment_intents.confirm(INTENT, payment_method="pm_1", idempotency_key="k"), "/confirm",
     {"payment_method": "pm_1"}),
    (lambda p: p.payment_intents.capture(INTENT, idempotency_key="k"), "/capture", {}),
    (lambda p: p.payment_intents.capture(INTENT, amount_to_capture=7, idempotency_key="k"), "/capture",
     {"amount_to_capture": 7}),
    (lambda p: p.payment_intents.cancel(INTENT, cancellation_reason="duplicate", idempotency_key="k"), "/cancel",
     {"cancellation_reason": "duplicate"}),
]  # fmt: skip


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize(("call", "below", "body"), CHANGES)
def test_changes_of_an_intent(sender: str, call: Callable[[Any], Any], below: str, body: dict[str, Any]) -> None:
    server = Server([httpx.Response(200, json={"id": INTENT})])
    ask(sender, server, call)
    [request] = server.seen
    assert (request.method, request.url) == ("POST", f"{BASE}/v1/payment_intents/{INTENT}{below}")
    assert fields(request) == body
    assert request.headers["idempotency-key"] == "k"
    assert holds(request)


def test_a_fresh_idempotency_key_for_each_call_without_one() -> None:
    server = Server([httpx.Response(200, json={})])
    for _ in range(2):
        ask("blocking", server, lambda p: p.payment_intents.create(1, "usd"))
    first, second = (request.headers["idempotency-key"] for request in server.seen)
    assert first != second
    assert len(first) == 36


@pytest.mark.parametrize("sender", SENDERS)
def test_endpoints_are_made_and_deleted(sender: str) -> None:
    server = Server([httpx.Response(200, json={"id": "we_1"}), httpx.Response(204)])
    made = ask(
        sender,
        server,
        lambda p: p.webhook_endpoints.create(
            "https://shop.example/hooks", enabled_events=("payment_intent.succeeded",), ordering="strict"
        ),
    )
    assert made == {"id": "we_1"}
    assert ask(sender, server, lambda p: p.webhook_endpoints.delete("we_1")) == {}
    make, delete = server.seen
    assert fields(make) == {
        "url": "https://shop.example/hooks",
        "enabled_events": ["payment_intent.succeeded"],
        "ordering": "strict",
    }
    assert make.headers["idempotency-key"]
    assert (delete.method, delete.url.path) == ("DELETE", "/v1/webhook_endpoints/we_1")
    assert holds(make)
    assert holds(delete)


@pytest.mark.parametrize("id", ["", "..", "pi_1/cancel", "pi_1?x=1", "pi_%2e", "pi 1", "pi_é", "pi_1\n"])
def test_what_is_no_id_never_becomes_a_path(id: str) -> None:
    server = Server([httpx.Response(200, json={})])
    with pytest.raises(ValueError, match="not the id"):
        ask("blocking", server, lambda p: p.payment_intents.retrieve(id))
    assert not server.seen


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX-Evil: 1", "ключ", "x" * 256])
def test_what_is_no_idempotency_key_never_leaves(key: str) -> None:
    server = Server([httpx.Response(200, json={})])
    with pytest.raises(ValueError, match="idempotency key"):
        ask("blocking", server, lambda p: p.payment_intents.create(1, "usd", idempotency_key=key))
    assert not server.seen


@pytest.mark.parametrize("client", [Paydesk, AsyncPaydesk])
@pytest.mark.parametrize("base_url", ["pay.example", "ftp://pay.example", "https://pay.example/paydesk", f"{BASE}?x=1"])
def test_a_base_url_is_an_origin(client: type[Paydesk | AsyncPaydesk], base_url: str) -> None:
    with pytest.raises(ValueError, match="without a path"):
        client(base_url, KEY, SECRET)


def test_a_slash_behind_the_base_url_does_no_harm() -> None:
    server = Server([httpx.Response(200, json={})])
    with Paydesk(f"{BASE}/", KEY, SECRET, transport=httpx.MockTransport(server.handle)) as paydesk:
        paydesk.ping()
    assert server.seen[0].url == f"{BASE}/v1/ping"


def test_a_held_answer_has_time_to_come() -> None:
    server = Server([httpx.Response(200, json={})])
    transport = httpx.MockTransport(server.handle)
    with Paydesk(BASE, KEY, SECRET, timeout_seconds=3, transport=transport) as paydesk:
        paydesk.payment_intents.status(INTENT, wait_seconds=30, after=1)
        paydesk.ping()
    waits = [request.extensions["timeout"] for request in server.seen]
    assert waits[0] == {"connect": 3, "read": 33, "write": 3, "pool": 3}
    assert waits[1]["read"] == 3
