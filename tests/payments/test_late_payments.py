"""Money that arrives when its payment is over: sent back, held or kept, or it pays what is still open. Never a flip."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from paydesk.payments import outcome
from paydesk.payments.ask import about_attempt, terms_of
from paydesk.payments.rows import Attempt, LatePayment
from paydesk.payments.terms import News
from paydesk.psp.base import Verdict
from paydesk.store import Command, Key, Work
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.payments.refunds import (
    FAILS_LATER,
    WAITS_AND_FAILS,
    at_psp,
    balances,
    goes_wrong,
    judged,
    refund,
    timeline,
)
from tests.stage.shopper import VISA

DAY = 86_400


class Heard(Command[bool], frozen=True):
    """News of an attempt that nobody asks about any more, as a notice brings it."""

    attempt: Attempt
    news: News[Verdict]

    def keys(self) -> Iterable[Key]:
        return outcome.keys(self.attempt, self.news.verdict)

    def decide(self, work: Work) -> bool:
        return outcome.apply(work, self.attempt.account, self.attempt.id, self.news)


async def lost(house: Turned, number: str = VISA, key: str = "order-1", amount: int = 4200) -> dict[str, Any]:
    """An intent whose only attempt ended as not sent, and whose charge lands when no look-up reckons with it."""
    intent = await house.open(key, amount)
    goes_wrong(house, "lands_late", on="charges", delay_ms=600_000)
    assert (await house.pay(intent, number)).status_code == 202
    while (seen := await house.read(intent))["status"] == "processing":
        await asyncio.sleep(5)
    assert (seen["status"], seen["latest_attempt"][:3]) == ("requires_payment_method", "at_")
    return seen


async def lands(house: Turned, intent: dict[str, Any]) -> None:
    """The charge lands, and a notice says so; twice."""
    await asyncio.sleep(700)
    await heard(house, intent)
    await heard(house, intent)


async def heard(house: Turned, intent: dict[str, Any]) -> None:
    attempt, question = await about_attempt(house.house, house.facts["account_id"], intent["latest_attempt"])
    verdict = await house.house.psp(attempt.psp).look_up(question)
    news = News(verdict=verdict, cause="psp", terms=terms_of(house.house, attempt.id))
    assert await house.house.submit(Heard(attempt=attempt, news=news))


async def cancel(house: Turned, intent: dict[str, Any]) -> None:
    path = f"/v1/payment_intents/{intent['id']}/cancel"
    answer = await house.send("POST", path, headers={"Idempotency-Key": f"cancel-{intent['id']}"})
    assert answer.status_code == 200, answer.text


async def the_late(house: Turned) -> dict[str, Any]:
    """The one late payment, as the API shows it."""
    columns = ", ".join(f'"{name}"' for name in LatePayment.__struct_fields__)
    (row,) = await house.house.reader.query(LatePayment, f'SELECT {columns} FROM "late_payments"', ())
    return (await house.send("GET", f"/v1/late_payments/{row.id}")).json()


async def decide(house: Turned, late: dict[str, Any], what: str, key: str) -> httpx.Response:
    path = f"/v1/late_payments/{late['id']}/{what}"
    return await house.send("POST", path, json={}, headers={"Idempotency-Key": key})


def late_events(receiver: Any) -> list[tuple[str, str]]:
    return [(one.type, one.event["data"]["object"]["status"]) for one in receiver.arrived if "late" in one.type]


@pytest.mark.parametrize("over", ["canceled", "expired"])
def test_paid_after_it_was_over_goes_back(tmp_path: Path, over: str) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await lost(house)
        if over == "canceled":
            await cancel(house, intent)
        else:
            await asyncio.sleep(120)
        await lands(house, intent)
        seen = await house.read(intent)
        assert (seen["status"], seen["amount_received"], seen["amount_refunded"]) == ("canceled", 0, 0)
        late = await the_late(house)
        assert (late["amount"], late["attempt"]) == (4200, intent["latest_attempt"])
        await asyncio.sleep(5)
        assert (await the_late(house))["status"] == "refunded"
        made = (await house.send("GET", f"/v1/refunds/{late['refund']}")).json()
        assert (made["status"], made["late_payment"], made["amount"]) == ("succeeded", late["id"], 4200)
        assert late_events(receiver) == [("late_payment.created", "refunding"), ("late_payment.updated", "refunded")]
        assert (await timeline(house, intent))[-3:] == ["late_payment", "refund_begun", "refunded"]
        assert at_psp(house) == ["succeeded"]
        assert await balances(house) == {}
        assert (await refund(house, intent)).status_code == 409, "there is nothing of the intent's to refund"
        await judged(house)

    play(tmp_path, story, intent_expires_seconds=120)


def test_paid_while_it_is_open_pays_it(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await lost(house)
        await lands(house, intent)
        seen = await house.read(intent)
        assert (seen["status"], seen["amount_received"]) == ("succeeded", 4200)
        await asyncio.sleep(5)
        assert receiver.taken[-1] == "payment_intent.succeeded"
        assert late_events(receiver) == []
        assert await balances(house) == {"psp_clearing": 4200, "merchant_pending": -4200}
        assert (await refund(house, intent, amount=200)).json()["status"] == "succeeded"
        await judged(house)

    play(tmp_path, story)


def test_paid_when_it_asks_for_another_amount_does_not(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await lost(house)
        changed = await house.send("POST", f"/v1/payment_intents/{intent['id']}", json={"amount": 4300})
        assert changed.status_code == 200
        await lands(house, intent)
        assert (await house.read(intent))["status"] == "requires_payment_method"
        await asyncio.sleep(5)
        assert (await the_late(house))["status"] == "refunded"
        assert (await house.pay(intent, VISA)).json()["status"] == "succeeded"
        await judged(house)

    play(tmp_path, story)


def test_paid_twice_by_two_attempts_keeps_one(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await lost(house)
        assert (await house.pay(intent, VISA)).status_code == 200
        await lands(house, intent)
        seen = await house.read(intent)
        assert (seen["status"], seen["amount_received"], seen["amount_refunded"]) == ("succeeded", 4200, 0)
        assert seen["latest_attempt"] != intent["latest_attempt"]
        await asyncio.sleep(5)
        assert (await the_late(house))["status"] == "refunded"
        assert await balances(house) == {"psp_clearing": 4200, "merchant_pending": -4200}
        assert (await refund(house, seen)).json()["amount"] == 4200, "its own money can be refunded as ever"
        await judged(house)

    play(tmp_path, story)


def test_paid_while_another_attempt_is_under_way_waits_apart(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await lost(house)
        goes_wrong(house, "lands_late", on="charges", delay_ms=18_000)
        await asyncio.sleep(690)
        paying = asyncio.create_task(house.pay(intent, VISA))
        await asyncio.sleep(1)
        await heard(house, intent)
        assert (await house.read(intent))["status"] == "processing"
        assert (await paying).json()["status"] == "succeeded"
        await asyncio.sleep(5)
        assert (await the_late(house))["status"] == "refunded"
        await judged(house)

    play(tmp_path, story)


def test_held_until_the_merchant_decides_and_refunded_once_whatever_is_asked_at_once(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await lost(house)
        await cancel(house, intent)
        await lands(house, intent)
        late = await the_late(house)
        assert (late["status"], late["refund"]) == ("held", None)
        assert await balances(house) == {"psp_clearing": 4200, "late_payments": -4200}

        answers = await asyncio.gather(*(decide(house, late, "refund", f"decide-{number}") for number in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
        await asyncio.sleep(5)
        assert (await decide(house, late, "keep", "keep-1")).status_code == 409
        assert (await the_late(house))["status"] == "refunded"
        assert late_events(receiver) == [
            ("late_payment.created", "held"),
            ("late_payment.updated", "refunding"),
            ("late_payment.updated", "refunded"),
        ]
        assert at_psp(house) == ["succeeded"]
        first = next(answer for answer in answers if answer.status_code == 200)
        again = await decide(house, late, "refund", f"decide-{answers.index(first)}")
        assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
        await judged(house)

    play(tmp_path, story, terms={"late_payments": "hold"})


def test_refund_and_keep_at_once_do_one_of_them(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await lost(house)
        await cancel(house, intent)
        await lands(house, intent)
        late = await the_late(house)
        answers = await asyncio.gather(
            decide(house, late, "refund", "r"), decide(house, late, "keep", "k"), decide(house, late, "refund", "s")
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        await asyncio.sleep(5)
        kept = answers[1].status_code == 200
        assert (await the_late(house))["status"] == ("kept" if kept else "refunded")
        assert len(at_psp(house)) == (0 if kept else 1)
        await judged(house)

    play(tmp_path, story, terms={"late_payments": "hold"})


def test_kept_is_the_merchants_less_the_fee(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await lost(house)
        await cancel(house, intent)
        await lands(house, intent)
        assert (await the_late(house))["status"] == "kept"
        await asyncio.sleep(5)
        assert late_events(receiver) == [("late_payment.created", "kept")]
        assert await balances(house) == {"psp_clearing": 4200, "merchant_pending": -4158, "fees": -42}
        assert (await house.read(intent))["status"] == "canceled"
        await asyncio.sleep(3 * DAY)
        assert (await balances(house))["merchant_available"] == -4158
        await judged(house)

    play(tmp_path, story, terms={"late_payments": "keep", "fee": "1%"})


@pytest.mark.parametrize(("number", "wait"), [(WAITS_AND_FAILS, 3_600), (FAILS_LATER, DAY + 3_600)])
def test_where_its_one_refund_fails_it_is_held_and_can_be_kept(tmp_path: Path, number: str, wait: int) -> None:
    async def story(house: Turned) -> None:
        intent = await lost(house, number)
        await cancel(house, intent)
        await lands(house, intent)
        await asyncio.sleep(wait)
        late = await the_late(house)
        assert (late["status"], late["refund"] is None) == ("held", False)
        assert await balances(house) == {"psp_clearing": 4200, "late_payments": -4200}
        answer = await decide(house, late, "refund", "again")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "invalid_state")
        assert (await decide(house, late, "keep", "keep")).json()["status"] == "kept"
        assert at_psp(house) == ["failed"]
        await judged(house)

    play(tmp_path, story)


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        nothing = {"id": "lp_1"}
        assert (await house.send("GET", "/v1/late_payments/lp_1")).status_code == 404
        assert (await decide(house, nothing, "keep", "k")).status_code == 404
        assert (await decide(house, nothing, "refund", "r")).json()["error"]["param"] == "late_payment"
        unknown = await house.send(
            "POST", "/v1/late_payments/lp_1/keep", json={"amount": 1}, headers={"Idempotency-Key": "x"}
        )
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "parameter_unknown")

    play(tmp_path, story)
