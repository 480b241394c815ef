"""Who waits, who goes first, who is refused, and that nobody is forgotten."""

import asyncio
import itertools
import random

import pytest

from paydesk.errors import Refusal
from paydesk.store import Bounds, Rank, Work
from paydesk.store.committer import BATCH, COMPANY_SECONDS, SHARE
from tests.store.exam_rows import Background, Counter, Do, Ticket, counting, of_rank, sized, ticket
from tests.store.opened import Opened, everybody_else, opened
from tests.store.sitter import Sitter, SqliteSitter


async def held(store: Opened, *waiting: Do) -> tuple[list[asyncio.Task[object]], asyncio.Event]:
    """Everything in `waiting` queues up behind a batch under way, which ends when the event is set."""
    gate, go = store.session.hold_commit(), asyncio.Event()
    first = store.start(of_rank(ticket("first"), Rank.APPLY))
    await gate.reached.wait()
    rest = store.start(*waiting)
    await everybody_else()

    async def let_go() -> None:
        await go.wait()
        gate.open()

    return [*first, *rest, asyncio.create_task(let_go())], go


def overloaded(reply: object) -> bool:
    return isinstance(reply, Refusal) and (reply.code, reply.retry_after_seconds) == ("overloaded", 1)


LOADS = {
    "count": (Bounds(commands_max=4), 512),
    "bytes": (Bounds(bytes_max=4000), 1000),
}


@pytest.mark.parametrize("by", LOADS)
def test_too_much_is_refused_before_any_effect_but_never_what_happened_outside(sitter: Sitter, by: str) -> None:
    bounds, size = LOADS[by]

    async def exam() -> None:
        async with opened(sitter, bounds=bounds) as store:
            waiting, go = await held(store, *[sized(ticket(f"{number}"), size) for number in range(4)])
            assert store.committer.waiting == 4
            for rank in (Rank.CREATE, Rank.CONFIRM):
                assert overloaded((await store.together(sized(of_rank(ticket("no"), rank), size)))[0])
            never = [of_rank(sized(ticket(rank.name), size), rank) for rank in (Rank.APPLY, Rank.BACKGROUND)]
            waiting += store.start(*never)
            await everybody_else()
            assert store.committer.waiting == 6
            go.set()
            await asyncio.gather(*waiting)
            assert store.committer.waiting == 0
            assert await store.together(*[sized(counting("a"), size) for _ in range(4)]) == [1, 2, 3, 4]

    sitter.run(exam())
    names = {"first", "0", "1", "2", "3", "APPLY", "BACKGROUND"}
    assert {row.id for row in sitter.stored(Ticket) if isinstance(row, Ticket)} == names


def test_no_rank_starves(sitter: Sitter) -> None:
    many = 3 * BATCH

    async def exam() -> None:
        async with opened(sitter) as store:
            flood = [of_rank(ticket(f"{rank.name}{n:03}"), rank) for rank in reversed(Rank) for n in range(many)]
            waiting, go = await held(store, *flood)
            go.set()
            await asyncio.gather(*waiting)
            second = [getattr(after, "id", "") for _, _, after in store.session.written[1]]
            shares = {rank.name: sum(name.startswith(rank.name) for name in second) for rank in Rank}
            assert shares == {"APPLY": BATCH - 3 * SHARE, "CONFIRM": SHARE, "CREATE": SHARE, "BACKGROUND": SHARE}
            assert store.committer.batches == 1 + len(Rank) * many // BATCH

    sitter.run(exam())
    assert len(sitter.stored(Ticket)) == 1 + len(Rank) * many


def test_a_batch_holds_no_more_than_it_may(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            await store.together(*[ticket(f"{number:03}") for number in range(BATCH + 1)])
            assert [len(batch) - 1 for batch in store.session.written] == [BATCH, 1]

    sitter.run(exam())


async def seconds(store: Opened, *commands: Do) -> float:
    began = store.world.monotonic()
    await store.together(*commands)
    return store.world.monotonic() - began


def test_records_alone_wait_a_little_for_company_and_with_company_not_at_all(turned: SqliteSitter) -> None:
    async def exam() -> None:
        async with opened(turned) as store:
            record = counting("a", kind=Background)
            assert await seconds(store, record) == pytest.approx(COMPANY_SECONDS)
            assert await seconds(store, record, record) == pytest.approx(COMPANY_SECONDS)
            assert await seconds(store, record, counting("b")) == 0
            assert await seconds(store, *[record] * BATCH) == 0
            assert await seconds(store, counting("b")) == 0
            assert store.committer.batches == 5

    turned.run(exam())


def test_company_that_comes_later_is_not_kept_waiting(turned: SqliteSitter) -> None:
    async def exam() -> None:
        async with opened(turned) as store:
            began = store.world.monotonic()
            record = store.start(counting("a", kind=Background))
            await asyncio.sleep(COMPANY_SECONDS / 2)
            record += store.start(counting("a", kind=Background))
            await asyncio.sleep(COMPANY_SECONDS / 4)
            assert await store.submit(counting("a")) == 1
            assert store.world.monotonic() - began == pytest.approx(COMPANY_SECONDS * 3 / 4)
            assert await asyncio.gather(*record) == [2, 3]
            assert store.committer.batches == 1

    turned.run(exam())


def test_records_that_keep_coming_do_not_put_it_off_for_ever(turned: SqliteSitter) -> None:
    async def exam() -> None:
        async with opened(turned) as store:
            began = store.world.monotonic()
            first, *rest = store.start(counting("a", kind=Background))
            for _ in range(6):
                await asyncio.sleep(COMPANY_SECONDS / 4)
                rest += store.start(counting("a", kind=Background))
            assert first.done()
            await asyncio.gather(first, *rest)
            assert store.world.monotonic() - began < 2.6 * COMPANY_SECONDS

    turned.run(exam())


@pytest.mark.parametrize("ranks", [[Rank.CREATE], [Rank.CREATE, Rank.BACKGROUND], [Rank.BACKGROUND]])
def test_no_wake_up_is_lost_when_commands_race_the_end_of_a_batch(sitter: Sitter, ranks: list[Rank]) -> None:
    dice, numbers, per_racer = random.Random(7), itertools.count(), 60

    async def racer(store: Opened) -> None:
        for _ in range(per_racer):
            await store.submit(of_rank(ticket(f"{next(numbers)}"), dice.choice(ranks)))
            for _ in range(dice.randrange(6)):
                await asyncio.sleep(0)

    async def exam() -> None:
        async with opened(sitter) as store:
            await asyncio.gather(*[racer(store) for _ in range(3)])

    sitter.run(exam())
    assert len(sitter.stored(Ticket)) == 3 * per_racer


@pytest.mark.parametrize("turns", range(12))
def test_a_command_that_comes_at_any_moment_of_a_batch_is_done(turned: SqliteSitter, turns: int) -> None:
    async def exam() -> None:
        async with opened(turned) as store:
            for rank in Rank:
                (first,) = store.start(of_rank(counting("a"), rank))
                for _ in range(turns):
                    await asyncio.sleep(0)
                await asyncio.gather(first, *store.start(counting("a"), counting("a", kind=Background)))

    turned.run(exam())
    assert turned.stored(Counter) == [Counter(name="a", value=12, version=12)]


def test_close_does_what_waits_and_takes_nothing_new(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            waiting, go = await held(store, *[of_rank(ticket(rank.name), rank) for rank in Rank])
            store.committer.close()
            for rank in Rank:
                (no,) = await store.together(of_rank(ticket("late"), rank))
                assert isinstance(no, Refusal)
                assert no.code == "storage_unavailable"
            assert store.committer.waiting == len(Rank)
            go.set()
            await asyncio.gather(*waiting)

    sitter.run(exam())
    assert len(sitter.stored(Ticket)) == 1 + len(Rank)


def test_close_lets_records_go_at_once(turned: SqliteSitter) -> None:
    async def exam() -> None:
        async with opened(turned) as store:
            began = store.world.monotonic()
            (record,) = store.start(counting("a", kind=Background))
            await everybody_else()
            store.committer.close()
            await record
            assert store.world.monotonic() == began

    turned.run(exam())


def test_a_command_is_stamped_when_it_is_submitted_not_when_it_is_decided(turned: SqliteSitter) -> None:
    async def exam() -> None:
        async with opened(turned) as store:
            submitted_ms = store.world.now_ms()
            now: list[Do] = [Do(act=lambda work: (work.now_ms, work.process))]
            waiting, go = await held(store, *now)
            await asyncio.sleep(5)
            go.set()
            assert (await asyncio.gather(*waiting))[1] == (submitted_ms, "here")

    turned.run(exam())


def test_a_size_that_cannot_be_told_is_its_callers_trouble(sitter: Sitter) -> None:
    class Unsized(Do, frozen=True):
        def size_bytes(self) -> int:
            raise ValueError("no size")

    def act(work: Work) -> None:
        raise AssertionError("never decided")

    async def exam() -> None:
        async with opened(sitter) as store:
            bug, one = await store.together(Unsized(act=act), counting("a"))
            assert isinstance(bug, ValueError)
            assert (one, store.committer.waiting) == (1, 0)

    sitter.run(exam())
