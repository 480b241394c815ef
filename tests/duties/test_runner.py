"""How much is begun at once, and what a stop or a fault does."""

import asyncio

import pytest
from msgspec.structs import replace

from paydesk.duties import places
from paydesk.duties.runner import RETRY_SECONDS
from paydesk.store import Duty
from paydesk.store.work import LEASE_MS
from tests.duties.office import DUTY, Office, bystanders, chore, office
from tests.store.sitter import TURNED_START_MS, SqliteSitter


def bounded(monkeypatch: pytest.MonkeyPatch, *, running: int, backlog: int) -> None:
    monkeypatch.setattr(places, "RUNNING_MAX", running)
    monkeypatch.setattr(places, "BACKLOG_MAX", backlog)


def doing(here: Office) -> asyncio.Semaphore:
    """From now on each handler waits for a release before it finishes."""
    leave = asyncio.Semaphore(0)

    async def act(duty: Duty) -> None:
        await leave.acquire()
        await here.finish(duty)

    here.act = act
    return leave


def test_no_more_run_at_once_than_may_and_the_backlog_follows(
    sitter: SqliteSitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, running=2, backlog=100)

    async def exam() -> None:
        async with office(sitter) as here:
            leave = doing(here)
            owed = await here.owe_many(10)
            await bystanders()
            assert (here.begun.qsize(), here.runner.running()) == (2, 2)
            leave.release()
            await here.gone(owed[0])
            await bystanders()
            assert (here.begun.qsize(), here.runner.running()) == (3, 2)
            for _ in owed:
                leave.release()
            await here.gone(*owed)
            order = [here.begun.get_nowait().duty.id for _ in owed]
            assert order == [duty.id for duty in owed]
            assert here.world.now_ms() < owed[0].due_ms

    sitter.run(exam())


def test_what_carries_something_is_begun_at_once_however_much_runs(
    sitter: SqliteSitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, running=1, backlog=100)

    async def exam() -> None:
        async with office(sitter) as here:
            leave = doing(here)
            for index in (1, 2):
                await here.owe(chore(index))
            for index in (3, 4):
                await here.owe(chore(index), carry=f"card {index}")
            await bystanders()
            assert [here.begun.get_nowait().thing for _ in range(3)] == [None, "card 3", "card 4"]
            assert here.begun.empty()
            for _ in range(4):
                leave.release()
            await here.gone(*map(chore, range(1, 5)))

    sitter.run(exam())


def test_what_the_backlog_does_not_hold_is_found_when_its_lease_runs_out(
    sitter: SqliteSitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, running=1, backlog=2)

    async def exam() -> None:
        async with office(sitter) as here:
            await bystanders()
            owed = await here.owe_many(5)
            await here.gone(*owed)
            begun = [here.begun.get_nowait() for _ in owed]
            assert here.begun.empty()
            assert [one.duty.lease for one in begun] == [1, 1, 1, 2, 2]
            assert [(one.at_ms - TURNED_START_MS) // LEASE_MS for one in begun] == [0, 0, 0, 1, 1]

    sitter.run(exam())


def test_a_duty_in_the_backlog_whose_lease_ran_out_is_left_to_the_clock(
    sitter: SqliteSitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, running=1, backlog=100)

    async def exam() -> None:
        async with office(sitter) as here:
            leave = doing(here)
            owed = await here.owe_many(2)
            await asyncio.sleep(1.5 * LEASE_MS / 1000)
            for _ in owed:
                leave.release()
            await here.gone(*owed)
            first, second = here.begun.get_nowait(), here.begun.get_nowait()
            assert (first.duty.lease, second.duty.lease) == (1, 2)
            assert here.begun.empty()
            assert here.log.said == []

    sitter.run(exam())


def test_a_stop_begins_nothing_more_and_lets_what_runs_end(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            leave = doing(here)
            await here.owe(chore(1))
            await here.begun.get()
            await here.owe(chore(2), after_ms=10)
            here.runner.stop()
            await here.owe(chore(3), carry="a card")
            await asyncio.sleep(200)
            assert here.begun.empty()
            assert here.runner.running() == 1
            leave.release()
            await here.gone(chore(1))
            assert [duty.subject for duty in sitter.stored(Duty) if isinstance(duty, Duty)] == ["2", "3"]

    sitter.run(exam())


def test_a_database_that_cannot_be_read_is_looked_at_again_a_little_later(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            here.reader.faults = 5
            began_ms = here.world.now_ms()
            await here.owe(after_ms=1)
            begun = await here.begun.get()
            assert begun.at_ms - began_ms in range(int(4 * RETRY_SECONDS * 1000), int(6 * RETRY_SECONDS * 1000))
            assert here.log.said == ["duties_unreadable"] * 5

    sitter.run(exam())


def test_leases_that_cannot_be_taken_are_tried_again_but_not_in_a_tight_loop(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            await here.owe(after_ms=100)
            await bystanders()
            here.store.session.begin_faults = 1_000_000
            looks = here.reader.looks
            await asyncio.sleep(20 * RETRY_SECONDS)
            assert here.begun.empty()
            assert 10 < here.reader.looks - looks < 30
            here.store.session.begin_faults = 0
            assert (await here.begun.get()).duty.lease == 1
            await here.gone()

    sitter.run(exam())


def test_a_duty_that_another_process_left_to_anybody_is_found_by_the_clock(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            await bystanders()
            sitter.store(replace(DUTY, due_ms=TURNED_START_MS + 5_000))
            begun = await here.begun.get()
            assert begun.at_ms - TURNED_START_MS in range(LEASE_MS + 200), "nobody rang; it looks once a lease"

    sitter.run(exam())
