"""What is written down anew after a restore, in the ways it can have come about since the backup: never charged, never
given back twice.
"""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any

from paydesk.assembly.house import House
from paydesk.ledger.verify import recount
from paydesk.payments.rows import LatePayment
from paydesk.store.snapshot import snapshot
from paydesk.world import Answer, Outgoing
from paydesk_sandbox.psp.disputes import CloseOrder
from paydesk_sandbox.psp.faults import Fault
from tests.assembly.test_restored import (
    asked,
    copied,
    disputed,
    intent_in,
    intent_of,
    note,
    reborn,
    refunded,
    refunds_of,
    unknown,
    until,
)
from tests.journeys.psp import LOST_BEFORE
from tests.journeys.telling import charge_of, tell
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Sent, Turned
from tests.stage.shopper import VISA

HOUR = 3600


def at_work_again(first: Turned, house: House) -> Turned:
    second = Turned(house, first.world, BytesIO(), first.stores)
    second.facts = first.facts
    return second


def sound(house: House) -> None:
    with snapshot(house.config.database) as books:
        assert list(recount(books))


def test_paid_with_a_second_card_after_the_first_question_was_lost(tmp_path: Path) -> None:
    """At the backup the first attempt is being asked; the PSP never received it."""

    async def story(house: Turned) -> None:
        intent = await house.open()
        house.world.spawn(note(house.pay(intent, LOST_BEFORE)), "the shopper")
        await until(house, intent, "processing")
        folder = copied(house, tmp_path / "copy")
        await until(house, intent, "requires_payment_method")
        assert (await house.pay(intent, VISA)).status_code == 200
        async with reborn(house, folder) as (again, _):
            await asked(again)
            assert (await intent_of(again, intent)).status == "succeeded"
            assert await unknown(again) == []
            sound(again)
        async with reborn(house, folder, at_work=True) as (again, _):
            await asyncio.sleep(HOUR)
            assert (await at_work_again(house, again).pay(intent, VISA)).status_code in (400, 409)
            assert house.captured() == [4200]

    play(tmp_path, story)


def test_changed_to_manual_and_captured_in_part(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        folder = copied(house, tmp_path / "copy")
        path = f"/v1/payment_intents/{intent['id']}"
        changed = {"json": {"capture_method": "manual"}, "headers": {"Idempotency-Key": "change"}}
        assert (await house.send("POST", path, **changed)).status_code == 200
        await house.pay(intent, VISA)
        captured = {"json": {"amount_to_capture": 1000}, "headers": {"Idempotency-Key": "capture"}}
        assert (await house.send("POST", f"{path}/capture", **captured)).status_code == 200
        async with reborn(house, folder) as (again, _):
            await asked(again)
            found = await intent_of(again, intent)
            assert (found.status, found.capture_method, found.received_minor) == ("succeeded", "manual", 1000)
            sound(again)

    play(tmp_path, story)


def test_refunded_when_a_dispute_was_won(tmp_path: Path) -> None:
    """At the backup the dispute is open, and takes all of it."""

    async def story(house: Turned) -> None:
        intent = await house.open()
        await house.pay(intent, VISA)
        quarrel = disputed(house, (await house.read(intent))["latest_attempt"])
        await tell(house, "ntc_1", "dispute", quarrel)
        while not (await intent_in(house, intent)).disputed_minor:
            await asyncio.sleep(0.1)
        await asyncio.sleep(HOUR)
        folder = copied(house, tmp_path / "copy")
        house.world.psp.close_dispute(quarrel["id"], CloseOrder(status="won"), house.world.now_ms())
        await tell(house, "ntc_2", "dispute", quarrel)
        while (await intent_in(house, intent)).disputed_minor:
            await asyncio.sleep(0.1)
        await refunded(house, intent, 300)
        async with reborn(house, folder) as (again, _):
            await asked(again)
            found = await intent_of(again, intent)
            assert (found.disputed_minor, found.refunding_minor, found.refunded_minor) == (0, 0, 300)
            assert await unknown(again) == []
            sound(again)

    play(tmp_path, story)


def test_a_psp_that_lists_and_can_not_be_asked_about_one(tmp_path: Path) -> None:
    """Its list says how the charge stands; the refund is that charge's."""

    async def story(house: Turned) -> None:
        intent = await house.open()
        folder = copied(house, tmp_path / "copy")
        await house.pay(intent, VISA)
        await refunded(house, intent, 300)
        send: Any = house.world.send

        async def sending(request: Outgoing) -> Sent:
            refuses = "?reference=" in request.url
            return Answer(status=500, headers={}, body=b"") if refuses else await send(request)

        house.world.send = sending  # type: ignore[method-assign]
        async with reborn(house, folder) as (again, _):
            await asked(again)
            found = await intent_of(again, intent)
            assert (found.status, found.received_minor, found.refunded_minor) == ("succeeded", 4200, 300)
            assert await unknown(again) == []
            sound(again)

    play(tmp_path, story)


def test_a_refund_that_was_under_way_and_never_arrived_is_not_sent(tmp_path: Path) -> None:
    """Its merchant was told that it failed, and made another since."""

    async def story(house: Turned) -> None:
        intent = await house.open()
        await house.pay(intent, VISA)
        house.world.away = "POST"
        refunding = house.world.spawn(note(refused(house, intent)), "the merchant")
        while not (await intent_in(house, intent)).refunding_minor:
            await asyncio.sleep(0.1)
        folder = copied(house, tmp_path / "copy")
        await refunding
        house.world.away = False
        await refunded(house, intent, 300)
        async with reborn(house, folder) as (again, _):
            await asked(again)
            found = await intent_of(again, intent)
            assert (found.refunding_minor, found.refunded_minor) == (0, 300)
            assert sorted(refund.status for refund in await refunds_of(again)) == ["not_made", "succeeded"]
            sound(again)
        async with reborn(house, folder, at_work=True):
            await asyncio.sleep(24 * HOUR)
        assert [entry.refund.amount for entry in house.world.psp.books.refunds.all.values()] == [300]

    play(tmp_path, story)


async def refused(house: Turned, intent: dict[str, Any]) -> None:
    body = {"payment_intent": intent["id"], "amount": 200}
    await house.send("POST", "/v1/refunds", json=body, headers={"Idempotency-Key": "first"})


def test_a_late_payment_that_was_sent_back_is_sent_back_once(tmp_path: Path) -> None:
    """At the backup its payment is over, and the money has not landed yet."""

    async def story(house: Turned) -> None:
        intent = await house.open()
        house.world.psp.order(Fault(fault="lands_late", on="charges", delay_ms=HOUR * 1000))
        house.world.spawn(note(house.pay(intent, VISA)), "the shopper")
        await until(house, intent, "processing")
        await until(house, intent, "requires_payment_method")
        attempt = (await intent_in(house, intent)).latest_attempt
        assert attempt
        path = f"/v1/payment_intents/{intent['id']}/cancel"
        assert (await house.send("POST", path, json={}, headers={"Idempotency-Key": "cancel"})).status_code == 200
        folder = copied(house, tmp_path / "copy")
        await asyncio.sleep(HOUR + 100)
        await tell(house, "ntc_1", "charge", charge_of(house, attempt) | {"reference": attempt})
        await asyncio.sleep(100)
        (made,) = house.world.psp.books.refunds.all.values()
        async with reborn(house, folder) as (again, _):
            await asked(again)
            (late,) = await late_payments_of(again)
            assert (late.status, late.refund) == ("refunded", made.refund.reference)
            assert await unknown(again) == []
            sound(again)
        assert len(house.world.psp.books.refunds.all) == 1

    play(tmp_path, story)


async def late_payments_of(house: House) -> list[LatePayment]:
    columns = ", ".join(f'"{name}"' for name in LatePayment.__struct_fields__)
    return await house.reader.query(LatePayment, f"SELECT {columns} FROM late_payments", ())
