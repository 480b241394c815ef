"""The sandbox PSP in memory: its real rules and books, our clock, faults ordered by the weather."""

import asyncio

from paydesk.world import Answer, NoAnswer, Outgoing
from paydesk_sandbox.psp.faults import Fault, Kind
from paydesk_sandbox.psp.rules import Call, Psp
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.dice import Random
from paydesk_simulator.journal import Journal
from paydesk_simulator.network import Outcome
from paydesk_simulator.weather import Weather

ORIGIN = "http://psp.example"
MAX_IN_FLIGHT_SECONDS = 30
"""What the server is told (its setting's default): what was given up may land so much later, and does."""
CARDS_LATE_SECONDS = 3.5  # A card of the sandbox's own may come on top.

ON_CHARGES: dict[str, Kind] = {
    "psp late": "late",
    "psp lands late": "lands_late",
    "psp lost after": "lost_after",
    "psp lost before": "lost_before",
    "psp status": "status",
    "psp status after": "status_after",
    "psp garbage": "garbage",
    "psp wrong amount": "wrong_amount",
    "psp reset": "reset",
    "psp refuse": "refuse",
    "psp forget keys": "forget_keys",
}
ON_LOOK_UPS: dict[str, Kind] = {
    "look-up late": "late",
    "look-up lost before": "lost_before",
    "look-up status": "status",
    "look-up garbage": "garbage",
    "look-up wrong amount": "wrong_amount",
    "look-up reset": "reset",
}


class PspPeer:
    """A peer of the network. `psp.books` is the judge of what was charged."""

    def __init__(self, loop: VirtualLoop, dice: Random, weather: Weather, journal: Journal, seed: int) -> None:
        self._loop = loop
        self._dice = dice
        self._weather = weather
        self._journal = journal
        self._away_until = 0.0
        self.psp = Psp(salt=b"%d" % seed)

    def refuses(self, request: Outgoing) -> bool:
        if not self._weather.calm and self._loop.time() < self._away_until:
            return True
        if self._weather.strikes("psp away"):
            self._away_until = self._loop.time() + self._dice.expovariate(1 / 20)
            return True
        return False

    async def answer(self, request: Outgoing, given_up: "asyncio.Future[None]") -> Outcome:
        """As the sandbox's own server does it, on our clock."""
        call = _call(request)
        if call.kind == "charges" and self._weather.strikes("psp lands after all"):
            await given_up
            latest = MAX_IN_FLIGHT_SECONDS - CARDS_LATE_SECONDS
            await asyncio.sleep(max(self._dice.uniform(0, latest) for _ in range(3)))  # Bugs live at the last moment.
        else:
            self._order_fault(call)
        handling = self.psp.meet(call, self._loop.now_ms())
        if handling.act_after_ms:
            await asyncio.sleep(handling.act_after_ms / 1000)
        answer = self.psp.act(call, handling, self._loop.now_ms())
        if handling.acts:
            self._journal.tell(f"psp acted: {call.method} {call.idempotency_key}")
        if handling.end_after_ms:
            await asyncio.sleep(handling.end_after_ms / 1000)
        if handling.ending == "refuse":
            self._away_until = self._loop.time() + handling.refuse_ms / 1000
        if answer is None:
            return NoAnswer("closed_without_answer" if handling.ending == "close" else "connection_lost")
        after = answer.retry_after_seconds
        return Answer(status=answer.status, headers={"retry-after": f"{after}"} if after else {}, body=answer.body)

    def _order_fault(self, call: Call) -> None:
        kinds = ON_CHARGES if call.kind == "charges" else ON_LOOK_UPS
        if (name := self._weather.first_of(list(kinds))) is None:
            return None
        kind, status, delay_ms = kinds[name], None, None
        if kind in ("late", "lands_late", "lost_after", "lost_before"):
            delay_ms = self._dice.randrange(MAX_IN_FLIGHT_SECONDS * 1000 - 100)
        elif kind == "status":
            status = self._dice.choice((500, 502, 503, 429)) if call.kind == "charges" else 503
        if kind in ("refuse", "forget_keys"):
            return self._strike_at_once(kind)
        return self.psp.faults.order(Fault(fault=kind, on=call.kind, status=status, delay_ms=delay_ms))

    def _strike_at_once(self, kind: Kind) -> None:
        for_ms = self._dice.randrange(10_000)
        self.psp.order(Fault(fault=kind, for_ms=for_ms))
        if kind == "refuse":
            self._away_until = self._loop.time() + for_ms / 1000


def _call(request: Outgoing) -> Call:
    path, _, query = request.url.removeprefix(ORIGIN).partition("?")
    headers = dict(request.headers)
    return Call(
        method=request.method,
        path=path,
        query=query,
        authorisation=headers["authorization"],
        idempotency_key=headers.get("idempotency-key", ""),
        body=request.body,
    )
