"""What the database refuses: the batch is halved until the culprit stands alone, and everybody else is stored."""

import asyncio

import pytest

from paydesk.store import Conflict, Row, Versioned, Work
from paydesk.store.committer import BATCH, CONFLICTS, Session
from tests.store.exam_rows import ACCOUNT, Counter, Do, Ticket, counter_key, counting, ticket
from tests.store.opened import opened
from tests.store.sitter import Sitter


@pytest.mark.parametrize("culprit", [0, 31, 32, 63])
def test_one_culprit_costs_few_batches_and_nobody_else(sitter: Sitter, culprit: int) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            store.session.refuses = lambda row: isinstance(row, Ticket) and row.id == f"{culprit:02}"
            replies = await store.together(*[ticket(f"{number:02}") for number in range(BATCH)])
            assert isinstance(replies.pop(culprit), Conflict)
            assert replies == [f"{number:02}" for number in range(BATCH) if number != culprit]
            halvings = BATCH.bit_length() - 1
            assert store.committer.batches == 1 + 2 * halvings + (CONFLICTS - 1)
            assert len(store.bugs) == 1

    sitter.run(exam())
    assert len(sitter.stored(Ticket)) == BATCH - 1


def test_two_culprits(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            store.session.refuses = lambda row: isinstance(row, Ticket) and row.id in ("03", "60")
            replies = await store.together(*[ticket(f"{number:02}") for number in range(BATCH)])
            assert [reply for reply in replies if isinstance(reply, Exception)] == [replies[3], replies[60]]
            assert store.committer.batches <= 1 + 2 * 11 + 2 * (CONFLICTS - 1)

    sitter.run(exam())
    assert len(sitter.stored(Ticket)) == BATCH - 2


def test_a_key_that_exists_is_a_conflict_of_who_adds_it(sitter: Sitter) -> None:
    sitter.store(Ticket(id="t", text="first"))

    async def exam() -> None:
        async with opened(sitter) as store:
            one, twice = await store.together(counting("a"), ticket("t", "second"))
            assert one == 1
            assert isinstance(twice, Conflict)

    sitter.run(exam())
    assert sitter.stored(Ticket) == [Ticket(id="t", text="first")]


@pytest.mark.parametrize(
    "row",
    [
        Counter(name="x", value=2**63),
        Counter(name="x", value="not a number"),  # type: ignore[arg-type]
        Counter(name="x", note="\ud800"),
        Counter(name="x", note=object()),  # type: ignore[arg-type]
        Counter(name=None),  # type: ignore[arg-type]
    ],
    ids=["too-large", "text", "surrogate", "object", "no-key"],
)
def test_a_value_that_cannot_be_stored_is_the_fault_of_its_command_alone(sitter: Sitter, row: Row) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            first, bug, last = await store.together(counting("a"), Do(act=lambda work: work.add(row)), counting("a"))
            assert (first, last) == (1, 2)
            assert isinstance(bug, Exception)
            assert await store.submit(counting("a")) == 3

    sitter.run(exam())
    assert sitter.stored(Counter) == [Counter(name="a", value=3, version=3)]


async def change_after(session: Session, sitter: Sitter, before: Versioned, after: Row | None, other: Row) -> None:
    """Write over a row that another program changed since it was loaded."""
    key = counter_key("a")
    await session.begin()
    assert await session.load(Counter, [key[1]]) == [before]
    await session.rollback()
    sitter.store(other)
    await session.begin()
    try:
        with pytest.raises(Conflict):
            await session.write([(key, before, after)])
    finally:
        await session.rollback()


@pytest.mark.parametrize("after", [Counter(name="a", value=2, version=2), None], ids=["update", "delete"])
def test_a_version_that_moved_on_is_a_conflict(sitter: Sitter, after: Counter | None) -> None:
    before, other = Counter(name="a", value=1), Counter(name="a", value=100, version=2)
    sitter.store(before)
    sitter.run(change_after(sitter.session(), sitter, before, after, other))
    assert sitter.stored(Counter) == [other]


def test_a_row_that_another_changed_in_between_is_loaded_again(sitter: Sitter) -> None:
    sitter.store(Counter(name="a", value=1))

    async def exam() -> None:
        async with opened(sitter) as store:

            async def meddle() -> None:
                await store.engine.rollback()
                sitter.store(Counter(name="a", value=100, version=2))
                await store.engine.begin()

            store.session.before_write = meddle
            assert await store.submit(counting("a")) == 101
            assert store.committer.batches == 2
            assert not store.bugs

    sitter.run(exam())
    assert sitter.stored(Counter) == [Counter(name="a", value=101, version=3)]


def test_a_row_that_another_removed_is_a_conflict_and_then_gone(sitter: Sitter) -> None:
    sitter.store(Ticket(id="t"))

    def take(work: Work) -> str:
        work.remove(work.get(Ticket, ACCOUNT, "t"))
        return "taken"

    async def exam() -> None:
        async with opened(sitter) as store:
            one, two = await store.together(Do(act=take), Do(act=take))
            assert one == "taken"
            assert isinstance(two, Exception)
            assert await asyncio.gather(store.submit(counting("a"))) == [1]

    sitter.run(exam())
    assert sitter.stored(Ticket) == []
