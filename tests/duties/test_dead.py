"""A duty that fails too often is parked with its reason, the rest goes on, and people retry or drop it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from paydesk.duties.dead import Drop, Failed, Retry, find, listed
from paydesk.duties.failures import FINAL_TRIES, FIRST_MS, MOST_MS
from paydesk.duties.lease import LeaseLost, TakeLease
from paydesk.duties.rows import DeadDuty
from paydesk.errors import Refusal
from paydesk.store import Duty, StorageFault, Work
from paydesk.store.work import LEASE_MS
from tests.duties.office import DUTY, Office, bystanders, chore, office
from tests.store.exam_rows import ACCOUNT, Counter
from tests.store.sitter import TURNED_START_MS, SqliteSitter

FAR_MS = 2**62
KEY = (DUTY.account, DUTY.id)


def failing(here: Office, why: Exception, *, only: Callable[[Duty], bool] = lambda duty: True) -> None:
    """From now on these duties raise; the others are done."""

    async def act(duty: Duty) -> None:
        if only(duty):
            raise why
        await here.finish(duty)

    here.act = act


async def everything(here: Office, **by: str) -> list[DeadDuty]:
    return await listed(here.reader, **{"kind": None, "account": None, "before_ms": FAR_MS, "limit": 100} | by)


def test_a_poison_duty_is_parked_while_others_go_on(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            failing(here, ValueError("no such card: 4242424242424242"), only=lambda duty: duty.id == DUTY.id)
            await here.owe()
            for index in range(3):
                await here.owe(chore(index))
                await here.gone(chore(index))
            dead = await here.dead()
            assert (dead.tries, dead.failures) == (0, FINAL_TRIES)
            assert dead.reason == "ValueError: no such card: [digits]"
            assert dead.created_ms - TURNED_START_MS in range(100)
            assert dead.died_ms - TURNED_START_MS in range(FIRST_MS * 15 // 2, FIRST_MS * 15 + 1000)
            tries = [one for one in drained(here) if one.duty.id == DUTY.id]
            assert [one.duty.lease for one in tries] == [1, 2, 3, 4, 5]
            assert here.log.said == ["duty_failed"] * FINAL_TRIES + ["duty_parked"]
            assert not any("4242" in str(facts.get("reason")) for facts in here.log.facts)
            assert await everything(here) == [dead]
            await asyncio.sleep(3 * 3600)
            assert here.begun.empty()

    sitter.run(exam())


def drained(here: Office) -> list:
    return [here.begun.get_nowait() for _ in range(here.begun.qsize())]


def test_a_kind_that_nobody_knows_is_parked_too(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            await here.owe(replace(DUTY, kind="nobody's"))
            dead = await here.dead()
            assert (dead.kind, dead.reason) == ("nobody's", 'KeyError: "nobody\'s"')

    sitter.run(exam())


def test_what_may_go_well_by_itself_is_tried_for_as_long_as_it_takes(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            failing(here, StorageFault("the disk is full"))
            await here.owe()
            await asyncio.sleep(24 * 3600)
            row = await here.row()
            assert row is not None
            assert row.failures == here.begun.qsize() > 24 * 3_600_000 / MOST_MS
            assert (row.final_failures, row.tries, row.owner) == (0, 0, "")
            assert {*here.log.said} == {"duty_put_off"}
            here.act = here.finish
            await here.gone()
            assert await everything(here) == []

    sitter.run(exam())


def test_weather_does_not_count_towards_the_end(sitter: SqliteSitter) -> None:
    """A bug once after a night with a full disk is a bug once."""

    async def exam() -> None:
        async with office(sitter) as here:
            failing(here, StorageFault("the disk is full"))
            await here.owe()
            await asyncio.sleep(8 * 3600)
            failing(here, ZeroDivisionError())
            await asyncio.sleep(MOST_MS * 1.1 / 1000)
            row = await here.row()
            assert row is not None
            assert row.failures > FINAL_TRIES > row.final_failures > 0

    sitter.run(exam())


def test_a_try_that_ends_well_begins_the_count_anew(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            turns = 0

            async def act(duty: Duty) -> None:
                nonlocal turns
                turns += 1
                if turns % FINAL_TRIES:
                    raise ZeroDivisionError
                await here.put_off(duty, here.world.now_ms() + 1000, note=f"{turns}")

            here.act = act
            await here.owe()
            await asyncio.sleep(3600)
            assert turns > 10 * FINAL_TRIES
            row = await here.row()
            assert row is not None
            assert row.tries == turns // FINAL_TRIES
            assert row.final_failures == row.failures == turns % FINAL_TRIES

    sitter.run(exam())


def test_a_retry_is_done_at_once_and_goes_on_where_it_was(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            failing(here, ZeroDivisionError())
            await here.owe(replace(DUTY, note="so far", tries=3))
            dead = await here.dead()
            drained(here)
            here.act = here.finish
            await asyncio.sleep(3600)
            began_ms = here.world.now_ms()
            assert await here.submit(Retry(dead=(KEY, ("acct_none", "chore:none")))) == 1
            begun = await here.begun.get()
            assert begun.at_ms - began_ms < 50
            assert (begun.duty.note, begun.duty.tries, begun.duty.failures) == ("so far", 3, 0)
            assert begun.duty.created_ms == dead.created_ms
            assert begun.duty.lease == dead.lease + 1
            await here.gone()
            assert await everything(here) == []
            assert await here.submit(Retry(dead=(KEY,))) == 0

    sitter.run(exam())


def test_a_retry_that_fails_again_is_parked_again_in_its_own_place(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            failing(here, ZeroDivisionError())
            await here.owe()
            first = await here.dead()
            failing(here, KeyError("another bug"))
            await here.submit(Retry(dead=(KEY,)))
            second = await here.dead()
            assert await everything(here) == [second]
            assert second.reason.startswith("KeyError")
            assert second.created_ms == first.created_ms < first.died_ms < second.died_ms
            assert second.lease > first.lease

    sitter.run(exam())


def test_what_is_owed_again_meanwhile_is_not_owed_twice(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            failing(here, ZeroDivisionError())
            await here.owe()
            await here.dead()
            owed = await here.owe(after_ms=3_600_000)
            await here.submit(Retry(dead=(KEY,)))
            assert await here.row() == owed
            await asyncio.sleep(4 * 3600)
            assert [dead.created_ms for dead in await everything(here)] == [owed.created_ms]

    sitter.run(exam())


def test_what_is_dropped_is_never_done(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            failing(here, ZeroDivisionError())
            await here.owe()
            dead = await here.dead()
            drained(here)
            assert await here.submit(Drop(account=dead.account, id=dead.id)) == dead
            with pytest.raises(Refusal, match="no dead duty"):
                await here.submit(Drop(account=dead.account, id=dead.id))
            with pytest.raises(Refusal, match="no dead duty"):
                await find(here.reader, dead.id)
            await asyncio.sleep(2 * LEASE_MS / 1000)
            assert here.begun.empty()

    sitter.run(exam())


def test_the_dead_are_found_by_kind_account_and_id_the_longest_dead_first(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:
            failing(here, ZeroDivisionError())
            for number, (kind, account) in enumerate([("chore", ACCOUNT), ("question", ACCOUNT), ("chore", "acct_b")]):
                duty = replace(DUTY, kind=kind, account=account, id=f"{kind}:{number}")
                await here.owe(duty)
                await here.dead(duty)
            found = await everything(here)
            assert [dead.id for dead in found] == ["chore:0", "question:1", "chore:2"]
            assert await everything(here, kind="chore") == [found[0], found[2]]
            assert await everything(here, account=ACCOUNT) == found[:2]
            assert await everything(here, account="acct_b", kind="chore") == found[2:]
            assert await everything(here, account="acct_b", kind="question") == []
            assert await everything(here, limit=1) == found[:1]
            assert await everything(here, before_ms=found[1].died_ms) == found[:1]
            assert await find(here.reader, "question:1") == found[1]

    sitter.run(exam())


def test_what_waits_for_a_duty_is_told_in_the_commit_that_parks_it(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:

            def told(work: Work, dead: DeadDuty) -> None:
                work.add(Counter(account=dead.account, name=dead.subject))

            here.parked = told
            failing(here, ZeroDivisionError())
            await here.owe()
            await here.dead()
            assert await here.reader.get(Counter, DUTY.account, DUTY.subject)

    sitter.run(exam())


def test_a_duty_is_parked_also_where_what_waits_for_it_can_not_be_told(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:

            def told(work: Work, dead: DeadDuty) -> None:
                work.add(Counter(account=dead.account, name=dead.subject))
                raise LookupError("poison")

            here.parked = told
            failing(here, ZeroDivisionError())
            await here.owe()
            dead = await here.dead()
            assert dead.reason == "ZeroDivisionError; and at its end: LookupError: poison"
            assert await here.reader.get(Counter, DUTY.account, DUTY.subject) is None

    sitter.run(exam())


def test_a_failure_that_can_not_be_stored_is_found_again_when_the_lease_runs_out(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter) as here:

            async def act(duty: Duty) -> None:
                here.act = here.finish
                here.store.session.begin_faults = 1
                raise StorageFault("the disk is full")

            here.act = act
            await here.owe()
            await bystanders()
            await asyncio.sleep(1)
            assert here.log.said == ["duty_put_off", "failure_not_stored"]
            assert here.runner.running() == 0
            await here.gone()
            assert [one.duty.lease for one in drained(here)] == [1, 2]
            assert here.world.now_ms() - TURNED_START_MS in range(LEASE_MS, LEASE_MS + 1000)

    sitter.run(exam())


def test_whoever_lost_the_lease_parks_nothing(sitter: SqliteSitter) -> None:
    left = replace(DUTY, owner="gone", lease=1, due_ms=TURNED_START_MS + 1, final_failures=FINAL_TRIES - 1)
    sitter.store(left)

    async def exam() -> None:
        async with office(sitter, runs=False) as here:
            taken = await here.submit(TakeLease(duty=left, running_here=False))
            with pytest.raises(LeaseLost):
                await here.submit(Failed(duty=left, retryable=False, reason="x", chance=0))
            assert await here.row() == taken
            assert (await here.submit(Failed(duty=taken, retryable=False, reason="x", chance=0))).reason == "x"
            # Whoever held it before the retry is refused too.
            await here.submit(Retry(dead=(KEY,)))
            for late in (left, taken):
                with pytest.raises(LeaseLost):
                    await here.finish(late)

    sitter.run(exam())


async def life(sitter: SqliteSitter, process: str, act: Callable[[Office], Awaitable[None]], *, runs: bool) -> None:
    """One process from its start to its death; what it holds then, nobody gives back."""
    async with office(sitter, process, runs=runs) as here:
        await act(here)


def test_a_process_that_dies_right_after_it_parked_leaves_one_dead_duty(sitter: SqliteSitter) -> None:
    async def parks(here: Office) -> None:
        failing(here, ZeroDivisionError())
        await here.owe()
        await here.dead()

    async def looks(here: Office) -> None:
        await asyncio.sleep(2 * LEASE_MS / 1000)
        assert here.begun.empty()
        assert [dead.id for dead in await everything(here)] == [DUTY.id]

    async def exam() -> None:
        await life(sitter, "one", parks, runs=True)
        await life(sitter, "two", looks, runs=True)

    sitter.run(exam())


def test_a_process_that_dies_between_two_failures_leaves_the_count(sitter: SqliteSitter) -> None:
    async def fails_twice(here: Office) -> None:
        failing(here, ZeroDivisionError())
        await here.owe()
        while here.begun.qsize() < 2:
            await asyncio.sleep(0.1)
        await bystanders()

    async def fails_on(here: Office) -> None:
        failing(here, ZeroDivisionError())
        assert (await here.dead()).failures == FINAL_TRIES
        assert here.begun.qsize() == FINAL_TRIES - 2

    async def exam() -> None:
        await life(sitter, "one", fails_twice, runs=True)
        await life(sitter, "two", fails_on, runs=True)

    sitter.run(exam())


def test_what_a_dying_process_retried_is_done_by_the_next(sitter: SqliteSitter) -> None:
    async def parks(here: Office) -> None:
        failing(here, ZeroDivisionError())
        await here.owe()
        await here.dead()

    async def retries(here: Office) -> None:
        here.runner.stop()  # It dies before it begins.
        await here.submit(Retry(dead=(KEY,)))

    async def does(here: Office) -> None:
        begun = await here.begun.get()
        assert begun.duty.lease == FINAL_TRIES + 2
        await here.gone()
        assert await everything(here) == []

    async def exam() -> None:
        await life(sitter, "one", parks, runs=True)
        await life(sitter, "two", retries, runs=False)
        await life(sitter, "three", does, runs=True)

    sitter.run(exam())
