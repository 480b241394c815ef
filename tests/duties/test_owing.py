"""A duty is owed with the commit, begun at once with what was carried, and wakes the runner when it is due."""

import asyncio

import pytest

from paydesk.errors import Refusal
from paydesk.store import Duty, Work
from paydesk.store.work import LEASE_MS
from tests.duties.office import DUTY, bystanders, chore, office
from tests.store.exam_rows import Do
from tests.store.faults import Gate
from tests.store.sitter import SqliteSitter


def test_a_duty_is_begun_at_once_with_what_was_carried_and_without_asking_the_database(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            await bystanders()
            looks, now_ms = here.reader.looks, here.world.now_ms()
            here.act = lambda duty: bystanders()
            owed = await here.owe(carry="a card")
            begun = await here.begun.get()
            assert (begun.duty, begun.thing, begun.at_ms) == (owed, "a card", now_ms)
            assert (owed.owner, owed.lease, owed.due_ms) == ("here", 1, now_ms + LEASE_MS)
            assert await here.row() == owed
            assert here.reader.looks <= looks + 1, "at most one look, to learn when the lease ends"

    sitter.run(exam())


def test_nothing_is_begun_before_the_commit(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            gate = here.store.session.hold_commit()
            waiting = asyncio.create_task(here.owe(carry="a card"))
            await gate.reached.wait()
            await bystanders()
            assert here.begun.empty()
            gate.open()
            await waiting
            assert (await here.begun.get()).thing == "a card"

    sitter.run(exam())


def test_a_cancelled_caller_cancels_no_duty(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            gate = here.store.session.hold_commit()
            waiting = asyncio.create_task(here.owe(carry="a card"))
            await gate.reached.wait()
            waiting.cancel()
            gate.open()
            assert (await here.begun.get()).thing == "a card"
            await here.gone()

    sitter.run(exam())


def test_a_refused_command_owes_nothing(sitter: SqliteSitter) -> None:
    def act(work: Work) -> None:
        work.owe(DUTY)
        raise Refusal("invalid_state")

    async def exam() -> None:
        async with office(sitter) as here:
            with pytest.raises(Refusal):
                await here.submit(Do(act=act), "a card")
            await bystanders()
            assert here.begun.empty()
            assert await here.row() is None

    sitter.run(exam())


def test_what_is_finished_is_gone_and_not_begun_again(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            await here.owe()
            await here.gone()
            await asyncio.sleep(3 * LEASE_MS / 1000)
            assert here.begun.qsize() == 1
            assert here.runner.running() == 0

    sitter.run(exam())
    assert sitter.stored(Duty) == []


@pytest.mark.parametrize("after_ms", [1, 7, 250, 90_001, 10 * 3_600_000 + 3])
def test_a_duty_for_later_is_begun_exactly_then(sitter: SqliteSitter, after_ms: int) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            await bystanders()
            now_ms = here.world.now_ms()
            owed = await here.owe(after_ms=after_ms)
            assert (owed.owner, owed.lease, owed.due_ms) == ("", 0, now_ms + after_ms)
            begun = await here.begun.get()
            assert begun.at_ms - owed.due_ms in range(21), "due, and then committed, perhaps with company"
            assert (begun.duty.owner, begun.duty.lease, begun.thing) == ("here", 1, None)
            await here.gone()
            assert here.reader.looks < 8 + after_ms / LEASE_MS, "it slept in between"

    sitter.run(exam())


def test_an_earlier_duty_wakes_who_sleeps_for_a_later_one(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            now_ms = here.world.now_ms()
            await here.owe(chore(1), after_ms=50_000)
            await bystanders()
            await here.owe(chore(2), after_ms=1_000)
            first, second = await here.begun.get(), await here.begun.get()
            assert [first.duty.subject, second.duty.subject] == ["2", "1"]
            assert [(begun.at_ms - now_ms) // 1000 for begun in (first, second)] == [1, 50]

    sitter.run(exam())


def test_duties_for_after_the_next_one_do_not_wake_the_runner(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            await here.owe(chore(0), after_ms=50_000)
            await bystanders()
            looks = here.reader.looks
            for index in range(1, 20):
                await here.owe(chore(index), after_ms=50_000 + index)
                await bystanders()
            assert here.reader.looks == looks

    sitter.run(exam())


def test_a_duty_owed_while_the_runner_looks_is_not_missed(sitter: SqliteSitter) -> None:
    """On an engine whose reading takes time; SQLite answers at once."""

    async def exam() -> None:
        async with office(sitter) as here:
            await bystanders()
            gate = here.reader.gate = Gate()
            await here.owe(chore(1), after_ms=10_000)
            await gate.reached.wait()
            owed = await here.owe(chore(2), after_ms=1_000)
            await bystanders()
            gate.open()
            first = await here.begun.get()
            assert first.duty.subject == "2"
            assert first.at_ms - owed.due_ms in range(21)

    sitter.run(exam())


def test_a_duty_put_off_waits_for_its_time(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            again = asyncio.Event()

            async def once_later(duty: Duty) -> None:
                here.act = here.finish
                off = await here.put_off(duty, here.world.now_ms() + 5_000, note="tried")
                assert (off.owner, off.tries, off.note, off.lease) == ("", 1, "tried", 1)
                again.set()

            here.act = once_later
            await here.owe(carry="a card")
            first, second = await here.begun.get(), await here.begun.get()
            assert again.is_set()
            assert second.at_ms - first.at_ms in range(5_000, 5_021)
            assert (second.thing, second.duty.tries, second.duty.note) == (None, 1, "tried")
            assert (second.duty.owner, second.duty.lease) == ("here", 2)
            await here.gone()

    sitter.run(exam())


def test_a_duty_put_off_until_now_comes_again_at_once_and_keeps_its_note(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:

            async def once_now(duty: Duty) -> None:
                here.act = here.finish
                await here.put_off(duty, here.world.now_ms())

            here.act = once_now
            await here.owe(DUTY.__class__(account=DUTY.account, id=DUTY.id, kind="chore", subject="1", note="kept"))
            first, second = await here.begun.get(), await here.begun.get()
            assert second.at_ms - first.at_ms <= 20
            assert second.duty.note == "kept"

    sitter.run(exam())


def test_many_that_are_due_at_a_start_are_all_begun(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter, runs=False) as here:
            owed = await here.owe_many(200, after_ms=1)
        await asyncio.sleep(1)
        async with office(sitter, "next") as there:
            await there.gone(*owed)
            assert there.begun.qsize() == 200
            assert there.reader.looks < 20

    sitter.run(exam())
