"""Notices from PSPs: whatever order they come in and however often, the payment ends as the PSP's own books say."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from paydesk.payments.notices.heed import ABOUT
from paydesk.payments.rows import Intent, Notice
from paydesk.store import Duty
from paydesk.worker.pruning import SWEEPS, prune
from paydesk_sandbox.psp.faults import Fault
from tests.journeys import psp, telling
from tests.journeys.telling import attempts, charge_of, notice, tell
from tests.journeys.test_delivery_schedule import CREATED, HOUR, SUCCEEDED, play
from tests.journeys.turned import Turned
from tests.stage.shopper import DECLINED, VISA

NO_TEXT = b'{"id": "\xff", "type": "charge.updated", "object": {"id": "ch_1"}}'
NESTED = b'{"more": ' + b"[" * 5000


def test_a_notice_before_the_psps_own_answer_settles_the_payment(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await house.open()
        house.world.psp.order(Fault(fault="late", delay_ms=15_000))
        paying = asyncio.create_task(house.pay(intent, VISA))
        await asyncio.sleep(1)
        assert (await house.read(intent))["status"] == "processing"
        (attempt,) = await attempts(house, intent)
        assert (await tell(house, "ntc_1", "charge", charge_of(house, attempt.id))).status_code == 200
        answer = await paying
        assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
        assert house.world.monotonic() < 5, "the shopper heard when the notice came, not when the PSP answered"

        before = await house.read(intent)
        await asyncio.sleep(60)
        assert await house.read(intent) == before, "its own answer, later, changes nothing"
        assert receiver.taken == [CREATED, SUCCEEDED]
        assert house.captured() == [4200]
        assert (await notice(house, "ntc_1")).status == "applied"

    play(tmp_path, story)


def test_a_notice_answers_for_a_psp_that_never_did(tmp_path: Path) -> None:
    """And nothing is asked any more: the duty that would look up is gone."""

    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        intent = await house.open()
        answer = await house.pay(intent, psp.LOST_AFTER)
        assert (answer.status_code, answer.json()["outcome"]) == (202, "unknown")
        (attempt,) = await attempts(house, intent)
        await tell(house, "ntc_1", "charge", charge_of(house, attempt.id))
        await asyncio.sleep(0.5)
        seen = await house.read(intent)
        assert (seen["status"], seen["amount_received"]) == ("succeeded", 4200)
        assert await house.house.reader.get(Duty, attempt.account, f"ask_psp:{attempt.id}") is None
        await asyncio.sleep(HOUR)
        assert receiver.taken == [CREATED, "payment_intent.processing", SUCCEEDED]

    play(tmp_path, story)


def test_the_same_notice_twice_is_one_and_others_about_the_same_change_nothing(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        await house.pay(intent, VISA)
        before = await house.read(intent)
        charge = charge_of(house, before["latest_attempt"])
        asked = house.house.metrics.verdicts.labels("sandbox", "Captured")._value.get()
        for notice_id in ("ntc_1", "ntc_1", "ntc_2", "ntc_1"):
            answer = await tell(house, notice_id, "charge", charge)
            assert (answer.status_code, answer.json()) == (200, {"received": True})
        await asyncio.sleep(1)
        first, second = await notice(house, "ntc_1"), await notice(house, "ntc_2")
        assert (first.status, first.tries, second.status) == ("applied", 1, "applied")
        assert await house.read(intent) == before
        asked_after = house.house.metrics.verdicts.labels("sandbox", "Captured")._value.get()
        assert asked_after == asked, "nothing can come of it, so the PSP is not asked"

    play(tmp_path, story)


@pytest.mark.parametrize("claims", ["captured", "declined", "released", "refunded", "nonsense"])
def test_what_a_notice_claims_is_not_believed(tmp_path: Path, claims: str) -> None:
    """Late, out of order or lying: the PSP is asked how things stand, and it says declined."""

    async def story(house: Turned) -> None:
        intent = await house.open()
        assert (await house.pay(intent, DECLINED)).status_code == 402
        before = await house.read(intent)
        told = charge_of(house, before["latest_attempt"]) | {"status": claims, "amount": 1, "amount_captured": 4200}
        assert (await tell(house, "ntc_1", "charge", told)).status_code == 200
        await asyncio.sleep(1)
        assert await house.read(intent) == before
        assert (await notice(house, "ntc_1")).status == "applied"

    play(tmp_path, story)


def test_forged_stale_and_unknown_get_one_answer_and_leave_nothing(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        house.world.psp.order(Fault(fault="lost_after"))
        await house.pay(intent, VISA)
        (attempt,) = await attempts(house, intent)
        secret, now_ms = house.facts["notice_secret"], house.world.wall_ms()
        body = telling.body_of("ntc_1", "charge", charge_of(house, attempt.id))
        other = telling.body_of("ntc_2", "charge", charge_of(house, attempt.id))
        good, path = telling.signed(body, secret, now_ms), telling.path_of(house)
        tries = {
            "another secret": (body, telling.signed(body, "not the secret of it", now_ms), path),
            "another body": (other, good, path),
            "no signature": (body, {}, path),
            "too old": (body, telling.signed(body, secret, now_ms - 301_000), path),
            "too new": (body, telling.signed(body, secret, now_ms + 301_000), path),
            "unreadable": (b"{", telling.signed(b"{", secret, now_ms), path),
            "no text": (NO_TEXT, telling.signed(NO_TEXT, secret, now_ms), path),
            "nested deep": (NESTED, telling.signed(NESTED, secret, now_ms), path),
            "another account": (body, good, path[:-1] + ("0" if path[-1] != "0" else "1")),
            "no account": (body, good, path.rsplit("/", 1)[0] + "/acct_'or 1=1"),
            "another PSP": (body, good, path.replace("/sandbox/", "/adyen/")),
        }
        answers = {name: await telling.post(house, *one) for name, one in tries.items()}
        shapes = set()
        for name, answer in answers.items():
            error = answer.json()["error"]
            assert answer.status_code == 401, name
            shapes.add(tuple(sorted((key, value) for key, value in error.items() if key != "request_id")))
        assert len(shapes) == 1, "one answer, whatever is wrong"
        assert await house.house.reader.number("SELECT count(*) FROM notices", ()) == 0
        assert house.house.metrics.notices.labels("refused")._value.get() == len(tries)
        assert (await telling.post(house, body, good)).status_code == 200, "and the good one is taken"

    play(tmp_path, story)


def test_a_signature_twice_or_a_body_too_large_is_refused(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        body = telling.body_of("ntc_1", "charge", {"id": "ch_1", "reference": "at_1"})
        headers = telling.signed(body, house.facts["notice_secret"], house.world.wall_ms())
        async with house.http() as client:
            twice = [*headers.items(), ("psp-signature", headers["psp-signature"])]
            answer = await client.post(telling.path_of(house), content=body, headers=twice)
        assert answer.status_code == 401

        large = telling.body_of("ntc_1", "charge", {"id": "ch_1", "reference": "at_1", "more": "x" * 64 * 1024})
        headers = telling.signed(large, house.facts["notice_secret"], house.world.wall_ms())
        answer = await telling.post(house, large, headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
        assert "64 KiB" in answer.json()["error"]["message"]

    play(tmp_path, story)


def test_notices_have_a_rate_limit_of_their_own(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        answers = [await telling.post(house, b"{}", {}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 4 + [429] * 2
        assert answers[-1].headers["retry-after"] == "1"
        assert (await house.open())["status"] == "requires_payment_method", "others are not held up by it"

    play(tmp_path, story, rate_limits=True, notices_per_second_per_address=2)


def test_a_notice_about_something_unknown_is_parked_and_tried_for_a_day(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        await tell(house, "ntc_1", "charge", {"id": "ch_unknown", "reference": "order-of-another-system"})
        await asyncio.sleep(1)
        parked = await notice(house, "ntc_1")
        assert (parked.status, parked.tries, parked.settled_ms) == ("parked", 1, None)
        assert parked.reason == "Nothing here has this reference."
        await asyncio.sleep(23 * HOUR)
        tries = (await notice(house, "ntc_1")).tries
        assert 8 <= tries <= 12, "further and further apart"
        await asyncio.sleep(2 * HOUR)
        last = await notice(house, "ntc_1")
        assert last.status == "parked"
        assert last.settled_ms
        assert 0 <= last.settled_ms - last.received_ms - 24 * 3_600_000 < 1_000
        await asyncio.sleep(48 * HOUR)
        assert await notice(house, "ntc_1") == last, "then it stays, for people"

    play(tmp_path, story)


def test_a_notice_about_nothing_that_is_kept_is_ignored(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        await tell(house, "ntc_1", "payout", {"id": "po_1", "arrives": "tomorrow"})
        await asyncio.sleep(1)
        ignored = await notice(house, "ntc_1")
        assert (ignored.status, ignored.about, ignored.tries) == ("ignored", "", 0)

    play(tmp_path, story)


def test_while_the_psp_is_away_a_notice_waits(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        answer = await house.pay(intent, psp.LOST_AFTER)
        assert answer.status_code == 202
        (attempt,) = await attempts(house, intent)
        house.world.away = True
        await tell(house, "ntc_1", "charge", charge_of(house, attempt.id))
        await asyncio.sleep(4 * HOUR)
        waiting = await notice(house, "ntc_1")
        assert (waiting.status, waiting.reason) == ("new", "refused")
        assert 6 <= waiting.tries <= 9, "further and further apart"
        assert (await house.read(intent))["status"] == "processing"
        house.world.away = False
        await asyncio.sleep(7 * HOUR)
        assert (await notice(house, "ntc_1")).status == "applied"
        assert (await house.read(intent))["status"] == "succeeded"

    play(tmp_path, story)


def test_a_notice_about_another_charge_under_the_same_reference_is_shown(tmp_path: Path) -> None:
    """The PSP charged twice, or mixed things up: no verdict on this attempt, but people must see it."""

    async def story(house: Turned) -> None:
        intent = await house.open()
        await house.pay(intent, DECLINED)
        attempt = (await house.read(intent))["latest_attempt"]
        await tell(house, "ntc_1", "charge", charge_of(house, attempt) | {"id": "ch_second"})
        await asyncio.sleep(1)
        parked = await notice(house, "ntc_1")
        assert (parked.status, parked.reason) == ("parked", "The PSP shows another object under this reference.")
        assert parked.settled_ms is not None

    play(tmp_path, story)


def test_a_notice_wakes_a_shopper_who_waits(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        await house.pay(intent, psp.LOST_AFTER)
        seen = await house.read(intent)
        (attempt,) = await attempts(house, intent)
        path = f"/v1/payment_intents/{intent['id']}/status"

        async def wait() -> tuple[float, str]:
            parameters = {"wait": "30", "after": str(seen["version"])}
            answer = await house.send("GET", path, params=parameters)
            return house.world.monotonic(), answer.json()["status"]

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.5)
        told_at = house.world.monotonic()
        await tell(house, "ntc_1", "charge", charge_of(house, attempt.id))
        woken_at, status = await waiting
        assert (status, woken_at - told_at < 0.1) == ("succeeded", True)

    play(tmp_path, story)


def test_a_house_that_died_after_the_200_sees_to_the_notice_when_it_is_back(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        await house.pay(intent, psp.LOST_AFTER)
        (attempt,) = await attempts(house, intent)
        house.house.runner.stop()  # Nothing that is owed begins: as good as dead.
        await tell(house, "ntc_1", "charge", charge_of(house, attempt.id))
        await asyncio.sleep(1)
        assert (await notice(house, "ntc_1")).status == "new"
        house.house.runner._stopped = False
        house.world.spawn(house.house.runner.run(), "duties, again")
        await asyncio.sleep(120)
        assert (await notice(house, "ntc_1")).status == "applied"
        found = await house.house.reader.get(Intent, attempt.account, intent["id"])
        assert found
        assert found.status == "succeeded"

    play(tmp_path, story)


def test_what_is_done_with_is_forgotten_after_thirty_days(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        await house.pay(intent, VISA)
        await tell(house, "ntc_1", "charge", charge_of(house, (await house.read(intent))["latest_attempt"]))
        await tell(house, "ntc_2", "charge", {"id": "ch_unknown", "reference": "order-of-another-system"})
        (sweep,) = [sweep for sweep in SWEEPS if sweep.kind is Notice]
        await asyncio.sleep(29 * 24 * HOUR)
        assert await prune(house.house, sweep) == 0
        await asyncio.sleep(25 * HOUR)
        assert await prune(house.house, sweep) == 1
        assert (await notice(house, "ntc_2")).status == "parked"

    play(tmp_path, story)


FAULTS = (
    "notice_twice", "notice_late", "notice_lost", "notice_reordered", "notice_early", "notice_forged", "notice_unknown",
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("answer", ["answered", "lost"])
def test_whatever_goes_wrong_with_notices_the_books_agree(tmp_path: Path, fault: Any, answer: str) -> None:
    """The PSP tells of all it does, and something goes wrong with every notice of it."""

    async def story(house: Turned) -> None:
        receiver = await house.receiver("tea")
        telling.switch_on(house)
        house.world.psp.order(Fault(fault=fault, on="any", times=50))
        paid = await house.open("paid")
        await house.pay(paid, VISA if answer == "answered" else psp.LOST_AFTER)
        refused = await house.open("refused")
        assert (await house.pay(refused, DECLINED)).status_code == 402
        await asyncio.sleep(600)
        assert (await house.read(paid))["status"] == "succeeded"
        assert (await house.read(refused))["status"] == "requires_payment_method"
        assert house.captured() == [4200]
        assert receiver.taken.count(SUCCEEDED) == 1
        statuses = await house.house.reader.query(
            Notice, f'SELECT {", ".join(Notice.__struct_fields__)} FROM "notices"', ()
        )
        counts = Counter(one.status for one in statuses)
        wanted = {"notice_lost": {}, "notice_unknown": {"applied": 2, "parked": 2}}.get(fault, {"applied": 2})
        assert counts == wanted
        assert house.world.psp.faults.hits[fault] >= 2

    play(tmp_path, story)


def test_one_that_can_not_be_seen_to_is_parked_with_the_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours: people find it among the parked notices and the dead duties, and retry when it is mended."""

    async def story(house: Turned) -> None:
        intent = await house.open()
        await house.pay(intent, psp.LOST_AFTER)
        (attempt,) = await attempts(house, intent)

        async def bug(*_: Any) -> Any:
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setitem(ABOUT, "charge", bug)
            await tell(house, "ntc_1", "charge", charge_of(house, attempt.id))
            await asyncio.sleep(48 * HOUR)
        parked = await notice(house, "ntc_1")
        assert (parked.status, parked.reason) == ("parked", "Seeing to it failed: `paydesk dead list` says why.")
        assert set(house.faults()) == {"duty_failed", "duty_parked"}
        done = await house.operate("dead retry", duty_id=f"notice:{attempt.account}/sandbox/ntc_1", kind=None)
        assert done == {"done": {"retried": 1}}
        await asyncio.sleep(1)
        assert (await notice(house, "ntc_1")).status == "applied"

    play(tmp_path, story)
