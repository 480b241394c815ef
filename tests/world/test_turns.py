"""Turns: bounded by name, in the order of coming, and given back however the block ends."""

import asyncio

import pytest

from paydesk.world.turns import Turns


async def others() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_so_many_at_once_and_the_others_in_their_order() -> None:
    async def exam() -> None:
        turns, order, go = Turns(), list[int](), asyncio.Semaphore(0)

        async def one(number: int) -> None:
            async with turns.take(("endpoint", 2)):
                order.append(number)
                await go.acquire()

        tasks = [asyncio.create_task(one(number)) for number in range(5)]
        await others()
        assert order == [0, 1]
        go.release()
        await others()
        assert order == [0, 1, 2]
        for _ in tasks:
            go.release()
        await asyncio.gather(*tasks)
        assert order == [0, 1, 2, 3, 4]
        assert turns.known == 0

    asyncio.run(exam())


def test_who_waits_at_a_narrow_place_holds_no_wide_one() -> None:
    async def exam() -> None:
        turns, go = Turns(), asyncio.Event()

        async def one() -> None:
            async with turns.take(("dead endpoint", 1), ("all", 2)):
                await go.wait()

        waiting = [asyncio.create_task(one()) for _ in range(5)]
        await others()
        async with asyncio.timeout(5), turns.take(("another endpoint", 1), ("all", 2)):
            go.set()
        await asyncio.gather(*waiting)
        assert turns.known == 0

    asyncio.run(exam())


@pytest.mark.parametrize("held", [0, 1])
def test_who_gives_up_or_fails_leaves_its_place_to_others(held: int) -> None:
    async def exam() -> None:
        turns = Turns()
        with pytest.raises(ZeroDivisionError):
            async with turns.take(("narrow", 1), ("wide", 1)):
                raise ZeroDivisionError
        name = ("narrow", "wide")[held]
        async with turns.take((name, 1)):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01), turns.take(("narrow", 1), ("wide", 1)):
                    raise AssertionError("there was no place")
        async with asyncio.timeout(5), turns.take(("narrow", 1), ("wide", 1)):
            assert turns.known == 2
        assert turns.known == 0

    asyncio.run(exam())
