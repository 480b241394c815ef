"""What a batch writes: each row once, however often it changed."""

import pytest

from paydesk.store import Row, Work
from paydesk.store.committer import Change
from paydesk.store.rows import Marker
from paydesk.store.statements import LOAD_SIZES
from tests.store.exam_rows import ACCOUNT, Counter, Do, Ticket, counter_key, counting, ticket, ticket_key
from tests.store.opened import Opened, opened
from tests.store.sitter import Sitter


def changes(store: Opened) -> list[list[Change]]:
    """What was written, but for the markers."""
    return [[change for change in batch if change[0][0] is not Marker] for batch in store.session.written]


def test_a_row_changed_often_is_updated_once_and_its_version_counts_the_changes(sitter: Sitter) -> None:
    before = Counter(name="a", value=5, version=7)
    sitter.store(before)

    async def exam() -> None:
        async with opened(sitter) as store:
            await store.together(*[counting("a") for _ in range(20)])
            after = Counter(name="a", value=25, version=27)
            assert changes(store) == [[(counter_key("a"), before, after)]]
            assert store.session.commits == 1

    sitter.run(exam())
    assert sitter.stored(Counter) == [Counter(name="a", value=25, version=27)]


def test_what_is_added_and_removed_in_one_batch_is_not_written(sitter: Sitter) -> None:
    def take(work: Work) -> None:
        work.remove(work.get(Ticket, ACCOUNT, "t"))

    async def exam() -> None:
        async with opened(sitter) as store:
            heard: list[Row | None] = []
            store.published.listen(Ticket, lambda key, row: heard.append(row))
            assert await store.together(ticket("t"), Do(act=take)) == ["t", None]
            assert (changes(store), store.session.commits, heard) == ([], 0, [])

    sitter.run(exam())
    assert sitter.stored(Ticket) == []


def replacing(text: str) -> Do:
    def act(work: Work) -> None:
        work.remove(work.get(Ticket, ACCOUNT, "t"))
        work.add(Ticket(id="t", text=text))

    return Do(act=act)


def test_a_row_without_version_may_be_removed_and_added_again_in_one_batch(sitter: Sitter) -> None:
    sitter.store(Ticket(id="t", text="old"))

    async def exam() -> None:
        async with opened(sitter) as store:
            assert await store.together(replacing("new"), replacing("newer"), counting("a")) == [None, None, 1]

    sitter.run(exam())
    assert sitter.stored(Ticket) == [Ticket(id="t", text="newer")]


def test_a_row_with_version_may_be_removed_and_added_again_in_one_batch(sitter: Sitter) -> None:
    sitter.store(Counter(name="a", value=5, version=7))

    def anew(work: Work) -> None:
        work.remove(work.get(Counter, ACCOUNT, "a"))
        work.add(Counter(name="a", value=1))

    async def exam() -> None:
        async with opened(sitter) as store:
            await store.submit(Do(act=anew))

    sitter.run(exam())
    assert sitter.stored(Counter) == [Counter(name="a", value=1)]


def test_a_row_found_elsewhere_is_removed_only_while_it_is_the_latest(sitter: Sitter) -> None:
    found = Ticket(id="t", text="old")
    sitter.store(found)

    def act(work: Work) -> None:
        with work.nested() as inner:
            inner.remove(found)

    async def exam() -> None:
        async with opened(sitter) as store:
            older = Do(act=lambda work: work.remove(Ticket(id="t", text="older")))
            assert isinstance((await store.together(older))[0], AssertionError)
            await store.submit(Do(act=act))
            assert isinstance((await store.together(Do(act=act)))[0], AssertionError)

    sitter.run(exam())
    assert sitter.stored(Ticket) == []


def test_every_batch_leaves_its_own_marker(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter, process="p1") as store:
            await store.together(counting("a"), counting("b"))
            await store.submit(counting("a"))

    sitter.run(exam())
    assert [marker.id for marker in sitter.stored(Marker) if isinstance(marker, Marker)] == ["p1-1", "p1-2"]


@pytest.mark.parametrize("size", sorted({1, *LOAD_SIZES, *(size + 1 for size in LOAD_SIZES), 2 * LOAD_SIZES[-1] + 3}))
def test_any_number_of_rows_is_loaded_and_those_missing_are_left_out(sitter: Sitter, size: int) -> None:
    stored = [Ticket(id=f"{number:03}", text="x") for number in range(0, size, 2)]
    for row in stored:
        sitter.store(row)

    async def exam() -> None:
        session = sitter.session()
        await session.begin()
        rows = await session.load(Ticket, [ticket_key(f"{number:03}")[1] for number in range(size)])
        assert sorted(rows, key=lambda row: getattr(row, "id", "")) == stored
        await session.rollback()

    sitter.run(exam())
