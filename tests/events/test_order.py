"""One object's events at one endpoint: in order behind what still has time, and waiting for no other receiver."""

import asyncio
from pathlib import Path

from paydesk.assembly.operator import webhooks_add
from paydesk.world import Outgoing
from tests.journeys.test_delivery_schedule import CREATED, FAILED, MINUTE, SUCCEEDED, play
from tests.journeys.turned import Sent, Turned, TurnedReceiver
from tests.stage.shopper import DECLINED, VISA

SLOW_SECONDS = 14


async def wanting(house: Turned, name: str, events: list[str]) -> TurnedReceiver:
    receiver = TurnedReceiver(house.world, f"https://{name}.example/hooks")
    house.world.receivers[receiver.url] = receiver
    added = await webhooks_add(house.house, merchant=house.facts["account_id"], url=receiver.url, events=events)
    receiver.secret = added["secret"]
    return receiver


def slow_down(house: Turned, receiver: TurnedReceiver) -> None:
    """From now on this receiver answers late."""
    send = house.world.send

    async def sending(request: Outgoing) -> Sent:
        if request.url == receiver.url:
            await asyncio.sleep(SLOW_SECONDS)
        return await send(request)

    house.world.send = sending  # type: ignore[method-assign]


def test_an_event_waits_for_each_earlier_one_that_still_has_time(tmp_path: Path) -> None:
    """Not for the oldest alone, whose quarter of an hour is over."""

    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        receiver.answers = {CREATED: [500] * 20, FAILED: [500]}
        intent = await house.open()
        await asyncio.sleep(20 * MINUTE)
        assert (await house.pay(intent, DECLINED)).status_code == 402
        assert (await house.pay(intent, VISA)).status_code == 200
        await asyncio.sleep(MINUTE)
        assert receiver.taken == [FAILED, SUCCEEDED]

    play(tmp_path, story)


def test_an_endpoint_does_not_wait_for_what_goes_to_another_one_alone(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        slow = await wanting(house, "slow", ["*"])
        quick = await wanting(house, "quick", [SUCCEEDED])
        slow_down(house, slow)
        assert (await house.pay(await house.open(), VISA)).status_code == 200
        paid_ms = house.world.now_ms()
        await asyncio.sleep(3 * SLOW_SECONDS)
        assert quick.taken == [SUCCEEDED]
        assert quick.arrived[0].at_ms - paid_ms < 1000
        assert slow.taken == [CREATED, SUCCEEDED]

    play(tmp_path, story)


def test_behind_an_event_that_it_does_not_want_an_endpoint_still_gets_the_others_in_order(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        slow = await wanting(house, "slow", [CREATED, SUCCEEDED])
        await wanting(house, "quick", ["*"])
        slow_down(house, slow)
        intent = await house.open()
        assert (await house.pay(intent, DECLINED)).status_code == 402
        assert (await house.pay(intent, VISA)).status_code == 200
        await asyncio.sleep(3 * SLOW_SECONDS)
        first, second = slow.arrived
        assert (first.type, second.type) == (CREATED, SUCCEEDED)
        assert second.at_ms - first.at_ms >= SLOW_SECONDS * 1000

    play(tmp_path, story)
