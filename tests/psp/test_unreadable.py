"""Answers of a PSP that nobody can read are no verdict, whatever makes them unreadable: never a fault of ours."""

import asyncio
from typing import Any

import pytest

from paydesk.psp.base import NoVerdict, Place, Question
from paydesk.psp.breaker import Breakers
from paydesk.psp.sandbox import SandboxPsp
from paydesk.world import Answer, Outgoing
from paydesk.world.turns import Turns

QUESTION = Question(
    place=Place(url="https://psp.example", key="psp_key"),
    reference="at_1",
    intent="pi_1",
    amount_minor=1,
    currency="usd",
    capture=True,
)
BODIES = {
    "nothing": b"",
    "no JSON": b"<html>",
    "no text": b'{"data": [{"id": "\xff"}]}',
    "nested deep": b'{"more": ' + b"[" * 5000,
}


class Says:
    """Answers everything with the same bytes."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def monotonic(self) -> float:
        return 0.0

    async def send(self, request: Outgoing) -> Answer:
        return Answer(status=200, headers={}, body=self._body)


@pytest.mark.parametrize("name", BODIES)
def test_it_is_no_verdict(name: str) -> None:
    outside: Any = Says(BODIES[name])
    psp = SandboxPsp(outside, Turns(), Breakers(), timeout_seconds=20, max_in_flight_seconds=30, at_once_max=3)
    assert isinstance(asyncio.run(psp.look_up(QUESTION)), NoVerdict)
