"""A process that dies while it refunds: the next one finds out what became of it, and gives back once."""

import asyncio
from pathlib import Path
from typing import Any

from paydesk.payments.refund_ask import RefundOutcome, SendAgain
from paydesk.payments.rows import Refund
from paydesk.store import Command, Work
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.payments.refunds import at_psp, ended, goes_wrong, judged, paid, read_refund, refund, row_of, timeline


async def begun(house: Turned, intent: dict[str, Any], seconds: float) -> dict[str, Any]:
    """A refund whose caller is about to lose the answer."""
    asking = asyncio.create_task(refund(house, intent, amount=700))
    await asyncio.sleep(seconds)
    refunds = await timeline(house, intent)
    assert refunds[-1] == "refund_begun"
    asking.cancel()
    told = (await house.send("GET", f"/v1/payment_intents/{intent['id']}/timeline")).json()["data"]
    return await read_refund(house, {"id": told[-1]["about"]})


async def one_refund(house: Turned, intent: dict[str, Any], made: dict[str, Any]) -> None:
    assert (await ended(house, made))["status"] == "succeeded"
    assert at_psp(house) == ["succeeded"]
    assert (await refund(house, intent, amount=700)).json()["id"] == made["id"]
    assert at_psp(house) == ["succeeded"]
    await judged(house)


def test_between_the_record_and_the_question(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        house.house.runner.stop()
        made = await begun(house, intent, 1)
        await house.restart()
        assert at_psp(house) == []
        await one_refund(house, intent, made)

    play(tmp_path, story)


def test_between_the_question_and_the_answer(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "late", delay_ms=10_000)
        made = await begun(house, intent, 5)
        await house.restart()
        assert at_psp(house) == ["succeeded"]
        await one_refund(house, intent, made)

    play(tmp_path, story)


def test_with_a_question_that_lands_after_the_next_start(tmp_path: Path) -> None:
    """The next one looks it up and finds nothing, and believes that only when no question can be on its way."""

    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "lands_late", delay_ms=18_000)
        made = await begun(house, intent, 1)
        await house.restart()
        await asyncio.sleep(10)
        assert at_psp(house) == []
        await one_refund(house, intent, made)

    play(tmp_path, story)


def test_with_a_last_question_that_lands_when_the_window_is_over(tmp_path: Path) -> None:
    """It may be sent no more; but that it is not there is believed no sooner for that."""

    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "lands_late", delay_ms=18_000)
        made = await begun(house, intent, 1)
        await house.house.submit(LongAgo(account=house.facts["account_id"], refund=made["id"]))
        await house.restart()
        await asyncio.sleep(10)
        assert at_psp(house) == []
        await one_refund(house, intent, made)

    play(tmp_path, story)


class LongAgo(Command[None], frozen=True):
    """As if it had been sent for the first time long ago."""

    account: str
    refund: str

    def decide(self, work: Work) -> None:
        work.change(work.get(Refund, self.account, self.refund), sent_ms=work.now_ms - 13 * 3_600_000)


def test_between_the_answer_and_its_commit(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        hold_back(house, RefundOutcome)
        made = await begun(house, intent, 1)
        await house.restart()
        await one_refund(house, intent, made)

    play(tmp_path, story)


def test_between_the_word_that_it_is_sent_again_and_the_second_question(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "lost_before")
        made = (await refund(house, intent, amount=700)).json()
        while (await row_of(house, made)).sending_ms is not None:
            await asyncio.sleep(1)
        goes_wrong(house, "lands_late", delay_ms=19_000)
        while (await row_of(house, made)).sending_ms is None:
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.5)
        await house.restart()
        assert at_psp(house) == []
        await one_refund(house, intent, made)

    play(tmp_path, story)


def test_before_the_word_that_it_is_sent_again(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await paid(house)
        goes_wrong(house, "lost_before")
        hold_back(house, SendAgain)
        made = (await refund(house, intent, amount=700)).json()
        await asyncio.sleep(120)
        assert at_psp(house) == []
        await house.restart()
        await one_refund(house, intent, made)

    play(tmp_path, story)


def hold_back(house: Turned, kind: type[Command[Any]]) -> None:
    """Commands of this kind are never decided by the process of now."""
    submit = house.house.submit

    async def held(command: Command[Any], carry: object = None) -> Any:
        if isinstance(command, kind):
            await asyncio.sleep(10_000_000)
        return await submit(command, carry)

    house.house.submit = held  # type: ignore[method-assign]
