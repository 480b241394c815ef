"""A clock that was a day ahead once and is right again: requests signed with the right time are taken."""

import asyncio
from pathlib import Path

import pytest

from tests.journeys.test_delivery_schedule import CREATED, MINUTE, play
from tests.journeys.turned import Turned
from tests.stage.shopper import VISA

DAY_MS = 86_400_000


def put_right(house: Turned) -> None:
    """Inside it is a day later than outside: the clock was ahead, and time does not go back."""
    now_ms = house.world.now_ms
    house.world.wall_ms = now_ms  # type: ignore[method-assign]
    house.world.now_ms = lambda: now_ms() + DAY_MS  # type: ignore[method-assign]


@pytest.mark.parametrize("prunes", [False, True])
def test_signed_requests_are_taken_again(tmp_path: Path, prunes: bool) -> None:
    async def story(house: Turned) -> None:
        put_right(house)
        for number in range(20):
            await house.open(f"order-{number}")
            await asyncio.sleep(7)
        ping = await house.send("GET", "/v1/ping")
        assert ping.status_code == 200
        assert (await house.pay(await house.open("last"), VISA)).status_code == 200

    play(tmp_path, story, prunes=prunes)


def test_webhooks_bear_the_time_that_their_receivers_have(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        put_right(house)
        await house.open()
        await asyncio.sleep(MINUTE)
        (one,) = receiver.of(CREATED)
        assert abs(int(one.headers["webhook-timestamp"]) * 1000 - house.world.wall_ms()) <= 2 * 60_000

    play(tmp_path, story)
