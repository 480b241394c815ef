"""The thread that commits: one thing after the other, what it raises reaches who waits, and who left does no harm."""

import asyncio
import threading

import pytest

from paydesk.store.commit_thread import CommitThread


def test_it_works_beside_the_loop_and_in_order() -> None:
    done: list[tuple[int, str]] = []

    async def exam() -> None:
        thread = CommitThread()
        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(thread.run(lambda n=number: done.append((n, threading.current_thread().name))))
        thread.close()

    asyncio.run(exam())
    assert done == [(number, "commit") for number in range(5)]


def test_what_was_raised_reaches_who_waits_and_the_thread_goes_on() -> None:
    def fail() -> None:
        raise OSError("the disk is gone")

    async def exam() -> None:
        thread = CommitThread()
        with pytest.raises(OSError, match="the disk is gone"):
            await thread.run(fail)
        await thread.run(lambda: None)
        thread.close()

    asyncio.run(exam())


def test_who_left_does_no_harm_and_its_work_is_done() -> None:
    gate, done = threading.Event(), list[str]()

    def work() -> None:
        gate.wait(10)
        done.append("left")

    async def exam() -> None:
        thread = CommitThread()
        leaving = asyncio.create_task(thread.run(work))
        await asyncio.sleep(0)
        leaving.cancel()
        gate.set()
        await thread.run(lambda: done.append("stayed"))
        thread.close()
        assert leaving.cancelled()

    asyncio.run(exam())
    assert done == ["left", "stayed"]


def test_closing_finishes_what_was_asked_for() -> None:
    done: list[str] = []

    async def exam() -> None:
        thread = CommitThread()
        asking = asyncio.create_task(thread.run(lambda: done.append("asked")))
        await asyncio.sleep(0)
        thread.close()
        assert done == ["asked"]
        await asking

    asyncio.run(exam())
