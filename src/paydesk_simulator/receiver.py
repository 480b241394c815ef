"""A merchant's webhook endpoint: verifies every signature, and judges the order in which events come."""

import asyncio
from collections import defaultdict

from msgspec import Struct

from paydesk.events.rows import Event
from paydesk.store import account_of
from paydesk.world import Answer, NoAnswer, Outgoing
from paydesk_client import verify_webhook
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.dice import Random
from paydesk_simulator.facts import Database
from paydesk_simulator.journal import Journal
from paydesk_simulator.network import Outcome
from paydesk_simulator.weather import Weather

HOLD_SECONDS = 15 * 60.0
KINDS = ("error", "busy", "redirect", "lost after", "lost before", "late")


class Arrival(Struct):
    """An event as this endpoint knows it."""

    body: bytes
    sequence: int
    tried: float
    """When it was sent for the first time, arrived or not."""
    first: float
    """When it came for the first time."""
    taken: bool = False
    """Whether it was ever answered with 2xx."""


class Receiver:
    """A peer of the network, for one endpoint."""

    def __init__(
        self, name: str, *, loop: VirtualLoop, dice: Random, weather: Weather, journal: Journal, database: Database
    ) -> None:
        self.name = name
        self.secret = ""
        self.strict = False
        self.arrivals: dict[str, Arrival] = {}
        self._loop = loop
        self._dice = dice
        self._weather = weather
        self._journal = journal
        self._database = database
        self._by_object: defaultdict[str, list[Arrival]] = defaultdict(list)
        self._tried: dict[str, float] = {}
        self._away_until = 0.0

    def refuses(self, request: Outgoing) -> bool:
        self._tried.setdefault(dict(request.headers)["webhook-id"], self._loop.time())
        if not self._weather.calm and self._loop.time() < self._away_until:
            return True
        if self._weather.strikes("receiver away"):
            self._away_until = self._loop.time() + self._dice.expovariate(1 / 60)
            return True
        return False

    async def answer(self, request: Outgoing, given_up: "asyncio.Future[None]") -> Outcome:
        fault = self._weather.first_of([f"receiver {kind}" for kind in KINDS])
        if fault == "receiver lost before":
            return await self._silence()
        arrival = self._take_in(request)
        if fault in ("receiver error", "receiver busy", "receiver redirect"):
            return self._turned_away(fault)
        arrival.taken = True
        if fault == "receiver lost after":
            return await self._silence()
        if fault == "receiver late":
            await asyncio.sleep(self._dice.uniform(0, 20))
        return Answer(status=200, headers={}, body=b"")

    async def _silence(self) -> NoAnswer:
        await asyncio.sleep(self._dice.uniform(0, 30))
        return NoAnswer("closed_without_answer")

    def _turned_away(self, fault: str) -> Answer:
        if fault == "receiver busy":
            return Answer(status=503, headers={"retry-after": f"{self._dice.randrange(20)}"}, body=b"")
        return Answer(status=302 if fault == "receiver redirect" else 500, headers={}, body=b"")

    def _take_in(self, request: Outgoing) -> Arrival:
        headers = dict(request.headers)
        event = verify_webhook(request.body, headers, self.secret, now=self._loop.now_ms() / 1000)
        event_id, about = event["id"], event["data"]["object"]["id"]
        self._journal.tell(f"{self.name} got {event['type']} {event['sequence']} of {about}")
        if (known := self.arrivals.get(event_id)) is not None:
            self._judge(known.body == request.body, f"{event_id} changed its bytes")
            return known
        tried = self._tried[headers["webhook-id"]]
        new = Arrival(body=request.body, sequence=event["sequence"], tried=tried, first=self._loop.time())
        self._judge(headers["webhook-id"] == event_id, f"{event_id} came under another webhook-id")
        for other in self._by_object[about]:
            self._judge(self._in_order(other, new), f"{event_id} of {about} came out of order")
        committed = self._database.find(Event, account_of(about), event_id)
        self._judge(committed is not None and committed.body == new.body, f"{event_id} came before its commit")
        self.arrivals[event_id] = new
        self._by_object[about].append(new)
        return new

    def _in_order(self, other: Arrival, new: Arrival) -> bool:
        """The earlier event was taken before the later one came, or was let go of after a while."""
        earlier, later = (new, other) if other.sequence > new.sequence else (other, new)
        if earlier is other and other.taken:
            return True
        return not self.strict and later.first - earlier.tried > HOLD_SECONDS - 1

    def _judge(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self._journal.violated(f"{self.name}: {otherwise}")
