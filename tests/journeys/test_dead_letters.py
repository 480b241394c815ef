"""Dead letters: poison is parked with its reason while the rest goes on; a retry after the bug is mended does it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paydesk.events import deliver, dispatch
from paydesk.events.endpoints import of_account
from paydesk.psp.base import Question, Verdict
from paydesk_sandbox.psp.faults import Fault
from tests.journeys.test_delivery_schedule import CREATED, FAILED, HOUR, MINUTE, SUCCEEDED, delivery_of, play
from tests.journeys.turned import Turned
from tests.stage.shopper import DECLINED, VISA

PROCESSING = "payment_intent.processing"


def poison(house: Turned, *attempts: str) -> Callable[[], None]:
    """A bug in the adapter: it can't read what the PSP has of these attempts. Mended by what is returned."""
    psp: Any = house.house.psps["sandbox"]

    async def look_up(question: Question) -> Verdict:
        if question.reference in attempts:
            raise ValueError(f"no such card: {VISA}")
        return await type(psp).look_up(psp, question)

    psp.look_up = look_up
    return lambda: delattr(psp, "look_up")


async def unknown(house: Turned, key: str) -> tuple[dict[str, Any], str]:
    """An intent whose PSP charged and never answered, and its attempt."""
    intent = await house.open(key)
    house.world.psp.order(Fault(fault="garbage"))
    answer = await house.pay(intent, VISA)
    assert (answer.status_code, answer.json()["outcome"]) == (202, "unknown")
    return intent, (await house.read(intent))["latest_attempt"]


async def dead(house: Turned, **by: Any) -> list[dict[str, Any]]:
    answer = await house.operate("dead list", **{"kind": None, "account": None, "limit": 100} | by)
    return answer["done"]["dead"]


async def retry(house: Turned, duty_id: str | None = None, kind: str | None = None) -> int:
    return (await house.operate("dead retry", duty_id=duty_id, kind=kind))["done"]["retried"]


async def drop(house: Turned, duty_id: str, reason: str = "settled by hand") -> dict[str, Any]:
    return await house.operate("dead drop", duty_id=duty_id, reason=reason)


def test_a_question_that_meets_a_bug_is_parked_and_retried_when_the_bug_is_mended(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        (bad, attempt), (good, _) = await unknown(house, "order-1"), await unknown(house, "order-2")
        mend = poison(house, attempt)
        await asyncio.sleep(5 * MINUTE)
        assert (await house.read(good))["status"] == "succeeded"
        seen = await house.read(bad)
        assert (seen["status"], seen["outcome"], seen["next_check_at"]) == ("processing", "unknown", None)
        (listed,) = await dead(house)
        assert listed["id"] == f"ask_psp:{attempt}"
        assert (listed["kind"], listed["account"]) == ("ask_psp", house.facts["account_id"])
        assert listed["reason"] == "ValueError: no such card: [digits]"
        assert (await house.operate("dead show", duty_id=listed["id"]))["done"] == listed
        assert house.faults() == ["duty_failed"] * 5 + ["duty_parked"]

        # Dropped, nobody would ever learn what became of the money.
        assert (await drop(house, listed["id"]))["error"]["code"] == "invalid_state"

        mend()
        assert await retry(house, listed["id"]) == 1
        await asyncio.sleep(1)
        seen = await house.read(bad)
        assert (seen["status"], seen["amount_received"]) == ("succeeded", 4200)
        assert await dead(house) == []
        assert house.captured() == [4200, 4200]
        assert sorted(tea.taken) == sorted([CREATED, PROCESSING, SUCCEEDED] * 2)
        assert (await house.operate("dead retry", duty_id=listed["id"], kind=None))["error"]["code"] == (
            "resource_missing"
        )

    play(tmp_path, story)


def test_a_bug_in_the_first_question_leaves_the_payment_open_and_says_so(tmp_path: Path) -> None:
    """The card is gone with the first try: what follows only asks."""

    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        intent = await house.open()
        psp: Any = house.house.psps["sandbox"]

        async def authorise(question: Question, card: Any) -> Verdict:
            await type(psp).authorise(psp, question, card)
            mend.append(poison(house, question.reference))
            raise KeyError("status")

        mend: list[Callable[[], None]] = []
        psp.authorise = authorise
        assert (await house.pay(intent, VISA)).status_code == 202
        await asyncio.sleep(5 * MINUTE)
        seen = await house.read(intent)
        assert (seen["status"], seen["outcome"], seen["next_check_at"]) == ("processing", "unknown", None)
        assert seen["payment_method_details"]["card"]["last4"] == "4242"
        assert tea.taken == [CREATED, PROCESSING]
        assert (await house.pay(intent, VISA)).json()["error"]["code"] == "operation_in_progress"
        del psp.authorise
        mend[0]()
        assert await retry(house, kind="ask_psp") == 1
        await asyncio.sleep(1)
        assert house.captured() == [4200]
        assert tea.taken == [CREATED, PROCESSING, SUCCEEDED]
        assert house.faults() == ["duty_failed"] * 5 + ["duty_parked"]

    play(tmp_path, story)


def test_a_capture_that_meets_a_bug_is_parked_and_keeps_the_payment_to_itself(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open(capture_method="manual")
        assert (await house.pay(intent, VISA)).json()["status"] == "requires_capture"
        psp: Any = house.house.psps["sandbox"]

        async def capture(*arguments: Any) -> Verdict:
            await type(psp).capture(psp, *arguments)
            raise ValueError("amount_captured")

        psp.capture = capture
        path = f"/v1/payment_intents/{intent['id']}"
        asked = await house.send("POST", f"{path}/capture", json={}, headers={"Idempotency-Key": "capture-1"})
        assert asked.status_code in (202, 409)
        await asyncio.sleep(5 * MINUTE)
        (listed,) = await dead(house)
        assert (listed["kind"], listed["reason"]) == ("errand", "ValueError: amount_captured")
        seen = await house.read(intent)
        assert (seen["status"], seen["outcome"], seen["next_check_at"]) == ("requires_capture", "unknown", None)
        (unknown,) = (await house.operate("outcomes"))["done"]["outcomes"]
        assert (unknown["operation"], unknown["amount"], unknown["next_check"]) == ("capture", 4200, None)
        refused = await house.send("POST", f"{path}/cancel", json={}, headers={"Idempotency-Key": "cancel-1"})
        assert refused.json()["error"]["code"] == "operation_in_progress"
        assert (await drop(house, listed["id"]))["error"]["code"] == "invalid_state"

        del psp.capture
        assert await retry(house, kind="errand") == 1
        await asyncio.sleep(1)
        seen = await house.read(intent)
        assert (seen["status"], seen["amount_received"]) == ("succeeded", 4200)
        assert house.captured() == [4200]
        assert (await dead(house), (await house.operate("outcomes"))["done"]["outcomes"]) == ([], [])
        assert house.faults() == ["duty_failed"] * 5 + ["duty_parked"]

    play(tmp_path, story)


def test_a_refund_that_meets_a_bug_is_parked_and_given_once(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        await house.pay(intent, VISA)
        psp: Any = house.house.psps["sandbox"]

        async def refund(question: Any) -> Any:
            await type(psp).refund(psp, question)
            raise ValueError("amount")

        async def look_up_refund(question: Any) -> Any:
            raise ValueError("amount")

        psp.refund, psp.look_up_refund = refund, look_up_refund
        body = {"payment_intent": intent["id"], "amount": 1000}
        await house.send("POST", "/v1/refunds", json=body, headers={"Idempotency-Key": "refund-1"})
        await asyncio.sleep(5 * MINUTE)
        (listed,) = await dead(house, kind="refund")
        (unknown,) = (await house.operate("outcomes"))["done"]["outcomes"]
        assert (unknown["operation"], unknown["amount"], unknown["attempt"]) == ("refund", 1000, None)
        assert (unknown["intent"], unknown["next_check"]) == (intent["id"], None)
        assert (await drop(house, listed["id"]))["error"]["code"] == "invalid_state"

        del psp.refund, psp.look_up_refund
        assert await retry(house, listed["id"]) == 1
        await asyncio.sleep(1)
        assert (await house.read(intent))["amount_refunded"] == 1000
        assert [entry.charge.amount_refunded for entry in house.world.psp.books.entries.values()] == [1000]
        assert (await dead(house), (await house.operate("outcomes"))["done"]["outcomes"]) == ([], [])
        assert house.faults() == ["duty_failed"] * 5 + ["duty_parked"]

    play(tmp_path, story)


def test_a_refund_that_the_psp_says_nothing_about_is_listed_until_it_does(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        await house.pay(intent, VISA)
        house.world.psp.order(Fault(fault="garbage", on="any", times=6))
        body = {"payment_intent": intent["id"], "amount": 1000}
        await house.send("POST", "/v1/refunds", json=body, headers={"Idempotency-Key": "refund-1"})
        await asyncio.sleep(MINUTE)
        (unknown,) = (await house.operate("outcomes"))["done"]["outcomes"]
        assert unknown["operation"] == "refund"
        assert unknown["tries"] >= 3
        await asyncio.sleep(HOUR)
        assert (await house.operate("outcomes"))["done"]["outcomes"] == []
        assert (await house.read(intent))["amount_refunded"] == 1000

    play(tmp_path, story)


def test_what_is_settled_otherwise_may_be_dropped(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        await house.receiver("tea")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dispatch, "attempt", broken)
            await house.open()
            await asyncio.sleep(5 * MINUTE)
        (listed,) = await dead(house, kind="dispatch")
        assert (await drop(house, listed["id"], "  "))["error"]["param"] == "reason"
        assert (await drop(house, listed["id"]))["done"] == {"dropped": listed["id"], "reason": "settled by hand"}
        assert (await drop(house, listed["id"]))["error"]["code"] == "resource_missing"
        assert await dead(house) == []
        await asyncio.sleep(HOUR)
        assert house.faults() == ["duty_failed"] * 5 + ["duty_parked"]

    play(tmp_path, story)


async def broken(*arguments: Any) -> Any:
    raise ZeroDivisionError


def test_an_event_that_can_not_be_dispatched_lets_the_later_ones_go(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea, other = await house.receiver("tea"), await house.receiver("other")
        attempt, mended = dispatch.attempt, False

        async def bug(desk: Any, duty: Any, event: Any, endpoint: Any, before: Any) -> Any:
            if event.type == CREATED and not mended and endpoint.url == other.url:
                raise ZeroDivisionError
            return await attempt(desk, duty, event, endpoint, before)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dispatch, "attempt", bug)
            intent = await house.open()
            await house.pay(intent, VISA)
            await asyncio.sleep(5 * MINUTE)
            assert (tea.taken, other.taken) == ([CREATED, SUCCEEDED], [SUCCEEDED])
            (listed,) = await dead(house)
            mended = True
            await retry(house, listed["id"])
            await asyncio.sleep(1)
        house.world.failed.clear()  # The attempts of one dispatch are tasks of their own.
        # Who has had it does not get it again.
        assert (tea.taken, other.taken) == ([CREATED, SUCCEEDED], [SUCCEEDED, CREATED])
        assert house.faults() == ["duty_failed"] * 5 + ["duty_parked"]

    play(tmp_path, story)


def test_a_webhook_given_up_is_listed_and_a_retry_begins_its_schedule_anew(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        tea.answers[CREATED] = [503] * 12
        await house.open()
        await asyncio.sleep(120 * HOUR)
        event = tea.arrived[0].event["id"]
        (listed,) = await dead(house)
        assert (listed["kind"], listed["subject"], listed["tries"]) == ("deliver", event, 11)
        assert listed["reason"] == "the receiver answered 503"

        began_ms = house.world.now_ms()
        assert await retry(house, listed["id"]) == 1
        await asyncio.sleep(1)
        assert await dead(house) == []
        delivery = await delivery_of(house, event)
        attempts = tea.of(CREATED)
        assert (delivery.status, delivery.attempts, len(attempts)) == ("pending", 1, 12)
        assert attempts[-1].at_ms - began_ms < 100
        await asyncio.sleep(MINUTE)
        assert [one.answered for one in tea.of(CREATED)] == [503] * 12 + [200]
        assert (await delivery_of(house, event)).status == "succeeded"

    play(tmp_path, story)


def test_a_webhook_that_is_given_up_twice_is_listed_once(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        tea.answers[CREATED] = [503] * 100
        await house.open()
        for attempts in (11, 22):
            await asyncio.sleep(96 * HOUR)  # A person's retry begins the five days anew in which it may take nothing.
            assert len(tea.of(CREATED)) == attempts
            (listed,) = await dead(house)
            await retry(house, listed["id"])

    play(tmp_path, story)


def test_what_waited_for_a_disabled_endpoint_is_listed_and_for_a_deleted_one_is_not(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        gone, deleted = await house.receiver("gone"), await house.receiver("deleted")
        gone.answers[CREATED], deleted.answers[CREATED] = [410], [500]
        await house.open()
        await asyncio.sleep(1)
        endpoints = await of_account(house.house.reader, house.facts["account_id"])
        (endpoint,) = [one.id for one in endpoints if one.url == deleted.url]
        await house.send("DELETE", f"/v1/webhook_endpoints/{endpoint}")
        await asyncio.sleep(MINUTE)
        (listed,) = await dead(house)
        assert listed["reason"] == "the receiver answered 410"
        # As long as the endpoint is disabled a retry says so, and sends nothing.
        await retry(house, kind="deliver")
        await asyncio.sleep(1)
        (listed,) = await dead(house)
        assert listed["reason"] == "the endpoint is gone or disabled"
        assert len(gone.arrived) == 1

    play(tmp_path, story)


def test_a_delivery_that_meets_a_bug_holds_nothing_back(tmp_path: Path) -> None:
    """Also where the endpoint wants strict order: what is parked is not under way."""

    async def story(house: Turned) -> None:
        tea = await house.receiver("tea", ordering="strict")
        tea.answers[CREATED] = [500]
        send = deliver._send

        async def bug(desk: Any, event: Any, endpoint: Any, now_ms: int) -> Any:
            if event.type == CREATED:
                raise ZeroDivisionError
            return await send(desk, event, endpoint, now_ms)

        intent = await house.open()
        await asyncio.sleep(1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(deliver, "_send", bug)
            await house.pay(intent, DECLINED)
            await asyncio.sleep(10 * MINUTE)
            assert tea.taken == [FAILED]
            (listed,) = await dead(house)
            assert listed["reason"] == "ZeroDivisionError"
        await retry(house, listed["id"])
        await asyncio.sleep(1)
        assert tea.taken == [FAILED, CREATED]
        assert await dead(house) == []
        assert house.faults() == ["duty_failed"] * 5 + ["duty_parked"]

    play(tmp_path, story)


def test_all_of_a_kind_are_retried_once_each_however_many_there_are(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        tea.answers[CREATED] = [410]
        for number in range(70):
            await house.open(f"order-{number}")
        await asyncio.sleep(MINUTE)
        count = len(await dead(house))
        assert count == len(tea.arrived)  # The others were opened after the endpoint was disabled, or so nearly.
        assert await retry(house, kind="deliver") == count
        await asyncio.sleep(MINUTE)
        assert len(await dead(house)) == count
        assert await dead(house, kind="ask_psp") == []
        assert len(await dead(house, account=house.facts["merchant_id"])) == count
        assert await dead(house, account="acct_none") == []

    play(tmp_path, story)
