"""As many webhook endpoints as an account may have, also when they are asked for at once, and by whomever."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from paydesk.assembly.operator import webhooks_add
from paydesk.errors import Refusal
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned


async def add(house: Turned, number: int) -> int:
    body = {"url": f"https://shop{number}.example/hooks"}
    return (await house.send("POST", "/v1/webhook_endpoints", json=body)).status_code


def test_of_many_at_once_no_more_are_made_than_may_be(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        house.house.config = replace(house.house.config, endpoints_max=3)
        answers = await asyncio.gather(*(add(house, number) for number in range(10)))
        assert sorted(answers) == [200] * 3 + [409] * 7
        listed = (await house.send("GET", "/v1/webhook_endpoints")).json()["data"]
        assert len(listed) == 3

        with pytest.raises(Refusal) as refused:
            await webhooks_add(
                house.house, merchant=house.facts["account_id"], url="https://operator.example", events=["*"]
            )
        assert refused.value.code == "limit_reached"

        assert (await house.send("DELETE", f"/v1/webhook_endpoints/{listed[0]['id']}")).status_code == 200
        assert [await add(house, number) for number in (20, 21)] == [200, 409]

    play(tmp_path, story)
