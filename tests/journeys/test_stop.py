"""SIGTERM: nothing new is begun, what is under way is finished, streams end, and the exit status is 0."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from paydesk.assembly.control import socket_path
from paydesk_client import ConnectionFailed
from tests.journeys import psp
from tests.journeys.cast import Cast
from tests.journeys.test_stream import events, streaming
from tests.stage.stage import Stage


def terminate(stage: Stage) -> None:
    assert stage.server
    os.kill(stage.server.pid, signal.SIGTERM)


def ended(stage: Stage) -> None:
    """Within the grace that a stop has; then it serves again, for the others."""
    assert stage.server
    assert stage.server.stop() == 0
    assert not socket_path(stage.data).exists()
    stage.start(stage.port)


def test_a_payment_under_way_is_finished_and_answered(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant(receiver=True)
    intent = tea.open()
    shopper = tea.shopper(intent)
    psp.order(stage, "late", delay_ms=1200)
    jwe = shopper.seal()
    with ThreadPoolExecutor(1) as thread:
        confirming = thread.submit(shopper.confirm, jwe)
        assert shopper.status(wait=30, after=1).json()["status"] == "processing"
        terminate(stage)
        answer = confirming.result()
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    ended(stage)
    seen = tea.client.payment_intents.retrieve(intent["id"])
    assert (seen["status"], "outcome" in seen) == ("succeeded", False)
    assert seen["event_sequence"] == 2  # Its outcome was never unknown: the stop waited for the PSP's answer.
    assert psp.captured(stage, tea, intent["id"]) == [(4200, "usd")]
    tea.receiver.wait_for("payment_intent.succeeded", intent["id"])


def test_a_stop_under_load_keeps_what_it_answered_and_answers_what_it_took(cast: Cast, stage: Stage) -> None:
    """A dozen payments wait for their PSP, and intents are opened as fast as they are answered."""
    tea = cast.merchant()
    shoppers = [tea.shopper(tea.open()) for _ in range(12)]
    sealed = [shopper.seal() for shopper in shoppers]
    for _ in shoppers:
        psp.order(stage, "late", delay_ms=1500)
    opened: list[str] = []

    def open_until_refused() -> None:
        try:
            while True:
                opened.append(tea.open(idempotency_key=f"load-{len(opened)}")["id"])
        except ConnectionFailed:
            return

    with ThreadPoolExecutor(16) as threads:
        confirming = [threads.submit(shopper.confirm, jwe) for shopper, jwe in zip(shoppers, sealed, strict=True)]
        for shopper in shoppers:
            assert shopper.status(wait=30, after=1).json()["status"] == "processing"
        opening = threads.submit(open_until_refused)
        while not opened:
            time.sleep(0.01)
        terminate(stage)
        answers = [confirmed.result() for confirmed in confirming]
        opening.result()
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(200, "succeeded")] * 12
    ended(stage)
    assert {tea.client.payment_intents.retrieve(intent)["id"] for intent in opened} == set(opened)
    for shopper in shoppers:
        assert psp.captured(stage, tea, shopper.intent_id) == [(4200, "usd")]


def test_streams_and_held_requests_end_at_once(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    began = time.monotonic()
    with streaming(shopper.http, shopper.intent_id) as response, ThreadPoolExecutor(1) as thread:
        told = events(response)
        next(told)
        held = thread.submit(tea.shopper(tea.open()).status, wait=60)
        with streaming(tea.shopper(tea.open()).http, shopper.intent_id) as refused_stream:
            assert refused_stream.status_code == 401
        terminate(stage)
        assert [event for event in told if event.data] == []
        assert held.result().status_code == 200
    ended(stage)
    assert time.monotonic() - began < 15


def test_an_interrupt_from_the_keyboard_stops_as_gently_and_nobody_is_half_served(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = tea.open()
    assert stage.server
    assert stage.server.stop(signal.SIGINT) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{stage.paydesk}/livez")
    stage.start(stage.port)
    assert httpx.get(f"{stage.paydesk}/readyz").json() == {"status": "ok"}
    assert tea.client.payment_intents.retrieve(intent["id"])["status"] == "requires_payment_method"
