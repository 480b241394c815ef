"""Refunds over HTTP, on a turned clock: in parts, at once, pending, failing, and whatever a PSP does wrong."""

import asyncio
from pathlib import Path

import pytest

from paydesk_sandbox.psp.faults import Kind
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.payments.refunds import (
    FAILS_LATER,
    WAITS,
    WAITS_AND_FAILS,
    at_psp,
    balances,
    ended,
    goes_wrong,
    judged,
    paid,
    read_refund,
    refund,
    refunded,
    timeline,
)
from tests.stage.shopper import VISA

DAY = 86_400


def test_in_parts_until_nothing_is_left(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await paid(house)
        part = await refunded(house, intent, amount=1200, reason="duplicate", metadata={"ticket": "7"})
        assert (part["status"], part["amount"], part["amount_decimal"]) == ("succeeded", 1200, "12.00")
        assert (part["reason"], part["metadata"], part["failure_reason"]) == ("duplicate", {"ticket": "7"}, None)
        assert part == await read_refund(house, part)
        seen = await house.read(intent)
        assert (seen["status"], seen["amount_received"], seen["amount_refunded"]) == ("succeeded", 4200, 1200)

        too_much = await refund(house, intent, "refund-2", amount=3001)
        assert (too_much.status_code, too_much.json()["error"]["code"]) == (400, "amount_too_large")
        rest = await refunded(house, intent, "refund-3")
        assert (rest["status"], rest["amount"]) == ("succeeded", 3000)
        nothing = await refund(house, intent, "refund-4")
        assert (nothing.status_code, nothing.json()["error"]["code"]) == (409, "invalid_state")
        assert nothing.json()["payment_intent"]["amount_refunded"] == 4200

        await asyncio.sleep(5)
        told = [(one.type, one.event["data"]["object"]["status"]) for one in receiver.arrived if "refund" in one.type]
        assert told == [("refund.created", "pending"), ("refund.updated", "succeeded")] * 2
        assert (await timeline(house, intent))[-4:] == ["refund_begun", "refunded"] * 2
        assert await balances(house) == {}
        await judged(house)

    play(tmp_path, story)


def test_a_captured_part_with_every_fee(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        body = {"amount": 5000, "currency": "usd", "capture_method": "manual"}
        intent = (await house.send("POST", "/v1/payment_intents", json=body, headers={"Idempotency-Key": "o"})).json()
        assert (await house.pay(intent, VISA)).status_code == 200
        early = await refund(house, intent)
        assert (early.status_code, early.json()["error"]["code"]) == (409, "invalid_state")
        path = f"/v1/payment_intents/{intent['id']}/capture"
        taken = await house.send("POST", path, json={"amount_to_capture": 3000}, headers={"Idempotency-Key": "c"})
        assert (taken.status_code, taken.json()["status"]) == (200, "succeeded")
        assert await balances(house) == {"psp_clearing": 3000, "merchant_pending": -2970, "fees": -30}
        assert (await refund(house, intent, "too-much", amount=3001)).status_code == 400
        assert (await refunded(house, intent, amount=1000))["status"] == "succeeded"
        assert await balances(house) == {"psp_clearing": 2000, "merchant_pending": -1935, "fees": -65}
        await judged(house)

    play(tmp_path, story, terms={"fee": "1%", "refund_fee": "35"})


def test_several_at_once_never_exceed_what_was_taken(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house, amount=1000)
        answers = await asyncio.gather(*(refund(house, intent, f"at-once-{n}", amount=400) for n in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 400, 400, 400, 400]
        assert (await house.read(intent))["amount_refunded"] == 800
        await judged(house)

    play(tmp_path, story)


def test_one_key_is_one_refund(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        first, second = await asyncio.gather(*(refund(house, intent, amount=500) for _ in range(2)))
        third = await refund(house, intent, amount=500)
        assert first.content == second.content == third.content
        assert third.headers["idempotent-replayed"] == "true"
        assert (await refund(house, intent, amount=501)).status_code == 422
        assert (await house.read(intent))["amount_refunded"] == 500
        assert at_psp(house) == ["succeeded"]

    play(tmp_path, story)


def test_the_key_of_an_open_refund_is_kept_for_as_long_as_it_is_open(tmp_path: Path) -> None:
    """Else the same request, days later, would refund a second time."""

    async def story(house: Turned) -> None:
        intent = await paid(house)
        house.world.away = True
        made = await refund(house, intent, amount=500)
        assert (made.status_code, made.json()["status"]) == (202, "pending")
        await asyncio.sleep(3 * DAY)
        again = await refund(house, intent, amount=500)
        assert (again.status_code, again.json()["id"]) == (202, made.json()["id"])
        house.world.away = False
        assert (await ended(house, made.json()))["status"] == "succeeded"
        assert (await refund(house, intent, amount=500)).json()["id"] == made.json()["id"]
        assert len(at_psp(house)) == 1
        await judged(house)

    play(tmp_path, story, prunes=True)


def test_a_pending_refund_succeeds_later(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await paid(house, number=WAITS)
        answer = await refund(house, intent)
        assert (answer.status_code, answer.json()["status"]) == (200, "pending"), "the PSP has it: that is an answer"
        assert (await refund(house, intent)).content == answer.content
        held = await balances(house)
        assert (held["refunds"], held.get("merchant_pending", 0)) == (-4200, 0)
        assert (await ended(house, answer.json()))["status"] == "succeeded"
        await asyncio.sleep(5)
        assert [one for one in receiver.taken if "refund" in one] == ["refund.created", "refund.updated"]
        assert "refund_pending" in await timeline(house, intent)
        assert await balances(house) == {}
        await judged(house)

    play(tmp_path, story)


def test_a_pending_refund_fails_later_and_can_be_made_anew(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await paid(house, number=WAITS_AND_FAILS)
        before = await balances(house)
        made = await refunded(house, intent)
        assert (await refund(house, intent, "refund-2")).status_code == 409, "all of it is being refunded"
        seen = await ended(house, made)
        assert (seen["status"], seen["failure_reason"]) == ("failed", "account_closed")
        assert await balances(house) == before
        assert (await house.read(intent))["amount_refunded"] == 0
        await asyncio.sleep(5)
        assert [one for one in receiver.taken if "refund" in one] == ["refund.created", "refund.failed"]
        assert (await refund(house, intent, "refund-3", amount=1)).status_code == 200
        await judged(house)

    play(tmp_path, story)


def test_a_refund_that_succeeded_may_fail_days_later(tmp_path: Path) -> None:
    """No notice comes here: Paydesk looks again by itself."""

    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await paid(house, number=FAILS_LATER)
        assert (await refunded(house, intent, amount=4000))["status"] == "succeeded"
        assert (await house.read(intent))["amount_refunded"] == 4000
        await asyncio.sleep(DAY + 60)
        assert (await house.read(intent))["amount_refunded"] == 0
        assert [one for one in receiver.taken if "refund" in one] == [
            "refund.created",
            "refund.updated",
            "refund.failed",
        ]
        assert (await timeline(house, intent))[-2:] == ["refunded", "refund_failed"]
        assert await balances(house) == {"psp_clearing": 4200, "merchant_pending": -200, "merchant_available": -4000}
        await judged(house)

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        ("late", {"delay_ms": 25_000}),
        ("lands_late", {"delay_ms": 25_000}),
        ("lost_after", {}),
        ("lost_before", {}),
        ("status", {"status": 503}),
        ("status", {"status": 429}),
        ("status_after", {}),
        ("garbage", {}),
        ("wrong_amount", {}),
        ("reset", {}),
    ],
)
def test_every_fault_ends_in_one_refund(tmp_path: Path, fault: Kind, how: dict[str, int]) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, fault, **how)
        answer = await refund(house, intent, amount=700)
        assert (answer.status_code, answer.json()["status"]) == (202, "pending"), answer.text
        assert (await ended(house, answer.json()))["status"] == "succeeded"
        assert at_psp(house) == ["succeeded"]
        assert "refund_unknown" in await timeline(house, intent)
        assert (await house.read(intent))["amount_refunded"] == 700
        assert (await refund(house, intent, amount=700)).headers["idempotent-replayed"] == "true"
        await judged(house)

    play(tmp_path, story)


@pytest.mark.parametrize("forgets", [False, True])
def test_a_psp_that_drops_them_for_hours_and_forgets_keys_gets_it_once(tmp_path: Path, *, forgets: bool) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "lost_before", times=3)
        goes_wrong(house, "lost_after")
        goes_wrong(house, "status", on="lookups", status=500, times=12)
        made = await refunded(house, intent, amount=700)
        if forgets:
            house.world.psp.books.keys.forget()
        assert (await ended(house, made))["status"] == "succeeded"
        assert at_psp(house) == ["succeeded"]
        await judged(house)

    play(tmp_path, story)


def test_a_psp_that_says_no_is_asked_once_more_and_then_believed(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        before = await balances(house)
        goes_wrong(house, "status", status=400)
        answer = await refund(house, intent, amount=700)
        assert (answer.status_code, answer.json()["status"]) == (200, "failed")
        assert answer.json()["failure_reason"] == "refused"
        assert await balances(house) == before
        assert (await refund(house, intent, amount=700)).content == answer.content, "that was its outcome"
        assert (await refunded(house, intent, "refund-2"))["status"] == "succeeded"
        await judged(house)

    play(tmp_path, story)


def test_a_no_after_it_was_made_is_not_believed(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "status_after", status=409)
        assert (await refunded(house, intent, amount=700))["status"] == "succeeded"
        assert at_psp(house) == ["succeeded"]

    play(tmp_path, story)


def test_a_look_up_that_was_not_sent_says_nothing(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "lost_after")
        house.world.away = "GET"
        made = await refunded(house, intent, amount=700)
        house.world.psp.books.keys.forget()
        await asyncio.sleep(DAY)
        assert at_psp(house) == ["succeeded"]
        assert (await read_refund(house, made))["status"] == "pending"
        house.world.away = False
        assert (await ended(house, made))["status"] == "succeeded"
        await judged(house)

    play(tmp_path, story)


def test_a_psp_that_swallows_them_is_asked_less_and_less_often(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "lost_before", times=10_000)
        await refunded(house, intent, amount=700)
        sent = house.world.psp.faults.orders[0]
        await asyncio.sleep(3_600)
        assert 3 <= 10_000 - sent.left <= 6
        await asyncio.sleep(10 * 3_600)
        assert 10_000 - sent.left <= 18

    play(tmp_path, story)


def test_a_psp_that_is_away_gets_it_when_it_is_back_however_late(tmp_path: Path) -> None:
    """Nothing was ever sent, so no window began."""

    async def story(house: Turned) -> None:
        intent = await paid(house)
        house.world.away = True
        made = await refunded(house, intent, amount=700)
        await asyncio.sleep(2 * DAY)
        assert (await read_refund(house, made))["status"] == "pending"
        house.world.away = False
        await asyncio.sleep(3_700)
        assert (await read_refund(house, made))["status"] == "succeeded"
        await judged(house)

    play(tmp_path, story)


def test_past_half_the_window_it_is_only_asked_and_ends_as_not_sent(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "lost_before", times=10_000)
        made = await refunded(house, intent, amount=700)
        seen = await ended(house, made)
        assert (seen["status"], seen["failure_reason"]) == ("failed", "not_sent")
        sent = next(one for one in house.world.psp.faults.orders if one.fault.on == "refunds")
        left = sent.left
        await asyncio.sleep(2 * DAY)
        assert sent.left == left, "nothing more is sent"
        assert at_psp(house) == []
        assert await balances(house) == {"psp_clearing": 4200, "merchant_available": -4200}, "as before, and matured"
        house.world.psp.faults.clear()
        assert (await refunded(house, intent, "refund-2"))["status"] == "succeeded"
        await judged(house)

    play(tmp_path, story)


def test_a_refund_that_the_psp_made_is_never_sent_again(tmp_path: Path) -> None:
    """Its answer is lost, and so is every look-up for more than a day: longer than any key is remembered."""

    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "lost_after")
        goes_wrong(house, "status", on="lookups", status=500, times=33)
        made = await refunded(house, intent, amount=700)
        assert (await ended(house, made))["status"] == "succeeded"
        assert at_psp(house) == ["succeeded"]
        await judged(house)

    play(tmp_path, story)


def test_lists_are_paged_and_narrowed(tmp_path: Path) -> None:
    """The list itself reads in threads, so only what is refused before that is tried here."""

    async def story(house: Turned) -> None:
        answer = await house.send("GET", "/v1/refunds?intent=pi_1")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "parameter_unknown")
        assert (await house.send("GET", "/v1/refunds/re_1")).status_code == 404

    play(tmp_path, story)
