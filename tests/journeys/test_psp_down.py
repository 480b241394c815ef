"""A PSP that is down: confirms are refused before anything is recorded, and it comes back without a stampede."""

import asyncio
from pathlib import Path

from paydesk.psp.breaker import FAILURES
from paydesk_sandbox.psp.faults import Fault
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.stage.shopper import VISA


def test_while_it_is_down_nothing_is_recorded_and_nothing_sent(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        house.world.psp.order(Fault(fault="status", status=500, times=FAILURES))
        for number in range(FAILURES):
            intent = await house.open(f"order-{number}")
            assert (await house.pay(intent, VISA)).status_code == 202
        refused = await house.open("refused")
        answer = await house.pay(refused, VISA)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "psp_unavailable")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        seen = await house.read(refused)
        assert (seen["status"], seen["latest_attempt"], seen["version"]) == ("requires_payment_method", None, 1)
        assert all(entry.charge.reference != seen["id"] for entry in house.world.psp.books.entries.values())

        await asyncio.sleep(60)  # The look-ups of the others are answered meanwhile.
        assert (await house.pay(refused, VISA)).status_code == 200
        assert house.captured() == [4200]

    play(tmp_path, story)
