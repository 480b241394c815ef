"""What commands of one batch do to each other: they see each other's changes, and nobody else's failures."""

from typing import Any

import pytest

from paydesk.errors import Refusal
from paydesk.store import Work
from paydesk.store.committer import ROUNDS
from tests.store.exam_rows import ACCOUNT, Counter, Do, Ticket, count, counter_key, counting, faulty, refused, ticket
from tests.store.opened import Opened, opened
from tests.store.sitter import Sitter


def values(sitter: Sitter) -> dict[str, int]:
    return {row.name: row.value for row in sitter.stored(Counter) if isinstance(row, Counter)}


def test_commands_see_the_changes_of_those_before_them(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            assert await store.together(*[counting("a") for _ in range(10)]) == list(range(1, 11))
            assert store.committer.batches == 1

    sitter.run(exam())
    assert values(sitter) == {"a": 10}


def test_a_refusal_drops_only_its_own_changes(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            first, no, last = await store.together(counting("a"), refused("a"), counting("a"))
            assert (first, last, store.committer.batches) == (1, 2, 1)
            assert isinstance(no, Refusal)
            assert no.message == "seen 1001"
            assert not store.bugs

    sitter.run(exam())
    assert values(sitter) == {"a": 2}


@pytest.mark.parametrize("why", [ZeroDivisionError("a bug"), StopIteration(), TimeoutError()])
def test_a_bug_drops_only_its_own_changes(sitter: Sitter, why: Exception) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            first, bug, last = await store.together(counting("a"), faulty("a", why), counting("a"))
            assert (first, last, store.committer.batches) == (1, 2, 1)
            assert bug is why or bug.__cause__ is why
            assert store.bugs == [why]

    sitter.run(exam())
    assert values(sitter) == {"a": 2}


def test_a_nested_block_that_fails_drops_only_its_own_changes(sitter: Sitter) -> None:
    def act(work: Work) -> list[int]:
        count(work, "a")
        for attempt in range(3):
            try:
                with work.nested() as inner:
                    count(inner, "a")
                    with inner.nested() as innermost:
                        assert count(innermost, "a").value == 3, "each layer sees the ones below"
                    if attempt < 2:
                        raise Refusal("invalid_state")
            except Refusal:
                continue
        return [count(work, "a", 0).value]

    async def exam() -> None:
        async with opened(sitter) as store:
            assert await store.submit(Do(act=act)) == [3]

    sitter.run(exam())
    assert values(sitter) == {"a": 3}


def test_a_missing_row_is_loaded_and_the_command_run_again_as_before(sitter: Sitter) -> None:
    seen: list[tuple[int, str, str]] = []

    def act(work: Work) -> int:
        seen.append((work.now_ms, work.id("at", ACCOUNT), work.id("at", ACCOUNT)))
        try:
            return count(work, "a").value + count(work, "b").value
        except Exception:  # A decision that catches too much must not catch this.
            return -1

    async def exam() -> None:
        async with opened(sitter) as store:
            assert await store.submit(Do(act=act)) == 2
            assert store.session.loaded == [(Counter, [(ACCOUNT, "a")]), (Counter, [(ACCOUNT, "b")])]

    sitter.run(exam())
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert seen[0][1] != seen[0][2]


def test_hints_are_loaded_at_once_and_only_once(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            await store.together(*[counting(name) for name in ("b", "a", "b", "a")], ticket("x"))
            assert store.session.loaded == [(Counter, [(ACCOUNT, "a"), (ACCOUNT, "b")])]

    sitter.run(exam())


def needing(rows: int) -> Do:
    """Misses one row more in every round."""
    return Do(act=lambda work: [work.find(Counter, ACCOUNT, f"missing {number}") for number in range(rows)])


def test_missing_rows_for_too_many_rounds_is_a_bug_of_that_command_alone(sitter: Sitter) -> None:
    """Hints are for speed alone: a payment's rarest turns touch some twenty rows, and need not name them."""

    async def exam() -> None:
        async with opened(sitter) as store:
            most = ROUNDS - 1
            fine, endless, other = await store.together(needing(most), needing(ROUNDS), counting("a"))
            assert fine == [None] * most
            assert most > 25
            assert isinstance(endless, RuntimeError)
            assert other == 1
            assert store.bugs == [endless]

    sitter.run(exam())
    assert values(sitter) == {"a": 1}


def test_a_row_that_one_misses_and_another_adds_in_the_same_round_stays_added(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            looks = Do(act=lambda work: work.find(Ticket, ACCOUNT, "t"))
            assert await store.together(looks, ticket("t", "kept")) == [Ticket(id="t", text="kept"), "t"]

    sitter.run(exam())
    assert sitter.stored(Ticket) == [Ticket(id="t", text="kept")]


def test_a_row_added_unseen_does_not_overwrite_the_one_that_is_there(sitter: Sitter) -> None:
    sitter.store(Ticket(id="t", text="first"))

    async def exam() -> None:
        async with opened(sitter) as store:
            looks = Do(act=lambda work: work.get(Ticket, ACCOUNT, "t").text)
            seen, bug = await store.together(looks, ticket("t", "second"))
            assert seen == "first"
            assert isinstance(bug, Exception)

    sitter.run(exam())
    assert sitter.stored(Ticket) == [Ticket(id="t", text="first")]


def test_a_row_added_unseen_and_taken_away_again_does_not_hide_the_one_that_is_there(sitter: Sitter) -> None:
    sitter.store(Ticket(id="t", text="first"))

    def take(work: Work) -> str:
        row = work.get(Ticket, ACCOUNT, "t")
        work.remove(row)
        return row.text

    async def exam() -> None:
        async with opened(sitter) as store:
            bug, taken = await store.together(ticket("t", "second"), Do(act=take))
            assert isinstance(bug, Exception)
            assert taken == "first"

    sitter.run(exam())
    assert sitter.stored(Ticket) == []


class MuddledKeys(Do, frozen=True):
    """Its hints fail."""

    def keys(self) -> Any:
        raise KeyError("hints")


@pytest.mark.parametrize(
    "muddled",
    [
        MuddledKeys(act=lambda work: None),
        Do(act=lambda work: None, hints=((Counter, (ACCOUNT, None)),)),  # type: ignore[arg-type]
        Do(act=lambda work: None, hints=((Counter, (ACCOUNT,)),)),
        Do(act=lambda work: work.find(Counter, ACCOUNT, "\ud800")),
    ],
    ids=["raises", "none", "too-short", "surrogate"],
)
def test_keys_that_make_no_sense_trouble_nobody_else(sitter: Sitter, muddled: Do) -> None:
    async def exam(store: Opened) -> None:
        replies = await store.together(counting("a"), muddled, counting("b"))
        assert [replies[0], replies[2]] == [1, 1]
        assert isinstance(replies[1], Exception | None)
        assert await store.submit(counting("a")) == 2

    async def whole() -> None:
        async with opened(sitter) as store:
            await exam(store)

    sitter.run(whole())
    assert values(sitter) == {"a": 2, "b": 1}


def test_changing_from_an_older_row_or_adding_what_is_there_is_a_bug(sitter: Sitter) -> None:
    def from_older(work: Work) -> None:
        older = count(work, "a")
        count(work, "a")
        work.change(older, value=0)

    async def exam() -> None:
        async with opened(sitter) as store:
            again = Do(act=lambda work: work.add(Counter(name="a")), hints=(counter_key("a"),))
            one, older, twice = await store.together(counting("a"), Do(act=from_older), again)
            assert one == 1
            assert isinstance(older, AssertionError)
            assert isinstance(twice, AssertionError)

    sitter.run(exam())
    assert values(sitter) == {"a": 1}


def test_get_refuses_what_is_not_there(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            with pytest.raises(Refusal, match="No such counter") as no:
                await store.submit(Do(act=lambda work: work.get(Counter, ACCOUNT, "a")))
            assert (no.value.code, no.value.param) == ("resource_missing", "id")

    sitter.run(exam())
