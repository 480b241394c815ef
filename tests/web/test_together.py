"""An answer's head leaves with the first bytes of its body, and alone where none follow at once."""

import asyncio
from types import SimpleNamespace
from typing import Any

from paydesk.web.together import Together


class Transport:
    """Notes what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("closed")

    def is_closing(self) -> bool:
        return False


def answering(act: Any) -> list[bytes | str]:
    """What reaches the transport while `act(together, cycle)` answers on a loop of its own."""
    transport = Transport()

    async def exam() -> None:
        cycle: Any = SimpleNamespace(transport=transport, response_started=True)
        await act(Together(cycle, asyncio.get_running_loop()), cycle)

    asyncio.run(exam())
    return transport.told


def test_head_and_body_are_one_write_and_later_parts_their_own() -> None:
    async def act(together: Together, cycle: Any) -> None:
        for part in (b"head ", b"body", b"more"):
            together.write(part)
        await asyncio.sleep(0)

    assert answering(act) == [b"head body", b"more"]


def test_a_head_that_nothing_follows_waits_for_this_turn_alone() -> None:
    async def act(together: Together, cycle: Any) -> None:
        together.write(b"head ")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        together.write(b"body")

    assert answering(act) == [b"head ", b"body"]


def test_what_comes_before_the_head_is_not_taken_for_it() -> None:
    async def act(together: Together, cycle: Any) -> None:
        cycle.response_started = False
        together.write(b"100 Continue ")
        cycle.response_started = True
        together.write(b"head ")
        together.write(b"body")

    assert answering(act) == [b"100 Continue ", b"head body"]


def test_a_close_sends_what_is_held_first() -> None:
    async def act(together: Together, cycle: Any) -> None:
        together.write(b"head")
        together.close()
        await asyncio.sleep(0)

    assert answering(act) == [b"head", "closed"]


def test_everything_else_is_the_transports_own() -> None:
    async def act(together: Together, cycle: Any) -> None:
        assert together.is_closing() is False

    assert answering(act) == []
