"""Payments whose outcome is unknown: the list for people, and the age of the oldest for alarms."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from paydesk.store import StorageFault
from paydesk.web.admin import ROUTES
from paydesk.web.door import Door
from paydesk_sandbox.psp.faults import Fault
from tests.journeys.test_admin import Figures, figures
from tests.journeys.test_commands import paydesk, shown
from tests.journeys.test_dead_letters import poison, unknown
from tests.journeys.test_delivery_schedule import HOUR, MINUTE, play
from tests.journeys.turned import PAYDESK, Turned
from tests.stage.shopper import VISA

OLDEST = "paydesk_oldest_unknown_outcome_seconds"


async def scraped(house: Turned) -> Figures:
    admin = httpx.ASGITransport(Door(house.house, ROUTES))
    async with httpx.AsyncClient(transport=admin, base_url=PAYDESK, timeout=None) as client:
        return figures((await client.get("/metrics")).text)


async def listed(house: Turned) -> list[dict[str, Any]]:
    return (await house.operate("outcomes"))["done"]["outcomes"]


def test_an_unknown_outcome_is_listed_and_grows_old_until_it_is_known(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        assert (await scraped(house))[OLDEST] == 0
        house.world.psp.order(Fault(fault="garbage", on="any", times=1_000))
        began = house.world.monotonic()
        first = await house.open("order-1", 1999)
        await house.pay(first, VISA)
        await asyncio.sleep(10 * MINUTE)
        second = await house.open("order-2")
        await house.pay(second, VISA)
        await asyncio.sleep(HOUR)
        oldest, younger = await listed(house)
        seen = await house.read(first)
        assert (oldest["intent"], younger["intent"]) == (first["id"], second["id"])
        assert (oldest["account"], oldest["attempt"]) == (house.facts["account_id"], seen["latest_attempt"])
        assert (oldest["amount"], oldest["amount_decimal"], oldest["currency"]) == (1999, "19.99", "usd")
        assert (oldest["psp"], oldest["next_check"]) == ("sandbox", seen["next_check_at"])
        assert oldest["tries"] >= younger["tries"] >= 6
        assert oldest["since"] < younger["since"]
        age = (await scraped(house))[OLDEST]
        assert 0 <= (house.world.monotonic() - began) - age < 1

        house.world.psp.faults.clear()
        await asyncio.sleep(2 * HOUR)
        assert await listed(house) == []
        assert (await scraped(house))[OLDEST] == 0
        assert sorted(house.captured()) == [1999, 4200]

    play(tmp_path, story)


def test_a_question_that_was_parked_stays_in_the_list(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        began = house.world.monotonic()
        intent, attempt = await unknown(house, "order-1")
        mend = poison(house, attempt)
        await asyncio.sleep(10 * MINUTE)
        (parked,) = await listed(house)
        assert (parked["intent"], parked["next_check"]) == (intent["id"], None)
        now = await scraped(house)
        assert now['paydesk_dead_duties{kind="ask_psp"}'] == 1
        assert now['paydesk_duties_parked_total{kind="ask_psp"}'] == 1
        assert now['paydesk_duties_failed_total{failure="final",kind="ask_psp"}'] == 5
        assert 0 <= (house.world.monotonic() - began) - now[OLDEST] < 1

        # Retried in vain it is as old as it was.
        house.world.psp.order(Fault(fault="garbage", on="any"))
        mend()
        await house.operate("dead retry", duty_id=f"ask_psp:{attempt}", kind=None)
        await asyncio.sleep(0.5)
        (asked,) = await listed(house)
        assert asked["since"] == parked["since"]
        assert asked["next_check"] is not None
        await asyncio.sleep(HOUR)
        assert await listed(house) == []
        assert house.faults() == ["duty_failed"] * 5 + ["duty_parked"]

    play(tmp_path, story)


def test_a_shopper_who_is_wanted_at_the_bank_is_no_unknown_outcome(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        await house.pay(intent, "4000000000003220")
        assert (await house.read(intent))["status"] == "requires_action"
        await asyncio.sleep(5)
        assert await listed(house) == []
        assert (await scraped(house))[OLDEST] == 0

    play(tmp_path, story)


def test_a_database_that_can_not_be_read_takes_only_its_own_figures_away(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        async def unreadable(statement: str, parameters: Any) -> list[str]:
            raise StorageFault("disk I/O error")

        house.house.reader.texts = unreadable  # type: ignore[method-assign]
        now = await scraped(house)
        assert now["paydesk_commands_waiting"] == 0
        assert OLDEST not in now

    play(tmp_path, story)


def test_the_command_lists_what_is_unknown(tmp_path: Path) -> None:
    shown(
        "merchants",
        "create",
        "Tea House",
        "--origin",
        "https://tea.example",
        "--psp-url",
        "http://127.0.0.1:9",
        data=tmp_path / "data",
    )
    assert shown("outcomes", data=tmp_path / "data") == []
    assert "--json" in paydesk("outcomes", "--help").stdout
