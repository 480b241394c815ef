"""One merchant whose PSP hangs has half of the questions that may be under way, and the others keep the rest."""

import asyncio
from pathlib import Path

import httpx
from msgspec.structs import replace

from paydesk.assembly.operator import merchants_create
from paydesk_sandbox.psp.faults import Fault
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import PSP, Turned
from tests.stage.shopper import VISA
from tests.stage.stage import SHOP


def test_an_account_has_its_share_of_the_questions(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        house.house.config = replace(house.house.config, asking_max=4)
        house.world.psp.order(Fault(fault="late", delay_ms=10_000, times=2))
        intents = [await house.open(f"order-{number}") for number in range(3)]
        paying: list[asyncio.Task[httpx.Response]] = []
        for intent in intents[:2]:
            paying.append(asyncio.create_task(house.pay(intent, VISA)))
            await asyncio.sleep(1)
        refused = await house.pay(intents[2], VISA)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        assert (await house.read(intents[2]))["latest_attempt"] is None

        house.facts = await merchants_create(
            house.house, name="Other", origins=[SHOP], psp_url=PSP, psp_key="psp-key-of-other", fee="0"
        )
        assert (await house.pay(await house.open("theirs"), VISA)).status_code == 200
        assert [(await one).status_code for one in paying] == [200, 200]

    play(tmp_path, story)
