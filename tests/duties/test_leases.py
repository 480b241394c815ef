"""A duty belongs to one process at a time; another takes it only when the lease ran out."""

import asyncio

import pytest
from msgspec.structs import replace

from paydesk.duties.lease import LeaseLost, TakeLease
from paydesk.store import Duty
from paydesk.store.work import LEASE_MS
from tests.duties.office import DUTY, bystanders, office
from tests.store.sitter import TURNED_START_MS, SqliteSitter

LEFT = replace(DUTY, owner="gone", lease=1, due_ms=TURNED_START_MS + 30_000)


def test_a_lease_that_ran_out_is_taken_by_the_clock_exactly_once(sitter: SqliteSitter) -> None:
    sitter.store(LEFT)

    async def exam() -> None:
        async with office(sitter, "one") as one, office(sitter, "two") as two:
            for process in (one, two):
                process.act = lambda duty: asyncio.sleep(1)
            waiting = [asyncio.create_task(process.begun.get()) for process in (one, two)]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(10)
            (begun,) = [task.result() for task in waiting if task.done()]
            assert begun.at_ms - LEFT.due_ms in range(200)
            assert (begun.duty.owner, begun.duty.lease) == (begun.process, 2)
            assert one.begun.qsize() + two.begun.qsize() == 0
            for task in waiting:
                task.cancel()

    sitter.run(exam())


def test_a_lease_that_holds_is_left_alone(sitter: SqliteSitter) -> None:
    sitter.store(LEFT)

    async def exam() -> None:
        async with office(sitter) as here:
            await asyncio.sleep(29.9)
            assert here.begun.empty()
            assert await here.row() == LEFT

    sitter.run(exam())


def test_the_lease_of_a_running_duty_is_extended_and_it_is_not_begun_twice(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            done = asyncio.Event()

            async def long(duty: Duty) -> None:
                await done.wait()
                await here.finish(duty)

            here.act = long
            await bystanders()
            owed = await here.owe()
            await asyncio.sleep(2.5 * LEASE_MS / 1000)
            now = await here.row()
            assert now is not None
            assert (now.lease, now.owner) == (1, "here")
            assert now.due_ms - (owed.due_ms + 2 * LEASE_MS) in range(100)
            assert here.runner.running() == here.runner.running("chore") == 1
            assert here.runner.running("other") == 0
            done.set()
            await here.gone()
            assert here.begun.qsize() == 1

    sitter.run(exam())


def test_what_an_older_holder_writes_is_refused(sitter: SqliteSitter) -> None:
    sitter.store(LEFT)

    async def exam() -> None:
        async with office(sitter, runs=False) as here:
            taken = await here.submit(TakeLease(duty=LEFT, running_here=False))
            assert (taken.lease, taken.owner) == (2, "here")
            for late in (here.finish(LEFT), here.put_off(LEFT, 5)):
                with pytest.raises(LeaseLost):
                    await late
            assert await here.row() == taken
            await here.finish(taken)
            with pytest.raises(LeaseLost):
                await here.finish(taken)

    sitter.run(exam())


def test_two_who_take_the_same_lease_at_once(sitter: SqliteSitter) -> None:
    sitter.store(LEFT)

    async def exam() -> None:
        async with office(sitter, "one", runs=False) as one, office(sitter, "two", runs=False) as two:
            take = TakeLease(duty=LEFT, running_here=False)
            taken = await asyncio.gather(*[process.submit(take) for process in (one, two, one, two)])
            assert [row.lease for row in taken if row] == [2]

    sitter.run(exam())


def test_a_holder_that_lost_its_lease_is_logged_and_forgotten(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            go = asyncio.Event()

            async def slow(duty: Duty) -> None:
                await go.wait()
                await here.finish(duty)

            here.act = slow
            owed = await here.owe()
            await here.begun.get()
            stolen = replace(owed, owner="two", lease=2, version=2)
            sitter.store(stolen)
            go.set()
            await bystanders()
            assert here.log.said == ["lease_lost"]
            assert here.runner.running() == 0
            assert await here.row() == stolen

    sitter.run(exam())
