"""HTTP out, in memory: who is where, and what a request meets on its way. The other side goes on when we die."""

import asyncio
from typing import Protocol

from paydesk.world import Answer, NoAnswer, NotSent, Outgoing
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.dice import Random

Outcome = Answer | NotSent | NoAnswer


class Peer(Protocol):
    """Somebody at an address."""

    def refuses(self, request: Outgoing) -> bool:
        """Whether nobody listens now: the request is not sent."""
        ...

    async def answer(self, request: Outgoing, given_up: "asyncio.Future[None]") -> Outcome:
        """What becomes of a request that arrived. `given_up`: its sender waits no longer, or is dead."""
        ...


class Network:
    """All peers by scheme, host and port."""

    def __init__(self, loop: VirtualLoop, dice: Random) -> None:
        self._loop = loop
        self._dice = dice
        self.peers: dict[str, Peer] = {}

    async def send(self, request: Outgoing, dead: "asyncio.Future[None]") -> Outcome:
        """Like the real one: not sent, an answer within the total time-out, or none. `dead`: the sender's end."""
        scheme, _, rest = request.url.partition("://")
        peer = self.peers.get(f"{scheme}://{rest.partition('/')[0]}")
        await asyncio.sleep(self._dice.uniform(0.0005, 0.01))
        if peer is None or peer.refuses(request):
            return NotSent("connect_failed")
        given_up: asyncio.Future[None] = self._loop.create_future()
        dead.add_done_callback(lambda _: given_up.done() or given_up.set_result(None))
        exchange = self._loop.create_task(self._exchange(peer, request, given_up))
        try:
            async with asyncio.timeout(request.total_timeout_seconds):
                return await asyncio.shield(exchange)
        except TimeoutError:
            given_up.set_result(None)
            return NoAnswer("timeout")

    async def _exchange(self, peer: Peer, request: Outgoing, given_up: "asyncio.Future[None]") -> Outcome:
        there, back = self._dice.uniform(0.0005, 0.02), self._dice.uniform(0.0005, 0.02)
        await asyncio.sleep(there)
        outcome = await peer.answer(request, given_up)
        await asyncio.sleep(back)
        return outcome
