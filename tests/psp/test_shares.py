"""Questions to PSPs: a PSP that hangs keeps its own waiting, which then are not asked yet, and no one else's."""

import asyncio
from typing import Any

from paydesk.psp.base import NotFound, Place, Question
from paydesk.psp.breaker import Breakers
from paydesk.psp.sandbox import SandboxPsp
from paydesk.world import Answer, NoAnswer, Outgoing
from paydesk.world.turns import Turns

HANGS = Place(url="https://hangs.example", key="psp_key")
QUESTION = Question(place=HANGS, reference="at_1", intent="pi_1", amount_minor=1, currency="usd", capture=True)
FINE = Question(
    place=Place(url="https://fine.example", key="psp_key"),
    reference="at_2",
    intent="pi_2",
    amount_minor=1,
    currency="usd",
    capture=True,
)


class Outside:
    """One PSP hangs until it is let go; the other answers that it knows nothing."""

    def __init__(self) -> None:
        self.there = 0
        self.go = asyncio.Event()

    def monotonic(self) -> float:
        return 0.0

    async def send(self, request: Outgoing) -> Answer | NoAnswer:
        if request.url.startswith(HANGS.url):
            self.there += 1
            await self.go.wait()
            return NoAnswer("timeout")
        return Answer(status=200, headers={}, body=b'{"data":[]}')


def test_a_psp_that_hangs_takes_its_share_and_no_more() -> None:
    async def exam() -> None:
        outside: Any = Outside()
        turns = Turns()
        psp = SandboxPsp(outside, turns, Breakers(), timeout_seconds=20, max_in_flight_seconds=30, at_once_max=3)
        asked = [asyncio.create_task(psp.look_up(QUESTION)) for _ in range(10)]
        for _ in range(50):
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            assert isinstance(await psp.look_up(FINE), NotFound)
        assert outside.there == 3
        outside.go.set()
        await asyncio.gather(*asked)
        assert (outside.there, turns.known) == (10, 0)

    asyncio.run(exam())
