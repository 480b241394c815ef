"""Notices about refunds: the PSP is asked, and what it says goes through the refunds' own door."""

import asyncio
from pathlib import Path
from typing import Any

from tests.journeys.telling import notice, tell
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.payments.refunds import (
    FAILS_LATER,
    WAITS,
    at_psp,
    balances,
    goes_wrong,
    judged,
    paid,
    read_refund,
    refund,
    refunded,
    row_of,
)


def named(house: Turned, refund_id: str) -> dict[str, Any]:
    (found,) = [one.refund for one in house.world.psp.books.refunds.all.values() if one.refund.reference == refund_id]
    return {"id": found.id, "reference": found.reference}


async def told(house: Turned, notice_id: str, about: dict[str, Any]) -> str:
    assert (await tell(house, notice_id, "refund", about)).status_code == 200
    await asyncio.sleep(0.5)
    return (await notice(house, notice_id)).status


def test_what_was_pending_is_known_as_soon_as_the_psp_says_so(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house, number=WAITS)
        made = await refunded(house, intent)
        assert made["status"] == "pending"
        house.world.psp.due(house.world.now_ms() + 365 * 86_400_000)
        assert at_psp(house) == ["succeeded"]
        assert await told(house, "ntc_1", named(house, made["id"])) == "applied"
        before = await read_refund(house, made)
        assert before["status"] == "succeeded"
        assert await told(house, "ntc_2", named(house, made["id"])) == "applied"
        assert await read_refund(house, made) == before
        await judged(house)

    play(tmp_path, story)


def test_a_refund_that_comes_back_days_later(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house, number=FAILS_LATER)
        made = await refunded(house, intent)
        assert made["status"] == "succeeded"
        house.world.psp.fail_refund(named(house, made["id"])["id"], house.world.now_ms())
        assert await told(house, "ntc_1", named(house, made["id"])) == "applied"
        assert ((await read_refund(house, made))["status"], at_psp(house)) == ("failed", ["failed"])
        assert (await house.read(intent))["amount_refunded"] == 0
        assert (await balances(house))["psp_clearing"] == 4200

    play(tmp_path, story)


def test_before_the_psps_own_answer(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "late", delay_ms=15_000)
        asking = asyncio.create_task(refund(house, intent))
        await asyncio.sleep(1)
        (at_the_psp,) = [one.refund for one in house.world.psp.books.refunds.all.values()]
        assert await told(house, "ntc_1", {"id": at_the_psp.id, "reference": at_the_psp.reference}) == "applied"
        answer = await asking
        assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
        assert house.world.monotonic() < 5
        await asyncio.sleep(60)
        assert (await row_of(house, answer.json())).status == "succeeded"
        await judged(house)

    play(tmp_path, story)


def test_of_no_refund_of_ours_it_is_parked(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        made = await refunded(house, intent, amount=100)
        assert await told(house, "ntc_1", {"id": "re_1", "reference": "refund-of-another-system"}) == "parked"
        assert await told(house, "ntc_2", {"id": "re_1", "reference": made["id"]}) == "parked"
        assert (await notice(house, "ntc_2")).reason == "The PSP shows another object under this reference."

    play(tmp_path, story)
