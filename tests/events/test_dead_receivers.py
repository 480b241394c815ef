"""A receiver that answers nobody costs its merchant's webhooks time, and nobody else anything."""

import asyncio
from pathlib import Path

import pytest

from paydesk.duties import places
from paydesk.events import deliver
from paydesk.world import NoAnswer, Outgoing
from tests.journeys import psp
from tests.journeys.test_delivery_schedule import CREATED, play
from tests.journeys.turned import Sent, Turned

DEAD_SECONDS = 15


class Dead:
    """Lets everything to one URL time out, and counts how many are there at once."""

    def __init__(self, house: Turned, url: str) -> None:
        self.there = self.most = self.tried = 0
        self._url = url
        self._send = house.world.send
        house.world.send = self.send  # type: ignore[method-assign]

    async def send(self, request: Outgoing) -> Sent:
        if request.url != self._url:
            return await self._send(request)
        self.tried += 1
        self.there += 1
        self.most = max(self.most, self.there)
        await asyncio.sleep(DEAD_SECONDS)
        self.there -= 1
        return NoAnswer("timeout")


def test_few_are_at_a_dead_receiver_and_the_others_wait_without_being_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "AT_ENDPOINT_MAX", 2)

    async def story(house: Turned) -> None:
        alive, gone = await house.receiver("alive"), await house.receiver("gone")
        dead = Dead(house, gone.url)
        for number in range(6):
            await house.open(f"order-{number}")
        await asyncio.sleep(1)
        assert (dead.there, dead.tried, len(alive.of(CREATED))) == (2, 2, 6)
        await asyncio.sleep(2 * DEAD_SECONDS)
        assert (dead.most, dead.tried >= 6) == (2, True)
        durations = await house.house.reader.number('SELECT max("duration_ms") FROM "deliveries"', ())
        assert durations == DEAD_SECONDS * 1000, "the wait for a place is no part of an attempt"
        await asyncio.sleep(120)
        assert house.house.turns.known <= 3

    play(tmp_path, story)


def test_a_dead_receiver_delays_no_look_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "RUNNING_MAX", 3)
    monkeypatch.setattr(deliver, "AT_ENDPOINT_MAX", 1)

    async def story(house: Turned) -> None:
        gone = await house.receiver("gone")
        dead = Dead(house, gone.url)
        for number in range(10):
            await house.open(f"order-{number}")
        intent = await house.open("unknown")
        assert (await house.pay(intent, psp.LOST_AFTER)).status_code == 202
        await asyncio.sleep(5)
        assert (await house.read(intent))["status"] == "succeeded", "asked again after two seconds"
        assert dead.most == 1

    play(tmp_path, story)
