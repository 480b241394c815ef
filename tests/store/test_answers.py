"""Nobody is answered before the commit, everybody after it, and whoever went away changes nothing."""

import asyncio
from collections.abc import Awaitable

from paydesk.errors import Refusal
from paydesk.store import Key, Row
from tests.store.exam_rows import ACCOUNT, Counter, Do, counter_key, counting, faulty, refused
from tests.store.opened import everybody_else, opened
from tests.store.sitter import Sitter


def test_nobody_is_answered_before_the_commit(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            gate = store.session.hold_commit()
            reads = Do(act=lambda work: work.find(Counter, ACCOUNT, "a"))
            waiting = store.start(counting("a"), refused("a"), faulty("a", ZeroDivisionError()), reads)
            await gate.reached.wait()
            await everybody_else()
            assert not [task for task in waiting if task.done()]
            assert not sitter.stored(Counter)
            gate.open()
            one, no, bug, seen = await asyncio.gather(*waiting, return_exceptions=True)
            assert one == 1
            assert isinstance(no, Refusal)
            assert isinstance(bug, ZeroDivisionError)
            assert seen == Counter(name="a", value=1)
            assert sitter.stored(Counter) == [seen]

    sitter.run(exam())


def test_what_changes_nothing_is_answered_without_a_commit(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            reads = Do(act=lambda work: work.find(Counter, ACCOUNT, "a"))
            seen, no = await store.together(reads, refused("a"))
            assert seen is None
            assert isinstance(no, Refusal)
            assert store.session.commits == 0

    sitter.run(exam())


def test_a_cancelled_caller_does_no_harm_and_its_effect_stands(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            gate = store.session.hold_commit()
            in_batch, beside = store.start(counting("a"), counting("a"))
            await gate.reached.wait()
            (in_queue,) = store.start(counting("b"))
            await everybody_else()
            for task in (in_batch, in_queue):
                task.cancel()
            await everybody_else()
            gate.open()
            assert await beside == 2
            assert await store.submit(counting("b")) == 2
            assert in_batch.cancelled()
            assert in_queue.cancelled()

    sitter.run(exam())
    assert sitter.stored(Counter) == [Counter(name="a", value=2, version=2), Counter(name="b", value=2, version=2)]


async def note(order: list[str], what: str, happens: Awaitable[object]) -> None:
    await happens
    order.append(what)


def test_changes_reach_watchers_after_the_answers_and_carry_comes_before_both(sitter: Sitter) -> None:
    order: list[str] = []

    async def exam() -> None:
        async with opened(sitter) as store:

            def changed(key: Key, row: Row | None) -> None:
                order.append(f"published {key[1][1]} with {len(store.carried)} carried")

            store.published.listen(Counter, changed)
            with store.published.watch(counter_key("a")) as watch:
                await asyncio.gather(
                    note(order, "watcher of a woken", watch.changed(10)),
                    note(order, "a answered", store.submit(counting("a"), "a card")),
                    note(order, "b answered", store.submit(counting("b"), "another")),
                )
            assert store.carried == [(1, "a card"), (1, "another")]

    sitter.run(exam())
    assert order[:2] == ["published a with 2 carried", "published b with 2 carried"]
    assert order[2:] == ["a answered", "b answered", "watcher of a woken"]


def test_what_is_carried_arrives_also_when_the_caller_went_away_but_not_after_a_refusal(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            gate = store.session.hold_commit()
            gone = asyncio.create_task(store.submit(counting("a"), "a card"))
            no = asyncio.create_task(store.submit(refused("a"), "a card of a refused one"))
            await gate.reached.wait()
            gone.cancel()
            await everybody_else()
            assert store.carried == []
            gate.open()
            await asyncio.wait([gone, no])
            assert isinstance(no.exception(), Refusal)
            assert gone.cancelled()
            assert store.carried == [(1, "a card")]

    sitter.run(exam())


def test_nothing_is_published_or_carried_that_was_not_stored(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            heard: list[Key] = []
            store.published.listen(Counter, lambda key, row: heard.append(key))
            with sitter.full(store.engine):
                big = Do(act=lambda work: work.add(Counter(name="big", ballast=bytes(100_000))))
                no = await asyncio.gather(store.submit(big, "a card"), return_exceptions=True)
            assert isinstance(no[0], Refusal)
            await store.together(refused("a"))
            assert (heard, store.carried) == ([], [])
            await store.submit(counting("a"))
            assert heard == [counter_key("a")]

    sitter.run(exam())
