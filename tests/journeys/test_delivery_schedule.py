"""Webhooks over hours and days: retries, order, and what is held back, on a clock that is turned."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from paydesk.events.rows import Delivery
from paydesk.world import Answer
from tests.journeys.turned import Turned, turned
from tests.stage.shopper import DECLINED, VISA
from tests.store.turned import run_turned

MINUTE = 60.0
HOUR = 3600.0
DELAYS = (5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)

CREATED = "payment_intent.created"
FAILED = "payment_intent.payment_failed"
SUCCEEDED = "payment_intent.succeeded"
DISABLED = "webhook_endpoint.disabled"

Story = Callable[[Turned], Coroutine[Any, Any, None]]


def play(folder: Path, story: Story, **settings: Any) -> None:
    async def playing() -> None:
        async with turned(folder / "data", **settings) as house:
            await story(house)

    run_turned(playing())


def test_a_failed_delivery_is_repeated_with_the_same_bytes_after_five_seconds(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        receiver.answers[CREATED] = [500]
        await house.open()
        await asyncio.sleep(20)
        first, again = receiver.of(CREATED)
        assert (first.answered, again.answered) == (500, 200)
        assert again.body == first.body
        assert again.headers["webhook-id"] == first.headers["webhook-id"] == first.event["id"]
        assert int(again.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
        assert again.headers["webhook-signature"] != first.headers["webhook-signature"]
        assert 4_000 <= again.at_ms - first.at_ms <= 6_100

    play(tmp_path, story)


def test_eleven_attempts_in_three_days_and_then_no_more(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        receiver.answers[CREATED] = [503] * 20
        intent = await house.open()
        await asyncio.sleep(120 * HOUR)
        attempts = receiver.of(CREATED)
        assert len(attempts) == 11
        waits = [(later.at_ms - earlier.at_ms) / 1000 for earlier, later in pairwise(attempts)]
        for wait, delay in zip(waits, DELAYS, strict=True):
            assert 0.8 * delay <= wait <= 1.2 * delay + 1
        delivery = await delivery_of(house, attempts[0].event["id"])
        assert (delivery.status, delivery.attempts, delivery.response_status) == ("dead", 11, 503)
        assert (await house.pay(intent, VISA)).status_code == 200
        await asyncio.sleep(1)
        assert receiver.taken == [SUCCEEDED]

    play(tmp_path, story, intent_expires_seconds=10 * 86_400)


async def delivery_of(house: Turned, event_id: str) -> Delivery:
    from paydesk.events.endpoints import of_account

    (endpoint,) = await of_account(house.house.reader, house.facts["account_id"])
    found = await house.house.reader.get(Delivery, house.facts["account_id"], event_id, endpoint.id)
    assert found
    return found


def test_a_receiver_that_refuses_created_gets_succeeded_after_it(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea, other = await house.receiver("tea"), await house.receiver("other")
        tea.answers[CREATED] = [500, 500]
        intent = await house.open()
        await house.pay(intent, VISA)
        await asyncio.sleep(1)
        assert tea.taken == []
        assert other.taken == [CREATED, SUCCEEDED]  # Another endpoint's failure holds nothing back here.
        await asyncio.sleep(50)
        assert tea.taken == [CREATED, SUCCEEDED]
        assert len(tea.of(SUCCEEDED)) == 1
        released_ms = tea.of(SUCCEEDED)[0].at_ms - tea.of(CREATED)[-1].at_ms
        assert released_ms < 1_000  # It goes with the commit of the other, not when its own time comes.
        assert [event.event["sequence"] for event in tea.arrived if event.answered == 200] == [1, 2]
        assert tea.of(SUCCEEDED)[0].event["previous_event_id"] == tea.of(CREATED)[0].event["id"]

    play(tmp_path, story)


def test_three_events_in_a_row_stay_in_order(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        tea.answers[CREATED] = [500]
        tea.answers[FAILED] = [500]
        intent = await house.open()
        assert (await house.pay(intent, DECLINED)).status_code == 402
        assert (await house.pay(intent, VISA)).status_code == 200
        await asyncio.sleep(2 * MINUTE)
        assert tea.taken == [CREATED, FAILED, SUCCEEDED]

    play(tmp_path, story)


def test_nothing_is_held_back_for_longer_than_a_quarter_of_an_hour(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        tea.answers[CREATED] = [500] * 20
        intent = await house.open()
        await house.pay(intent, VISA)
        await asyncio.sleep(14 * MINUTE)
        assert tea.taken == []
        await asyncio.sleep(2 * MINUTE)
        assert tea.taken == [SUCCEEDED]
        tea.answers.clear()
        await asyncio.sleep(3 * HOUR)
        assert tea.taken == [SUCCEEDED, CREATED]

    play(tmp_path, story)


def test_strict_ordering_waits_for_as_long_as_it_takes(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea", ordering="strict")
        tea.answers[CREATED] = [500] * 6
        intent = await house.open()
        await house.pay(intent, VISA)
        await asyncio.sleep(60 * MINUTE)
        assert tea.taken == []
        await asyncio.sleep(20 * HOUR)
        assert tea.taken == [CREATED, SUCCEEDED]

    play(tmp_path, story)


def test_objects_do_not_hold_each_other_back(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        tea.answers[CREATED] = [500]
        first = await house.open("order-1")
        await asyncio.sleep(1)
        second = await house.open("order-2")
        await asyncio.sleep(1)
        objects = [one.event["data"]["object"]["id"] for one in tea.arrived if one.answered == 200]
        assert objects == [second["id"]]
        await asyncio.sleep(MINUTE)
        assert first["id"] in [one.event["data"]["object"]["id"] for one in tea.arrived if one.answered == 200]

    play(tmp_path, story)


def test_gone_disables_the_endpoint_and_what_waited_is_given_up(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea, other = await house.receiver("tea"), await house.receiver("other")
        tea.answers[CREATED] = [500, 410]
        intent = await house.open()
        await house.pay(intent, VISA)
        await asyncio.sleep(2 * HOUR)
        assert [one.answered for one in tea.arrived] == [500, 410]
        assert other.taken == [CREATED, SUCCEEDED, DISABLED]
        statuses = {shown["url"]: shown["status"] for shown in await endpoints(house)}
        assert statuses == {tea.url: "disabled", other.url: "enabled"}
        await house.open("order-2")
        await asyncio.sleep(HOUR)
        assert len(tea.arrived) == 2
        assert len(other.arrived) == 4

    play(tmp_path, story)


async def endpoints(house: Turned) -> list[dict[str, Any]]:
    return (await house.send("GET", "/v1/webhook_endpoints")).json()["data"]


def test_a_deleted_endpoint_gets_nothing_not_even_what_waited(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        tea.answers[CREATED] = [500]
        intent = await house.open()
        await house.pay(intent, VISA)
        await asyncio.sleep(1)
        (endpoint,) = await endpoints(house)
        gone = await house.send("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
        assert gone.json() == {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}
        await house.open("order-2")
        await asyncio.sleep(100 * HOUR)
        assert [one.answered for one in tea.arrived] == [500]

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("status", "asked", "low", "high"),
    [
        (429, "8", 8, 8),  # As asked: between the delay and twice the delay.
        (503, "7", 7, 7),
        (503, "3600", 10, 10),  # Twice the delay at most.
        (429, "1", 4, 6),
        (500, "9", 4, 6),  # Only 429 and 503 may ask.
        (503, "Wed, 21 Oct 2026 07:28:00 GMT", 4, 6),
        (503, "-9", 4, 6),
    ],
)
def test_retry_after_is_honoured_within_bounds(tmp_path: Path, status: int, asked: str, low: int, high: int) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        tea.answers[CREATED] = [Answer(status=status, headers={"retry-after": asked}, body=b"")]
        await house.open()
        await asyncio.sleep(MINUTE)
        first, again = tea.of(CREATED)
        assert low * 1000 <= again.at_ms - first.at_ms <= high * 1000 + 100

    play(tmp_path, story)


def test_a_redirect_is_a_failure_and_never_followed(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        elsewhere = Answer(status=307, headers={"location": "https://elsewhere.example/"}, body=b"")
        tea.answers[CREATED] = [elsewhere]
        await house.open()
        await asyncio.sleep(MINUTE)
        assert [one.answered for one in tea.arrived] == [307, 200]

    play(tmp_path, story)
