"""What is raised, and what is tried again."""

import pickle
from typing import Any

import httpx
import pytest

from paydesk_client import (
    ApiError,
    AuthenticationError,
    CardError,
    ConnectionFailed,
    IdempotencyError,
    InvalidRequestError,
    PaydeskError,
    RateLimitError,
    Retries,
)
from tests.client.exam import INTENT, SECRET, SENDERS, Answer, Server, ask, holds, refusal

OK = httpx.Response(200, json={"object": "thing"})
BUSY = refusal(503, "api_error", "overloaded")
RUNNING = refusal(409, "invalid_request_error", "operation_in_progress")
LIMITED = refusal(429, "rate_limit_error", "rate_limited", headers={"Retry-After": "2"})

TREE: list[tuple[httpx.Response, type[PaydeskError]]] = [
    (refusal(402, "card_error", "card_declined", decline_code="lost_card"), CardError),
    (refusal(401, "authentication_error", "invalid_signature"), AuthenticationError),
    (refusal(403, "authentication_error", "insufficient_scope"), AuthenticationError),
    (refusal(404, "invalid_request_error", "resource_missing"), InvalidRequestError),
    (refusal(409, "invalid_request_error", "invalid_state"), InvalidRequestError),
    (refusal(422, "idempotency_error", "idempotency_key_reused"), IdempotencyError),
    (refusal(500, "api_error", "internal_error"), ApiError),
]


def create(paydesk: Any) -> Any:
    return paydesk.payment_intents.create(4200, "usd", idempotency_key="order-1")


def read(paydesk: Any) -> Any:
    return paydesk.payment_intents.retrieve(INTENT)


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize(("answer", "kind"), TREE, ids=[kind.__name__ for _, kind in TREE])
def test_the_tree_follows_the_type_and_is_not_tried_again(
    sender: str, answer: httpx.Response, kind: type[PaydeskError]
) -> None:
    server = Server([answer])
    with pytest.raises(PaydeskError) as raised:
        ask(sender, server, create)
    assert type(raised.value) is kind
    assert raised.value.status == answer.status_code
    assert raised.value.request_id == "req_1"
    assert len(server.seen) == 1


def test_every_fact_of_an_answer_is_there() -> None:
    error = {"type": "card_error", "code": "card_declined", "message": "Declined.", "param": "card"}
    whole = {"error": {**error, "decline_code": "lost_card"}, "payment_intent": {"id": INTENT}}
    answer = httpx.Response(402, json=whole, headers={"Request-Id": "req_header"})
    with pytest.raises(CardError) as raised:
        ask("blocking", Server([answer]), create)
    no = raised.value
    assert (no.status, no.code, no.message, no.param, no.decline_code) == (
        402,
        "card_declined",
        "Declined.",
        "card",
        "lost_card",
    )
    assert (no.request_id, no.idempotency_key, no.payment_intent) == ("req_header", "order-1", {"id": INTENT})
    assert no.body == answer.content
    assert str(no) == "402 card_declined: Declined. (request req_header)"


def test_errors_survive_a_queue_of_tasks() -> None:
    """Task runners pickle what a task raised."""
    with pytest.raises(CardError) as raised:
        ask("blocking", Server([refusal(402, "card_error", "card_declined")]), create)
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is CardError
    assert vars(again) == vars(raised.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(502, html="<h1>Bad gateway</h1>"), ApiError),
        (httpx.Response(404, text="nginx"), ApiError),
        (httpx.Response(400, json={"error": "no"}), ApiError),
        (httpx.Response(400, json=["error"]), ApiError),
        (httpx.Response(400, json={"error": {"type": "strange_error"}}), ApiError),
        (httpx.Response(301, headers={"Location": "https://elsewhere.example/"}), ApiError),
        (httpx.Response(200, html="<h1>Welcome</h1>"), ApiError),
        (httpx.Response(200, json=[1]), ApiError),
        (httpx.Response(200, content=b"[" * 100_000), ApiError),
        (httpx.Response(429, text="slow down", headers={"Retry-After": "600"}), RateLimitError),
    ],
    ids=lambda case: str(case.status_code) if isinstance(case, httpx.Response) else case.__name__,
)
def test_what_is_not_paydesks_answer(answer: httpx.Response, kind: type[PaydeskError]) -> None:
    server = Server([answer])
    with pytest.raises(PaydeskError) as raised:
        ask("blocking", server, read)
    assert type(raised.value) is kind
    assert raised.value.code is None
    assert raised.value.body == answer.content
    assert len(server.seen) == 1


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize(
    "first", [BUSY, RUNNING, LIMITED, httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError]
)
def test_what_passes_is_tried_again_with_the_same_key_and_a_new_nonce(sender: str, first: Answer) -> None:
    server = Server([first, first, OK])
    assert ask(sender, server, create) == {"object": "thing"}
    assert len(server.seen) == 3
    assert {request.headers["idempotency-key"] for request in server.seen} == {"order-1"}
    assert len({request.headers["x-request-nonce"] for request in server.seen}) == 3
    assert len({request.content for request in server.seen}) == 1
    assert all(holds(request) for request in server.seen)
    assert len(server.pauses) == 2


@pytest.mark.parametrize("sender", SENDERS)
def test_twice_at_most(sender: str) -> None:
    server = Server([BUSY])
    with pytest.raises(ApiError) as raised:
        ask(sender, server, create)
    assert len(server.seen) == 3
    assert raised.value.code == "overloaded"


def test_the_pauses_double_and_keep_out_of_step() -> None:
    dice = iter([0.0, 1.0, 0.5, 0.0])
    server = Server([BUSY])
    retries = Retries(at_most=4, first_pause_seconds=1, pause_seconds_max=3, dice=lambda: next(dice))
    with pytest.raises(ApiError):
        ask("blocking", server, create, retries)
    assert server.pauses == [0.5, 2.0, 2.25, 1.5]


def test_retry_after_is_honoured_and_not_undercut() -> None:
    server = Server([LIMITED, OK])
    ask("blocking", server, create, Retries(dice=lambda: 0.0))
    assert server.pauses == [2.25]


@pytest.mark.parametrize("sender", SENDERS)
def test_who_is_asked_to_stay_away_for_long_does(sender: str) -> None:
    server = Server([refusal(429, "rate_limit_error", "rate_limited", headers={"Retry-After": "31"})])
    with pytest.raises(RateLimitError) as raised:
        ask(sender, server, create)
    assert raised.value.retry_after_seconds == 31
    assert len(server.seen) == 1


@pytest.mark.parametrize("said", [b"soon", b"-1", b"1.5", b"\xb2", b"9" * 30, b"Fri, 31 Dec 1999 23:59:59 GMT"])
def test_a_retry_after_in_another_form_is_no_advice(said: bytes) -> None:
    server = Server([refusal(503, "api_error", "overloaded", headers={b"Retry-After": said}), OK])
    ask("blocking", server, create, Retries(dice=lambda: 0.0))
    assert server.pauses == [0.25]


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("first", [BUSY, LIMITED, httpx.ConnectError])
def test_a_delete_is_sent_once(sender: str, first: Answer) -> None:
    server = Server([first, OK])
    with pytest.raises(PaydeskError):
        ask(sender, server, lambda p: p.webhook_endpoints.delete("we_1"))
    assert len(server.seen) == 1


@pytest.mark.parametrize("sender", SENDERS)
def test_reads_are_tried_again_without_a_key(sender: str) -> None:
    server = Server([httpx.ReadError, OK])
    assert ask(sender, server, read) == {"object": "thing"}
    assert len(server.seen) == 2


@pytest.mark.parametrize("sender", SENDERS)
def test_no_answer_says_how_to_go_on(sender: str) -> None:
    server = Server([httpx.ReadTimeout])
    with pytest.raises(ConnectionFailed) as raised:
        ask(sender, server, lambda p: p.payment_intents.create(4200, "usd"), Retries(at_most=0))
    no = raised.value
    assert no.idempotency_key == server.seen[0].headers["idempotency-key"]
    assert (no.status, no.code, no.body) == (None, None, b"")
    assert isinstance(no.__cause__, httpx.ReadTimeout)
    assert str(no) == "No answer from pay.example: the line went dead"
    assert SECRET not in repr(no)


def test_a_redirect_is_not_followed() -> None:
    """The signature names no host, so it must not be handed to another one."""
    server = Server([httpx.Response(307, headers={"Location": "https://elsewhere.example/v1/payment_intents"})])
    with pytest.raises(ApiError):
        ask("blocking", server, create)
    assert [request.url.host for request in server.seen] == ["pay.example"]
