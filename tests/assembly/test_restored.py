"""The first start of a restored database: everything since its backup is asked of the PSP before anything else happens.

On a turned clock: the life of a shop goes on after its backup, dies, and begins anew from the copy; the PSP remembers.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from paydesk.assembly.asking_again import RETRIES_SECONDS, TRIES
from paydesk.assembly.backup import mark_taken
from paydesk.assembly.house import House
from paydesk.assembly.installation import Backup
from paydesk.assembly.opening import prepare
from paydesk.assembly.operator import Request, perform
from paydesk.assembly.restored import settle
from paydesk.audit.reading import newest
from paydesk.ledger.verify import recount
from paydesk.payments.rows import Attempt, Dispute, Intent, Refund
from paydesk.payments.unknown_charges import UnknownCharge, unknown_charges
from paydesk.requests.rows import NonceFloor
from paydesk.store import Duty
from paydesk.store.snapshot import snapshot
from paydesk.telemetry import Log
from paydesk.world import Answer, NotSent, Outgoing
from paydesk_sandbox.psp.disputes import CloseOrder, DisputeOrder
from paydesk_sandbox.psp.faults import Fault
from tests.journeys.bank import APPROVES
from tests.journeys.psp import LATE
from tests.journeys.telling import charge_of, tell
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import PSP, Sent, Turned, TurnedStores
from tests.stage.shopper import DECLINED, VISA
from tests.stage.stage import SHOP

ONE_S, FIVE_MINUTES_MS = 1, 300_000


def copied(house: Turned, folder: Path) -> Path:
    """A backup of this moment, put into a folder of its own."""
    folder.mkdir()
    with (
        closing(sqlite3.connect(house.house.config.database)) as source,
        closing(sqlite3.connect(folder / "paydesk.db", isolation_level=None)) as copy,
    ):
        source.backup(copy)
        mark_taken(copy, house.world.now_ms())
    return folder


@asynccontextmanager
async def reborn(first: Turned, folder: Path, *, at_work: bool = False) -> AsyncGenerator[tuple[House, BytesIO]]:
    """The house on the copy, in the same world; only committing, as long as it asks."""
    await first.house.stop()
    written = BytesIO()
    config = replace(first.house.config, data=folder)
    prepare(config, first.house.sealer, first.world)
    stores = TurnedStores(config.database)
    log = Log("warning", written)
    house = House(world=first.world, config=config, sealer=first.house.sealer, stores=stores, log=log)
    await house.start(commits_only=not at_work)
    yield house, written
    await house.stop()
    stores.close()


async def asked(house: House, *, ask: bool = True) -> None:
    backup = await house.reader.get(Backup, "this")
    assert backup
    await settle(house, backup, ask=ask)


def events(written: BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


async def unknown(house: House) -> list[UnknownCharge]:
    return await unknown_charges(house.reader, 100)


async def manual(house: Turned, key: str) -> dict[str, Any]:
    body = {"amount": 4200, "currency": "usd", "capture_method": "manual"}
    return (await house.send("POST", "/v1/payment_intents", json=body, headers={"Idempotency-Key": key})).json()


async def until(house: Turned, intent: dict[str, Any], status: str) -> None:
    while (await house.read(intent))["status"] != status:
        await asyncio.sleep(0.1)


async def intent_of(house: House, intent: dict[str, Any]) -> Intent:
    found = [await house.reader.get(Intent, "acct_" + intent["id"][3:11], intent["id"])]
    assert found[0]
    return found[0]


def test_what_was_open_is_settled_and_told(tmp_path: Path) -> None:
    """A payment whose PSP had not answered yet, and one that was authorised, captured since, another released since."""

    async def story(house: Turned) -> None:
        late, held, freed = await house.open("late"), await manual(house, "held"), await manual(house, "freed")
        for intent in (held, freed):
            await house.pay(intent, VISA)
        house.world.spawn(note(house.pay(late, LATE)), "the shopper")
        await until(house, late, "processing")
        folder = copied(house, tmp_path / "copy")
        await until(house, late, "succeeded")
        key = {"Idempotency-Key": "of-held"}
        body = {"amount_to_capture": 4000}
        assert (
            await house.send("POST", f"/v1/payment_intents/{held['id']}/capture", json=body, headers=key)
        ).is_success
        path = f"/v1/payment_intents/{freed['id']}/cancel"
        assert (await house.send("POST", path, json={}, headers={"Idempotency-Key": "of-freed"})).is_success
        async with reborn(house, folder) as (again, written):
            await asked(again)
            statuses = [(await intent_of(again, one)).status for one in (late, held, freed)]
            assert statuses == ["succeeded", "succeeded", "canceled"]
            assert (await intent_of(again, held)).received_minor == 4000
            assert await unknown(again) == []
            assert [event["event"] for event in events(written)] == ["restored", "restored_and_asked"]
            assert await again.reader.query(Duty, "SELECT * FROM duties WHERE kind = 'ask_psp'", ()) == []
            with snapshot(again.config.database) as books:
                assert list(recount(books)) is not None

    play(tmp_path, story)


async def note(work: Any) -> None:
    await work


def test_charges_that_nobody_here_made_are_kept_and_shown(tmp_path: Path) -> None:
    """An intent that came since, and one that was open at the backup, and whose PSP does not say what the charge is
    for; a decline is no charge.
    """

    async def story(house: Turned) -> None:
        send_on = house.world.send

        async def forgetful(request: Outgoing) -> Sent:
            answer = await send_on(request)
            if "since_ms=" not in request.url or not isinstance(answer, Answer):
                return answer
            return replace(answer, body=answer.body.replace(b'"order_reference":', b'"nothing":'))

        open_before, other = await house.open("before"), await house.open("other-amount", amount=900)
        await asyncio.sleep(3600)  # What happened long before the backup is not asked for.
        folder = copied(house, tmp_path / "copy")
        since, declined = await house.open("since", amount=777), await house.open("declined", amount=900)
        assert (await house.pay(open_before, VISA)).status_code == 200
        assert (await house.pay(since, VISA)).status_code == 200
        assert (await house.pay(declined, DECLINED)).status_code == 402
        paid = [(await house.read(intent))["latest_attempt"] for intent in (open_before, since)]
        house.world.send = forgetful  # type: ignore[method-assign]
        async with reborn(house, folder) as (again, written):
            await asked(again)
            found = {charge.reference: charge for charge in await unknown(again)}
            assert set(found) == set(paid)
            first, second = found[paid[0]], found[paid[1]]
            assert (first.status, first.amount_minor, first.currency, first.may_be_of) == (
                "captured", 4200, "usd", open_before["id"],
            )  # fmt: skip
            assert (second.amount_minor, second.may_be_of) == (777, "")
            assert (await intent_of(again, other)).status == "requires_payment_method"
            assert events(written)[-1]["unknown_charges"] == 2
            shown = await perform(again, Request("unknown-charges", {}))
            assert [charge["psp_reference"] for charge in shown["charges"]] == sorted(
                charge.psp_reference for charge in found.values()
            )
            await asked_once_more(again)
            assert len(await unknown(again)) == 2

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("capture_method", "number", "status"),
    [
        ("automatic", VISA, "succeeded"),
        ("manual", VISA, "requires_capture"),
        ("automatic", APPROVES, "requires_action"),
    ],
)
def test_what_was_open_at_the_backup_and_paid_since_is_not_payable_again(
    tmp_path: Path, capture_method: str, number: str, status: str
) -> None:
    """Declined once since, then changed, then paid: the attempt that was charged is written down anew."""

    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await house.open("before", capture_method=capture_method)
        folder = copied(house, tmp_path / "copy")
        await house.pay(intent, DECLINED)
        changed = {"json": {"amount": 900}, "headers": {"Idempotency-Key": "change"}}
        assert (await house.send("POST", f"/v1/payment_intents/{intent['id']}", **changed)).status_code == 200
        await house.pay(intent, number)
        before = await intent_of(house.house, intent)
        assert before.status == status
        async with reborn(house, folder) as (again, written):
            receiver.arrived.clear()
            await asked(again)
            await asked_once_more(again)
            found = await intent_of(again, intent)
            for name in ("status", "amount_minor", "received_minor", "capturable_minor", "latest_attempt"):
                assert getattr(found, name) == getattr(before, name)
            assert (found.attempts, found.method) == (1, "null")
            assert await unknown(again) == []
            assert [event["recovered"] for event in events(written) if "recovered" in event] == [1, 0]
            with snapshot(again.config.database) as books:
                assert list(recount(books)) is not None
        async with reborn(house, folder, at_work=True) as (again, _):
            second = Turned(again, house.world, BytesIO(), house.stores)
            second.facts = house.facts
            await asyncio.sleep(FIVE_MINUTES_MS / 1000 + ONE_S)
            assert (await second.pay(intent, VISA)).status_code in (400, 409)
            assert len(house.captured()) == (status == "succeeded")
            if status == "succeeded":
                assert [one.type for one in receiver.arrived][-1] == "payment_intent.succeeded"

    play(tmp_path, story)


async def asked_once_more(house: House) -> None:
    """A process that died before it could say that it had asked asks again."""
    await asked(house)


def test_refunds_and_disputes_since_are_settled_where_they_are_known_and_shown_where_not(tmp_path: Path) -> None:
    """A refund that was under way, one that was asked for since, a dispute opened since, and one closed since."""

    async def story(house: Turned) -> None:
        paid = {name: await house.open(name) for name in ("under-way", "since", "disputed", "closed")}
        attempts: dict[str, str] = {}
        for name, intent in paid.items():
            assert (await house.pay(intent, VISA)).status_code == 200
            attempts[name] = (await house.read(intent))["latest_attempt"]
        quarrel = disputed(house, attempts["closed"])
        assert (await tell(house, "ntc_1", "dispute", quarrel)).status_code == 200
        while not (await intent_in(house, paid["closed"])).disputed_minor:
            await asyncio.sleep(0.1)
        await asyncio.sleep(3600)
        house.world.psp.order(Fault(fault="late", on="refunds", delay_ms=5000))
        refunding = house.world.spawn(note(refunded(house, paid["under-way"], 100)), "the merchant")
        while not (await intent_in(house, paid["under-way"])).refunding_minor:
            await asyncio.sleep(0.1)
        folder = copied(house, tmp_path / "copy")
        await refunding
        since = await refunded(house, paid["since"], 300)
        disputed(house, attempts["disputed"])
        house.world.psp.close_dispute(quarrel["id"], CloseOrder(status="lost"), house.world.now_ms())
        async with reborn(house, folder) as (again, written):
            await asked(again)
            rows = {name: await intent_of(again, intent) for name, intent in paid.items()}
            assert (rows["under-way"].refunding_minor, rows["under-way"].refunded_minor) == (0, 100)
            assert (rows["since"].refunded_minor, rows["disputed"].disputed_minor) == (300, 4200)
            assert rows["since"].refunding_minor == 0
            (both,) = [refund for refund in await refunds_of(again) if refund.intent == paid["since"]["id"]]
            assert (both.status, both.id) == ("succeeded", since)
            assert await unknown(again) == []
            with snapshot(again.config.database) as books:
                assert list(recount(books)) is not None
            await asked_once_more(again)
            assert (await intent_of(again, paid["since"])).refunded_minor == 300
            (closed,) = await open_of(again, "lost")
            assert closed.attempt == attempts["closed"]
            last = events(written)[-1]
            assert (last["refunds"], last["disputes"]) == (2, 1)

    play(tmp_path, story)


def disputed(house: Turned, attempt: str) -> dict[str, Any]:
    """The bank takes it back; what a notice says of that."""
    charge = charge_of(house, attempt)
    assert house.world.psp.dispute(charge["id"], DisputeOrder(), house.world.now_ms()).status == 200
    return {"id": next(reversed(house.world.psp.books.disputes.all)), "reference": attempt}


async def refunded(house: Turned, intent: dict[str, Any], amount: int) -> str:
    body = {"payment_intent": intent["id"], "amount": amount}
    answer = await house.send("POST", "/v1/refunds", json=body, headers={"Idempotency-Key": f"of-{amount}"})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


async def refunds_of(house: House) -> list[Refund]:
    columns = ", ".join(f'"{name}"' for name in Refund.__struct_fields__)
    return await house.reader.query(Refund, f"SELECT {columns} FROM refunds", ())


async def intent_in(house: Turned, intent: dict[str, Any]) -> Intent:
    return await intent_of(house.house, intent)


async def open_of(house: House, status: str) -> list[Dispute]:
    columns = ", ".join(f'"{name}"' for name in Dispute.__struct_fields__)
    return await house.reader.query(Dispute, f"SELECT {columns} FROM disputes WHERE status = ?", (status,))


def test_nothing_is_told_twice_of_what_is_known(tmp_path: Path) -> None:
    """Charges of before the backup, within the margin: paid, declined and released ones."""

    async def story(house: Turned) -> None:
        paid, declined, freed = await house.open("paid"), await house.open("declined"), await manual(house, "freed")
        await house.pay(paid, VISA)
        await house.pay(declined, DECLINED)
        await house.pay(freed, VISA)
        path = f"/v1/payment_intents/{freed['id']}/cancel"
        await house.send("POST", path, json={}, headers={"Idempotency-Key": "of-freed"})
        folder = copied(house, tmp_path / "copy")
        async with reborn(house, folder) as (again, written):
            before = [await intent_of(again, one) for one in (paid, declined, freed)]
            await asked(again)
            assert [await intent_of(again, one) for one in (paid, declined, freed)] == before
            last = events(written)[-1]
            assert (last["charges"], last["looked_up"], last["unknown_charges"]) == (3, 0, 0)

    play(tmp_path, story)


def test_a_psp_that_can_not_be_reached_is_waited_for_and_said(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        await house.pay(await house.open("before"), VISA)
        folder = copied(house, tmp_path / "copy")
        await house.pay(await house.open("since"), VISA)
        send, away = house.world.send, 7

        async def sending(request: Outgoing) -> Sent:
            nonlocal away
            away -= request.url.startswith(PSP)
            if away >= 0:
                return NotSent("refused") if away % 2 else Answer(status=503, headers={}, body=b"")
            return await send(request)

        async with reborn(house, folder) as (again, written):
            house.world.send = sending  # type: ignore[method-assign]
            began = house.world.monotonic()
            await asked(again)
            waited = [event for event in events(written) if event["event"] == "psp_is_waited_for"]
            assert [event["again_in_seconds"] for event in waited] == [*RETRIES_SECONDS, 30, 30]
            assert house.world.monotonic() - began == pytest.approx(sum(RETRIES_SECONDS) + 60, abs=1)
            assert {event["otherwise"] for event in waited} == {"serve --without-asking"}
            assert len(await unknown(again)) == 1

    play(tmp_path, story)


def test_a_look_up_that_brings_no_verdict_is_left_to_its_duty(tmp_path: Path) -> None:
    """The PSP is there, and what it says of one charge is none: the shop need not stay closed for that."""

    async def story(house: Turned) -> None:
        held = await manual(house, "held")
        await house.pay(held, VISA)
        folder = copied(house, tmp_path / "copy")
        send, looked = house.world.send, 0

        async def sending(request: Outgoing) -> Sent:
            nonlocal looked
            if "reference=" in request.url:
                looked += 1
                return Answer(status=200, headers={}, body=b"garbage")
            return await send(request)

        async with reborn(house, folder) as (again, _):
            house.world.send = sending  # type: ignore[method-assign]
            await asked(again)
            assert looked == TRIES
            assert (await intent_of(again, held)).status == "requires_capture"

    play(tmp_path, story)


def test_what_was_signed_until_now_is_refused_for_five_minutes(tmp_path: Path) -> None:
    """Its nonces are gone. The shop itself opens at once."""

    async def story(house: Turned) -> None:
        folder = copied(house, tmp_path / "copy")
        async with reborn(house, folder) as (again, _):
            await asked(again)
            floor = await again.reader.get(NonceFloor, "floor")
            assert floor
            assert floor.floor_ms == house.world.now_ms() + FIVE_MINUTES_MS
        async with reborn(house, folder, at_work=True) as (again, _):
            second = Turned(again, house.world, BytesIO(), house.stores)
            second.facts = house.facts
            wanted = {"json": {"amount": 1, "currency": "usd"}, "headers": {"Idempotency-Key": "order-1"}}
            refused = await second.send("POST", "/v1/payment_intents", **wanted)
            assert refused.status_code == 503
            assert 290 <= int(refused.headers["retry-after"]) <= 300
            assert (await second.send("GET", "/v1/payment_intents/pi_none")).status_code == 404
            await asyncio.sleep(int(refused.headers["retry-after"]) + ONE_S)
            assert (await second.send("POST", "/v1/payment_intents", **wanted)).status_code == 200

    play(tmp_path, story)


@pytest.mark.parametrize("ask", [True, False])
def test_the_log_of_deeds_says_how_it_was_opened(tmp_path: Path, ask: bool) -> None:
    async def story(house: Turned) -> None:
        folder = copied(house, tmp_path / "copy")
        await house.pay(await house.open("since"), VISA)
        async with reborn(house, folder) as (again, written):
            await asked(again, ask=ask)
            (line,) = await newest(again.reader, "house", 10)
            assert (line.actor, line.action) == ("operator", "restore" if ask else "serve --without-asking")
            assert len(await unknown(again)) == int(ask)
            backup = await again.reader.get(Backup, "this")
            assert backup
            assert backup.asked_ms == house.world.now_ms()
            warned = [event["event"] for event in events(written)]
            assert warned[0] == ("restored" if ask else "restored_without_asking")

    play(tmp_path, story)


def test_each_account_is_asked_about_and_keeps_to_itself(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        wanted = {"name": "Cake", "origins": [SHOP], "psp_url": PSP, "psp_key": "psp-key-of-cake", "fee": "0"}
        made = await perform(house.house, Request("merchants create", wanted))
        folder = copied(house, tmp_path / "copy")
        first = house.facts
        house.facts = made
        await house.pay(await house.open("of-cake"), VISA)
        house.facts = first
        async with reborn(house, folder) as (again, written):
            await asked(again)
            (charge,) = await unknown(again)
            assert charge.account == made["account_id"]
            assert events(written)[-1]["accounts"] == 2
            assert await again.reader.get(Attempt, charge.account, charge.reference) is None

    play(tmp_path, story)
