"""From capture to available: days of UTC, on a clock that is turned."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from paydesk.assembly.operator import merchants_create
from paydesk.ledger import LedgerTransaction, Maturity
from paydesk.payments.maturity import duty_id
from paydesk.payments.rows import Intent
from paydesk.store import Duty
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import PSP, START_MS, Turned
from tests.stage.shopper import VISA
from tests.stage.stage import SHOP

HOUR = 3_600.0
CAPTURED, THEN = "2027-01-15", "2027-01-17"  # The turned clock begins on the 15th at 8 o'clock.


async def balance(house: Turned) -> dict[str, Any]:
    """The three sums in USD, 0 where there is none."""
    shown = (await house.send("GET", "/v1/balance")).json()
    return {name: sum(one["amount"] for one in shown[name]) for name in ("available", "pending", "reserved")}


async def pay(house: Turned, key: str, amount: int) -> Intent:
    intent = await house.open(key, amount)
    assert (await house.pay(intent, VISA)).status_code == 200
    row = await house.house.reader.get(Intent, house.facts["account_id"], intent["id"])
    assert row
    return row


def test_what_was_captured_is_available_two_days_later_all_at_once(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        account = house.facts["account_id"]
        assert (await pay(house, "first", 4200)).matures_on == THEN
        await asyncio.sleep(10 * HOUR)
        assert (await pay(house, "second", 1000)).matures_on == THEN
        await asyncio.sleep(20 * HOUR)
        assert (await pay(house, "next-day", 300)).matures_on == "2027-01-18"
        assert await balance(house) == {"available": 0, "pending": 5500 - 3 * 25, "reserved": 0}
        await asyncio.sleep(9.9 * HOUR)  # 23:54 of the day before.
        assert (await balance(house))["available"] == 0
        await asyncio.sleep(0.2 * HOUR)
        assert await balance(house) == {"available": 5150, "pending": 275, "reserved": 0}
        posted = await house.house.reader.get(LedgerTransaction, account, "", f"usd/{THEN}", "maturity")
        assert posted
        assert posted.created_ms - START_MS < 40.1 * HOUR * 1000
        day = await house.house.reader.get(Maturity, account, "usd", THEN)
        assert day
        assert (day.amount_minor, day.matured_ms) == (0, posted.created_ms)
        assert await house.house.reader.get(Duty, account, duty_id(account, "usd", THEN)) is None

    play(tmp_path, story, terms={"fee": "25"})


def test_without_a_delay_it_is_available_at_once(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        assert (await pay(house, "first", 4200)).matures_on == CAPTURED
        assert await balance(house) == {"available": 4200, "pending": 0, "reserved": 0}

    play(tmp_path, story, terms={"settlement_delay_days": 0})


@pytest.mark.parametrize("days", [1, 30])
def test_as_many_days_as_the_merchant_was_made_with(tmp_path: Path, days: int) -> None:
    async def story(house: Turned) -> None:
        await pay(house, "first", 4200)
        await asyncio.sleep((days - 1) * 24 * HOUR + 15.9 * HOUR)
        assert await balance(house) == {"available": 0, "pending": 4200, "reserved": 0}
        await asyncio.sleep(0.2 * HOUR)
        assert await balance(house) == {"available": 4200, "pending": 0, "reserved": 0}

    play(tmp_path, story, terms={"settlement_delay_days": days})


def test_every_account_has_its_midnight(tmp_path: Path) -> None:
    """At the same moment, so their duties must not be taken for each other."""

    async def story(house: Turned) -> None:
        merchants = [house.facts]
        for name in ("Coffee House", "Juice Bar"):
            merchants.append(
                await merchants_create(
                    house.house, name=name, origins=[SHOP], psp_url=PSP, psp_key=f"psp-key-of-{name}", fee="0"
                )
            )
        for house.facts in merchants:
            await pay(house, "order-1", 4200)
        await asyncio.sleep(40.01 * HOUR)
        for house.facts in merchants:
            assert await balance(house) == {"available": 4200, "pending": 0, "reserved": 0}

    play(tmp_path, story)
