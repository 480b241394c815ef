"""Connections are counted, in all and by address: who comes too many is told so at once, and others are served."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from paydesk.web.connections import Connections
from tests.web.test_protocol import Door, Told, story, told

Run = Callable[[Coroutine[Any, Any, Any]], Any]
ASKING = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def runs(work: Coroutine[Any, Any, Any]) -> Any:
        factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.SelectorEventLoop
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(work, 30))

    return runs


@pytest.mark.parametrize("room", [(2, 9), (9, 2)])
def test_one_too_many_is_told_so_and_comes_in_when_another_left(run: Run, room: tuple[int, int]) -> None:
    async def tell(here: Door) -> None:
        first = await here.connect()
        second = await here.connect()
        for reader, writer in (first, second):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        for _ in range(3):  # Those who were turned away do not count.
            reader, _ = await here.connect()
            refused = await told(reader)
            assert refused.status == 503
            assert b'"overloaded"' in refused.body
            assert refused.headers["connection"] == "close"
        first[1].close()
        await first[1].wait_closed()
        assert (await until_served(here)).status == 200

    run(story(tell, room=Connections(*room)))


async def until_served(here: Door) -> Told:
    """The server learns of a closed connection when it learns of it."""
    while True:
        try:
            answer = await here.says(ASKING)
        except ConnectionError:  # Turned away while we were writing.
            continue
        if answer.status != 503:
            return answer


def test_each_address_has_its_own_share() -> None:
    room = Connections(5, 2)
    assert [room.come("a") for _ in range(3)] == [True, True, False]
    assert [room.come("b") for _ in range(3)] == [True, True, False]
    assert [room.come("c"), room.come("c")] == [True, False]
    room.leave("a")
    assert [room.come("a"), room.come("a")] == [True, False]
