"""An endpoint that fails for five days is disabled, and the account's other endpoints hear of it; so does the log."""

import asyncio
import json
from io import BytesIO
from pathlib import Path
from typing import Any

from paydesk.telemetry import Log
from paydesk.world import NotSent
from tests.events.test_order import wanting
from tests.journeys.test_delivery_schedule import CREATED, DISABLED, HOUR, MINUTE, endpoints, play
from tests.journeys.turned import Turned, TurnedReceiver

CANCELED = "payment_intent.canceled"


def lines(house: Turned) -> BytesIO:
    """What is logged from now on, warnings too."""
    log = BytesIO()
    house.house.log = Log("warning", log)
    return log


def logged(log: BytesIO, event: str) -> list[dict[str, Any]]:
    return [line for text in log.getvalue().splitlines() if (line := json.loads(text))["event"] == event]


async def shown(house: Turned, receiver: TurnedReceiver) -> dict[str, Any]:
    return next(one for one in await endpoints(house) if one["url"] == receiver.url)


def test_five_days_without_a_success(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea, other = await house.receiver("tea"), await house.receiver("other")
        tea.answers = {CREATED: [500] * 100, CANCELED: [500] * 100}  # Unpaid, it expires after a day.
        log = lines(house)
        began_ms = house.world.now_ms()
        await house.open("order-1")
        await asyncio.sleep(119 * HOUR)
        seen = await shown(house, tea)
        assert (seen["status"], seen["disabled_reason"]) == ("enabled", None)
        since = seen["failing_since"]
        assert since is not None
        await house.open("order-2")  # Tried at once, and again within the hours that are left.
        await asyncio.sleep(HOUR / 2)
        assert (await shown(house, tea))["status"] == "enabled"
        await asyncio.sleep(8 * HOUR)

        (told,) = other.of(DISABLED)
        assert told.at_ms - began_ms >= 120 * HOUR * 1000
        seen = await shown(house, tea)
        assert told.event["data"]["object"] == seen
        assert (seen["status"], seen["disabled_reason"], seen["failing_since"]) == ("disabled", "failing", since)
        assert (told.event["sequence"], told.event["previous_event_id"], seen["event_sequence"]) == (1, None, 1)
        (line,) = logged(log, "endpoint_disabled")
        assert (line["endpoint"], line["reason"], line["level"]) == (seen["id"], "failing", "warning")
        assert tea.of(DISABLED) == []
        tried = len(tea.arrived)
        await house.open("order-3")
        await asyncio.sleep(100 * HOUR)
        assert len(tea.arrived) == tried

    play(tmp_path, story)


def test_one_success_begins_the_count_anew(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea, other = await house.receiver("tea"), await house.receiver("other")
        tea.answers = {CREATED: [500] * 11, CANCELED: [500] * 100}
        await house.open("order-1")
        await asyncio.sleep(110 * HOUR)
        assert (await shown(house, tea))["failing_since"] is not None
        await house.open("order-2")
        await asyncio.sleep(1)
        assert (await shown(house, tea))["failing_since"] is None
        tea.answers[CREATED] = [500] * 11
        await house.open("order-3")
        await asyncio.sleep(100 * HOUR)
        assert ((await shown(house, tea))["status"], other.of(DISABLED)) == ("enabled", [])

    play(tmp_path, story)


def test_a_persons_retry_begins_the_count_anew(tmp_path: Path) -> None:
    """Who retries says that it is mended: one more failure must not end it."""

    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        tea.answers = {CREATED: [500] * 100, CANCELED: [500] * 100}
        await house.open()
        await asyncio.sleep(130 * HOUR)
        assert (await house.operate("dead retry", duty_id=None, kind="deliver"))["done"] == {"retried": 2}
        await asyncio.sleep(MINUTE)
        seen = await shown(house, tea)
        assert seen["status"] == "enabled"
        assert seen["failing_since"] > tea.arrived[-2].event["timestamp"]
        assert len(tea.arrived) > 22

    play(tmp_path, story)


def test_who_does_not_ask_for_the_event_is_not_told(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea, other = await wanting(house, "tea", [CREATED]), await wanting(house, "other", [CREATED])
        tea.answers[CREATED] = [410]
        await house.open()
        await asyncio.sleep(MINUTE)
        assert ((await shown(house, tea))["disabled_reason"], other.taken) == ("gone", [CREATED])

    play(tmp_path, story)


def test_every_failed_attempt_is_a_line_in_the_log(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        tea.answers[CREATED] = [500, 302]
        log = lines(house)
        intent = await house.open()
        await asyncio.sleep(HOUR)
        assert tea.taken == [CREATED]
        first, again = logged(log, "delivery_failed")
        event = tea.arrived[0].event["id"]
        endpoint = (await shown(house, tea))["id"]
        for number, line in enumerate((first, again), 1):
            assert (line["webhook_id"], line["endpoint"], line["type"]) == (event, endpoint, CREATED)
            assert (line["attempt"], line["level"], line["account"]) == (number, "warning", house.facts["account_id"])
        assert (first["error"], again["error"]) == ("the receiver answered 500", "redirects are not followed")
        assert first["next_attempt"] < again["next_attempt"]
        assert tea.url.encode() not in log.getvalue()
        assert intent["client_secret"].encode() not in log.getvalue()

    play(tmp_path, story)


def test_an_attempt_that_never_left_is_one_too(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        tea.take = lambda request: NotSent("address_not_allowed")  # type: ignore[method-assign]
        log = lines(house)
        await house.open()
        await asyncio.sleep(1)
        (line,) = logged(log, "delivery_failed")
        assert line["error"] == "address_not_allowed"

    play(tmp_path, story)
