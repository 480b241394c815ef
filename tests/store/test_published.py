"""Whoever waits for a change is woken by it, and leaves nothing behind."""

import pytest

from paydesk.store import Published
from tests.store.exam_rows import Counter, Ticket, counter_key, ticket_key
from tests.store.opened import everybody_else
from tests.store.turned import run_turned

ROW = Counter(name="a")


def test_a_change_before_the_first_look_is_not_missed() -> None:
    async def exam() -> None:
        published = Published()
        with published.watch(counter_key("a"), counter_key("b")) as watch:
            published.publish([(counter_key("a"), ROW)])
            assert await watch.changed(0)
            assert not await watch.changed(5), "one change, one look"
            published.publish([(counter_key("c"), ROW), (ticket_key("a"), None)])
            assert not await watch.changed(5)
            published.publish([(counter_key("b"), None)])
            assert await watch.changed(5)

    run_turned(exam())


def test_everybody_who_watches_a_row_is_woken_and_leaves_nothing_behind() -> None:
    async def exam() -> None:
        published = Published()
        with published.watch(counter_key("a")) as one, published.watch(counter_key("a"), counter_key("b")) as two:
            assert published.watching == 2
            published.publish([(counter_key("a"), ROW)])
            assert await one.changed(0)
            assert await two.changed(0)
        assert published.watching == 0
        with pytest.raises(LookupError), published.watch(counter_key("a")):
            raise LookupError
        assert published.watching == 0

    run_turned(exam())


def test_a_stop_wakes_everyone() -> None:
    async def exam() -> None:
        published = Published()
        with published.watch(counter_key("a")) as one, published.watch(ticket_key("b")) as two:
            published.wake_everyone()
            assert await one.changed(0)
            assert await two.changed(0)

    run_turned(exam())


def test_listeners_hear_of_their_kind_alone() -> None:
    async def exam() -> None:
        published, heard = Published(), list[object]()
        published.listen(Counter, lambda key, row: heard.append((key, row)))
        published.listen(Counter, lambda key, row: heard.append("the other one too"))
        published.listen(Ticket, lambda key, row: heard.append("of a ticket"))
        published.publish([(counter_key("a"), ROW), (counter_key("b"), None)])
        await everybody_else()
        assert heard == [
            (counter_key("a"), ROW),
            "the other one too",
            (counter_key("b"), None),
            "the other one too",
        ]

    run_turned(exam())
