"""What takes minutes and days: look-ups of an unknown outcome, kept answers, nonces that are swept away."""

import asyncio
import json
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from paydesk.telemetry import Log
from paydesk.world import Outgoing
from paydesk_client import PaydeskAuth
from paydesk_sandbox.psp.faults import Fault
from tests.journeys.test_delivery_schedule import HOUR, MINUTE, play
from tests.journeys.turned import PSP, Sent, Turned
from tests.stage.shopper import VISA

LOOK_UPS_SECONDS = [2, 5, 15, 8, 300, 900, 3_600]
"""The fourth comes when "not found" begins to count: 30 s after the question was given up."""


def test_a_psp_that_says_nothing_for_hours_is_asked_more_and_more_rarely(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        intent = await house.open()
        house.world.psp.order(Fault(fault="garbage", on="any", times=7))
        asked = note_look_ups(house)
        answer = await house.pay(intent, VISA)
        assert (answer.status_code, answer.json()["outcome"]) == (202, "unknown")
        answered = house.world.monotonic()

        await asyncio.sleep(HOUR)
        seen = await house.read(intent)
        assert (seen["status"], seen["outcome"], seen["event_sequence"]) == ("processing", "unknown", 2)

        await asyncio.sleep(HOUR)
        seen = await house.read(intent)
        assert (seen["status"], seen["amount_received"]) == ("succeeded", 4200)
        waits = [later - earlier for earlier, later in pairwise([answered, *asked])]
        assert [round(wait) for wait in waits] == LOOK_UPS_SECONDS
        assert tea.taken == ["payment_intent.created", "payment_intent.processing", "payment_intent.succeeded"]
        assert house.captured() == [4200]

    play(tmp_path, story)


def test_each_question_without_an_answer_is_a_line_in_the_log(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        house.world.psp.order(Fault(fault="garbage", on="any", times=3))
        log = BytesIO()
        house.house.log = Log("warning", log)
        await house.pay(intent, VISA)
        await asyncio.sleep(HOUR)
        attempt = (await house.read(intent))["latest_attempt"]
        lines = [json.loads(text) for text in log.getvalue().splitlines()]
        assert [(line["event"], line["level"], line["duty"], line["tries"]) for line in lines] == [
            ("outcome_unknown", "warning", f"ask_psp:{attempt}", tries) for tries in range(3)
        ]
        assert lines[0]["reason"] == "the PSP's answer can't be read"
        assert {(line["account"], line["psp"]) for line in lines} == {(house.facts["account_id"], "sandbox")}

    play(tmp_path, story)


def note_look_ups(house: Turned) -> list[float]:
    asked: list[float] = []
    send = house.world.send

    async def noting(request: Outgoing) -> Sent:
        if request.url.startswith(PSP) and request.method == "GET":
            asked.append(house.world.monotonic())
        return await send(request)

    house.world.send = noting  # type: ignore[method-assign]
    return asked


def test_a_question_that_lands_late_is_found(tmp_path: Path) -> None:
    """Given up after 20 s, it lands 25 s later: no look-up before may have called it off."""

    async def story(house: Turned) -> None:
        intent = await house.open()
        house.world.psp.order(Fault(fault="lands_late", delay_ms=45_000))
        assert (await house.pay(intent, VISA)).status_code == 202
        await asyncio.sleep(24)
        assert ((await house.read(intent))["status"], house.captured()) == ("processing", [])
        await asyncio.sleep(10)
        assert ((await house.read(intent))["status"], house.captured()) == ("succeeded", [4200])

    play(tmp_path, story)


def test_not_found_counts_when_nothing_can_land_any_more(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        house.world.psp.order(Fault(fault="lost_before"))
        assert (await house.pay(intent, VISA)).status_code == 202
        await asyncio.sleep(28)
        assert (await house.read(intent))["status"] == "processing"
        await asyncio.sleep(4)
        seen = await house.read(intent)
        assert (seen["status"], seen["last_payment_error"]["code"]) == ("requires_payment_method", "psp_unavailable")
        assert (await house.pay(intent, VISA)).status_code == 200
        assert house.captured() == [4200]

    play(tmp_path, story)


def test_a_kept_answer_is_kept_for_a_day_and_until_the_intent_is_done(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        paid, unpaid = await house.open("paid"), await house.open("unpaid")
        assert (await house.pay(paid, VISA)).status_code == 200
        await asyncio.sleep(23 * HOUR)
        assert (await house.open("paid"))["id"] == paid["id"]
        await asyncio.sleep(2 * HOUR)
        assert (await house.open("unpaid"))["id"] == unpaid["id"]
        assert (await house.open("paid"))["id"] != paid["id"]
        await asyncio.sleep(48 * HOUR)
        assert (await house.open("unpaid"))["id"] == unpaid["id"]

    play(tmp_path, story, prunes=True, intent_expires_seconds=10 * 86_400)


def test_nonces_that_were_swept_away_open_no_replay(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        began = house.world.now_ms() / 1000
        then = PaydeskAuth(house.facts["key_id"], house.facts["secret"], clock=lambda: began, nonce=lambda: "n" * 16)
        assert (await create(house, then, "order-1")).status_code == 200
        assert error_code(await create(house, then, "order-1")) == (401, "nonce_reused")
        await asyncio.sleep(15 * MINUTE)
        assert error_code(await create(house, then, "order-1")) == (401, "timestamp_out_of_range")
        await house.open("order-2")

        house.world.now_ms = lambda: round(began * 1000) + 1000  # type: ignore[method-assign] (a clock set back)
        answer = await create(house, then, "order-3")
        assert error_code(answer) == (503, "storage_unavailable")
        assert int(answer.headers["retry-after"]) > 0

    play(tmp_path, story, prunes=True)


async def create(house: Turned, auth: PaydeskAuth, key: str) -> httpx.Response:
    async with house.http(auth=auth) as client:
        body = {"amount": 100, "currency": "usd"}
        return await client.post("/v1/payment_intents", json=body, headers={"Idempotency-Key": key})


def error_code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(("hours", "code"), [(23, 200), (49, 409)])
def test_a_card_key_is_good_for_a_day_after_it_was_replaced(tmp_path: Path, hours: int, code: int) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        jwk = await house.card_key()
        await asyncio.sleep(hours * HOUR)
        answer = await house.pay(intent, VISA, jwk=jwk)
        assert answer.status_code == code
        if code == 409:
            assert error_code(answer) == (409, "card_key_expired")

    play(tmp_path, story)
