"""Disputes on a turned clock: opened and closed by the bank, heard of in any order, posted whatever is left."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from paydesk.assembly.operator import merchants_create
from paydesk_sandbox.psp.faults import Fault
from tests.journeys import psp, telling
from tests.journeys.telling import attempts, charge_of, tell
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import PSP, Turned
from tests.payments.disputes import close_at_bank, disputes, open_at_bank, told
from tests.payments.refunds import balances, paid, refund, refunded, timeline
from tests.payments.test_late_payments import lost, the_late
from tests.stage.shopper import VISA
from tests.stage.stage import SHOP

CREATED = "charge.dispute.created"
CLOSED = "charge.dispute.closed"
DAY = 86_400
DISPUTED = "4000000000000259"
TERMS = {"dispute_fee": "1500", "fee": "100"}


def events(receiver: Any) -> list[tuple[str, str, int]]:
    found = [one.event for one in receiver.arrived if "dispute" in one.type]
    return [(one["type"], one["data"]["object"]["status"], one["sequence"]) for one in found]


@pytest.mark.parametrize("matured", [False, True], ids=["pending", "available"])
@pytest.mark.parametrize("how", ["won", "lost"])
def test_opened_and_closed(tmp_path: Path, how: str, *, matured: bool) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await paid(house)
        if matured:
            await asyncio.sleep(3 * DAY)
        where = "merchant_available" if matured else "merchant_pending"
        assert await balances(house) == {"psp_clearing": 4200, where: -4100, "fees": -100}

        named = open_at_bank(house, intent)
        assert (await told(house, "ntc_1", named)).status == "applied"
        (made,) = await disputes(house, intent)
        assert (made["status"], made["amount"], made["amount_decimal"]) == ("needs_response", 4200, "42.00")
        assert (made["fee"], made["reason"], made["closed_at"]) == (1500, "fraudulent", None)
        assert (made["payment_intent"], made["attempt"]) == (intent["id"], intent["latest_attempt"])
        seen = await house.read(intent)
        assert (seen["status"], seen["amount_disputed"]) == ("succeeded", 4200)
        assert await balances(house) == {"psp_clearing": 4200, where: 1600, "fees": -1600, "disputes": -4200}
        shown = (await house.send("GET", "/v1/balance")).json()
        assert [one["amount"] for one in shown["reserved"]] == [4200]

        close_at_bank(house, named, how)
        assert (await told(house, "ntc_2", named)).status == "applied"
        (closed,) = await disputes(house, intent)
        assert (closed["status"], closed["version"], closed["event_sequence"]) == (how, 2, 2)
        assert closed["closed_at"] > closed["created"]
        assert (await house.read(intent))["amount_disputed"] == (0 if how == "won" else 4200)
        await asyncio.sleep(4 * DAY)
        kept = {"psp_clearing": 4200, "merchant_available": -2600} if how == "won" else {"merchant_available": 1600}
        assert await balances(house) == {**kept, "fees": -1600}
        assert events(receiver) == [(CREATED, "needs_response", 1), (CLOSED, how, 2)]
        assert (await timeline(house, intent))[-2:] == ["dispute_opened", f"dispute_{how}"]

    play(tmp_path, story, terms=TERMS)


def test_each_piece_of_news_twice_is_in_once(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await paid(house)
        named = open_at_bank(house, intent)
        for notice_id in ("ntc_1", "ntc_2"):
            assert (await told(house, notice_id, named)).status == "applied"
        close_at_bank(house, named, "lost")
        for notice_id in ("ntc_3", "ntc_4"):
            assert (await told(house, notice_id, named)).status == "applied"
        assert len(await disputes(house, intent)) == 1
        assert await balances(house) == {}
        await asyncio.sleep(5)
        assert events(receiver) == [(CREATED, "needs_response", 1), (CLOSED, "lost", 2)]

    play(tmp_path, story)


@pytest.mark.parametrize("how", ["won", "lost"])
def test_heard_of_only_when_it_is_over(tmp_path: Path, how: str) -> None:
    """The opening was lost on the way, or comes after the closing: both are posted and told, in their order."""

    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await paid(house)
        named = open_at_bank(house, intent, amount=1200)
        close_at_bank(house, named, how)
        assert (await told(house, "ntc_closed", named)).status == "applied"
        assert (await told(house, "ntc_opened", named)).status == "applied"
        (made,) = await disputes(house, intent)
        assert (made["status"], made["amount"]) == (how, 1200)
        await asyncio.sleep(5)
        assert events(receiver) == [(CREATED, "needs_response", 1), (CLOSED, how, 2)]
        assert (await timeline(house, intent))[-2:] == ["dispute_opened", f"dispute_{how}"]
        assert (await balances(house))["psp_clearing"] == (4200 if how == "won" else 3000)

    play(tmp_path, story)


def test_a_closed_dispute_never_flips(tmp_path: Path) -> None:
    """Won after lost: shown as a parked notice, tried again for a day, and nothing changes."""

    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await paid(house)
        named = open_at_bank(house, intent)
        close_at_bank(house, named, "lost")
        await told(house, "ntc_1", named)
        before, seen = await balances(house), await house.read(intent)
        entry = house.world.psp.books.disputes.all[named["id"]]
        house.world.psp.books.change_dispute(entry, status="won")
        parked = await told(house, "ntc_2", named)
        assert (parked.status, parked.reason) == ("parked", "The dispute is lost here, and the PSP says won.")
        await asyncio.sleep(2 * DAY)
        (made,) = await disputes(house, intent)
        assert (made["status"], made["version"]) == ("lost", 2)
        assert (await house.read(intent)) == seen
        assert await balances(house) == before
        assert len(events(receiver)) == 2

    play(tmp_path, story)


def test_older_news_that_was_held_up_is_asked_again(tmp_path: Path) -> None:
    """A look-up that answered before the dispute closed, and arrived after: asked again, it agrees."""

    async def story(house: Turned) -> None:
        intent = await paid(house)
        named = open_at_bank(house, intent)
        house.world.psp.order(Fault(fault="late", on="lookups", delay_ms=10_000))
        await told(house, "ntc_opened", named)
        close_at_bank(house, named, "won")
        assert (await told(house, "ntc_closed", named)).status == "applied"
        await asyncio.sleep(60)
        assert (await told(house, "ntc_opened", named)).status == "applied"
        assert [one["status"] for one in await disputes(house, intent)] == ["won"]

    play(tmp_path, story)


def test_more_than_is_left_after_refunds_is_posted_and_shown(tmp_path: Path) -> None:
    """The bank does not ask what went back already; the merchant's balance goes below nothing."""

    async def story(house: Turned) -> None:
        intent = await paid(house)
        await refunded(house, intent, amount=3000)
        named = open_at_bank(house, intent)
        assert (await told(house, "ntc_1", named)).status == "applied"
        seen = await house.read(intent)
        assert (seen["amount_refunded"], seen["amount_disputed"]) == (3000, 4200)
        assert await balances(house) == {"psp_clearing": 1200, "merchant_pending": 3000, "disputes": -4200}
        refused = await refund(house, intent, "refund-2", amount=1)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")
        close_at_bank(house, named, "lost")
        await told(house, "ntc_2", named)
        await asyncio.sleep(3 * DAY)
        assert await balances(house) == {"psp_clearing": -3000, "merchant_available": 3000}
        shown = (await house.send("GET", "/v1/balance")).json()
        assert [one["amount"] for one in shown["available"]] == [-3000]

    play(tmp_path, story)


def test_several_parts_of_one_charge_are_disputes_of_their_own(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        first, second = open_at_bank(house, intent, amount=1000), open_at_bank(house, intent, amount=500)
        close_at_bank(house, second, "won")
        for number, named in enumerate((second, first, second)):
            assert (await told(house, f"ntc_{number}", named)).status == "applied"
        assert [(one["amount"], one["status"]) for one in await disputes(house, intent)] == [
            (500, "won"),
            (1000, "needs_response"),
        ]
        assert (await house.read(intent))["amount_disputed"] == 1000

    play(tmp_path, story)


def test_a_dispute_brings_the_news_of_its_charge(tmp_path: Path) -> None:
    """Disputed before we know that it is paid: the charge is asked about first."""

    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await house.open()
        assert (await house.pay(intent, psp.LOST_AFTER)).status_code == 202
        (attempt,) = await attempts(house, intent)
        named = open_at_bank(house, {"latest_attempt": attempt.id})
        assert (await told(house, "ntc_1", named)).status == "applied"
        seen = await house.read(intent)
        assert (seen["status"], seen["amount_received"], seen["amount_disputed"]) == ("succeeded", 4200, 4200)
        await asyncio.sleep(60)
        assert receiver.taken[-2:] == ["payment_intent.succeeded", CREATED]

    play(tmp_path, story)


def test_of_another_systems_charge_it_is_parked(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        parked = await told(house, "ntc_1", {"id": "dp_1", "reference": "order-of-another-system"})
        assert (parked.status, parked.reason) == ("parked", "Nothing here has this reference.")
        intent = await paid(house)
        unknown = await told(house, "ntc_2", {"id": "dp_none", "reference": intent["latest_attempt"]})
        assert (unknown.status, unknown.reason) == ("parked", "The PSP does not know what its notice is about.")
        other = await paid(house, key="order-2")
        named = open_at_bank(house, other)
        wrong = await told(house, "ntc_3", named | {"reference": intent["latest_attempt"]})
        assert (wrong.status, wrong.reason) == ("parked", "The PSP shows another object under this reference.")
        assert (await disputes(house, intent), await disputes(house, other)) == ([], [])

    play(tmp_path, story)


def test_two_notices_at_once_open_one_dispute(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        named = open_at_bank(house, intent)
        heard = await asyncio.gather(*(told(house, f"ntc_{number}", named) for number in range(8)))
        assert {notice.status for notice in heard} == {"applied"}
        assert len(await disputes(house, intent)) == 1
        assert await balances(house) == {"psp_clearing": 4200, "disputes": -4200}

    play(tmp_path, story)


def test_another_account_sees_nothing_of_it(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        await told(house, "ntc_1", open_at_bank(house, intent))
        (made,) = await disputes(house, intent)
        house.facts = await merchants_create(
            house.house, name="Coffee", origins=[SHOP], psp_url=PSP, psp_key="psp-key-of-coffee", fee="0"
        )
        assert (await house.send("GET", f"/v1/disputes/{made['id']}")).status_code == 404

    play(tmp_path, story)


def test_an_ordinary_payment_has_none(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house, number=VISA)
        assert await disputes(house, intent) == []
        assert intent["amount_disputed"] == 0
        missing = await house.send("GET", "/v1/disputes/dp_00000000000000000000000000")
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "resource_missing")

    play(tmp_path, story)


@pytest.mark.parametrize("fault", [None, "notice_twice", "notice_late", "notice_reordered", "notice_forged"])
def test_the_card_that_is_paid_and_then_disputed(tmp_path: Path, fault: Any) -> None:
    """From the shopper's card to the merchant's webhook, the PSP telling of all of it by itself."""

    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        telling.switch_on(house)
        if fault:
            house.world.psp.order(Fault(fault=fault, on="any", times=50))
        intent = await paid(house, number=DISPUTED)
        await asyncio.sleep(300)
        (made,) = await disputes(house, intent)
        assert (made["status"], made["reason"], made["amount"]) == ("needs_response", "fraudulent", 4200)
        (at_the_psp,) = house.world.psp.books.disputes.all
        close_at_bank(house, {"id": at_the_psp}, "lost")
        house.world.acted.set()
        await asyncio.sleep(300)
        assert [one["status"] for one in await disputes(house, intent)] == ["lost"]
        assert events(receiver) == [(CREATED, "needs_response", 1), (CLOSED, "lost", 2)]
        assert await balances(house) == {}

    play(tmp_path, story)


@pytest.mark.parametrize("what", ["refund", "keep", "hold"])
def test_of_a_late_payment_it_is_the_merchants_too(tmp_path: Path, what: str) -> None:
    """Heard of by a notice: the money that arrived too late, and that a bank takes it back. The payment stays as it is,
    and what it received can still be refunded.
    """

    async def story(house: Turned) -> None:
        intent = await lost(house)
        (late,) = await attempts(house, intent)
        assert (await house.pay(intent, VISA)).status_code == 200
        await asyncio.sleep(700)
        assert (await tell(house, "ntc_1", "charge", charge_of(house, late.id))).status_code == 200
        await asyncio.sleep(1)
        assert (await the_late(house))["status"] == {"refund": "refunded", "keep": "kept", "hold": "held"}[what]
        named = open_at_bank(house, {"latest_attempt": late.id})
        assert (await told(house, "ntc_2", named)).status == "applied"
        seen = await house.read(intent)
        assert (seen["status"], seen["amount_received"], seen["amount_disputed"]) == ("succeeded", 4200, 0)
        assert (await refund(house, intent)).json()["status"] == "succeeded"
        close_at_bank(house, named, "won")
        assert (await told(house, "ntc_3", named)).status == "applied"
        assert [one["status"] for one in await disputes(house, intent)] == ["won"]
        await asyncio.sleep(3 * DAY)
        left = {
            "refund": {},
            "keep": {"psp_clearing": 4200, "merchant_available": -4200},
            "hold": {"psp_clearing": 4200, "late_payments": -4200},
        }
        assert await balances(house) == left[what]

    play(tmp_path, story, terms={"late_payments": what})
