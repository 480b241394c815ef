"""The sandbox PSP in memory: its real rules and books, our clock, faults ordered by the weather."""

import asyncio
from collections.abc import Container
from functools import partial
from typing import cast

from paydesk.errors import Refusal
from paydesk.world import Answer, NoAnswer, Outgoing
from paydesk_sandbox.psp.faults import AS_USUAL, Calls, Fault, Kind, Plan
from paydesk_sandbox.psp.notices import Notice
from paydesk_sandbox.psp.rules import Call, Psp
from paydesk_sandbox.psp.terms import Terms
from paydesk_simulator import door
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.dice import Random
from paydesk_simulator.journal import Journal
from paydesk_simulator.network import Outcome
from paydesk_simulator.process import Lost
from paydesk_simulator.server import Server
from paydesk_simulator.weather import Weather

ORIGIN = "http://psp.example"
MAX_IN_FLIGHT_SECONDS = 30
"""What the server is told (its setting's default): what was given up may land so much later, and does."""
CARDS_LATE_SECONDS = 3.5  # A card of the sandbox's own may come on top.

AT_ONCE: dict[str, Kind] = {"psp refuse": "refuse", "psp forget keys": "forget_keys"}
"""What strikes all that come, and is thrown for with each charge."""
POSTED: dict[Calls, str] = {"charges": "psp", "captures": "capture", "releases": "cancel", "refunds": "refund"}
_POSTS: tuple[Kind, ...] = (
    "late", "lands_late", "lost_after", "lost_before", "status", "status_after", "garbage", "wrong_amount", "reset",
    "notice_early",
)  # fmt: skip
_LOOK_UPS: tuple[Kind, ...] = ("late", "lost_before", "status", "garbage", "wrong_amount", "reset")
FAULTS: dict[Calls, dict[str, Kind]] = {
    call: {f"{name} {kind.replace('_', ' ')}": kind for kind in _POSTS} for call, name in POSTED.items()
}
FAULTS["charges"] |= AT_ONCE
FAULTS["lookups"] = {f"look-up {kind.replace('_', ' ')}": kind for kind in _LOOK_UPS}
"""What the weather calls a fault → what the sandbox does, by the kind of call."""
STATUSES = (500, 502, 503, 429, 400)
LOOK_SECONDS = 1.0
LOST_MS = 1_000
HESITATES_MS = 200
NOTICES = ("notice twice", "notice late", "notice lost", "notice reordered", "notice forged", "notice unknown")


class PspPeer:
    """A peer of the network. `psp.books` is the judge of what was charged."""

    def __init__(
        self, loop: VirtualLoop, dice: Random, weather: Weather, journal: Journal, seed: int, *, hasty: bool
    ) -> None:
        self._loop = loop
        self._dice = dice
        self._weather = weather
        self._journal = journal
        self._away_until = 0.0
        self._sending: set[asyncio.Task[None]] = set()
        self._held_back: list[Notice] = []
        self._lost: dict[str, Call] = {}
        self.hushed = False
        """Whether notices wait until somebody calls `tell`."""
        self.server: Server
        """Whom notices are sent to."""
        self.broken: dict[str, None] = {}
        """References of charges with which the PSP broke its promise: they landed after all that was in flight."""
        terms = Terms(
            challenge_ms=dice.choice((20_000, 60_000, 900_000)),
            authorised_ms=dice.choice((30_000, 120_000, 7 * 86_400_000)),
            later_ms=dice.choice((500, 5_000, 60_000)),
        )
        self.psp = Psp(salt=b"%d" % seed, terms=terms if hasty else Terms())

    async def run(self) -> None:
        """Let happen what happens by itself, and send notices, for ever."""
        while True:
            now_ms = self._loop.now_ms()
            self.psp.due(now_ms)
            if not self.hushed:
                self.tell()
            await asyncio.sleep(LOOK_SECONDS)

    def tell(self, about: Container[str] | None = None) -> int:
        """Send the notices that wait: all, or those about the things with these ids. How many it were."""
        waiting, self._held_back = self._held_back + self.psp.notices.take(self._loop.now_ms()), []
        for notice in waiting:
            if about is not None and self.psp.notices.records[notice.number].about not in about:
                self._held_back.append(notice)
                continue
            self._sending.add(task := self._loop.create_task(self._send(notice)))
            task.add_done_callback(self._sending.discard)
        return len(waiting) - len(self._held_back)

    def lose(self) -> None:
        """Let the next charge get lost on its way here."""
        self.psp.faults.order(Fault(fault="lost_before", delay_ms=LOST_MS))

    def hesitate(self, on: Calls) -> None:
        """Let the next call of this kind have its effect at once, and its answer a little later."""
        self.psp.faults.order(Fault(fault="late", on=on, delay_ms=self._dice.randrange(HESITATES_MS)))

    def find(self, reference: str) -> None:
        """What got lost, if it did, arrives after all: the charge is made."""
        if call := self._lost.pop(reference, None):
            self.psp.act(call, AS_USUAL, self._loop.now_ms())

    @property
    def busy(self) -> bool:
        """Whether something is still to happen by itself, or to be told."""
        to_come = (self.psp.notices.next_ms, self.psp.books.later.next_ms())
        return bool(self._sending or self._held_back) or to_come != (None, None)

    def begin_storm(self) -> None:
        """From now on notices go wrong."""
        rates: dict[Kind, float] = {
            _of_notices(name): rate for name, rate in self._weather.rates(NOTICES).items() if rate
        }
        self.psp.faults.follow(Plan(seed=self._dice.randrange(2**32), rates=rates))

    def end_storm(self) -> None:
        """Nothing goes wrong any more; what went wrong with notices is counted."""
        self.psp.faults.clear()
        for name in NOTICES:
            for _ in range(self.psp.faults.hits[_of_notices(name)]):
                self._journal.count(name)

    async def _send(self, notice: Notice) -> None:
        """To the server, which may be down, or not answer."""
        await asyncio.sleep(max(notice.not_before_ms - self._loop.now_ms(), 0) / 1000)
        taken = await self._call_server(notice)
        self._journal.tell(f"notice {notice.number} try {notice.tries}: {'taken' if taken else 'not taken'}")
        if taken and notice.forged:
            self._journal.violated(f"notice {notice.number} is forged, and was taken")
        self.psp.notices.heard(notice, taken, self._loop.now_ms())

    async def _call_server(self, notice: Notice) -> bool:
        account = notice.url.rpartition("/")[2]
        try:
            return await self.server.ask(partial(door.notice, account, notice.body, dict(notice.headers)))
        except (Lost, Refusal):
            return False

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
        if call.kind in POSTED and self._weather.strikes(f"{POSTED[call.kind]} lands after all"):
            await given_up
            latest = MAX_IN_FLIGHT_SECONDS - CARDS_LATE_SECONDS
            await asyncio.sleep(max(self._dice.uniform(0, latest) for _ in range(3)))  # Bugs live at the last moment.
        elif call.kind == "charges" and self._weather.strikes("psp lands too late"):
            await given_up
            await asyncio.sleep(MAX_IN_FLIGHT_SECONDS + self._dice.uniform(0, 60))
            self.broken[call.idempotency_key.partition(":")[0]] = None
        else:
            self._order_fault(call)
        handling = self.psp.meet(call, self._loop.now_ms())
        if handling.act_after_ms:
            await asyncio.sleep(handling.act_after_ms / 1000)
        answer = self.psp.act(call, handling, self._loop.now_ms())
        if handling.acts:
            self._journal.tell(f"psp acted: {call.method} {call.idempotency_key}")
        elif call.kind == "charges":
            self._lost[call.idempotency_key.partition(":")[0]] = call
        if handling.end_after_ms:
            await asyncio.sleep(handling.end_after_ms / 1000)
        if handling.ending == "refuse":
            self._away_until = self._loop.time() + handling.refuse_ms / 1000
        if answer is None:
            return NoAnswer("closed_without_answer" if handling.ending == "close" else "connection_lost")
        after = answer.retry_after_seconds
        return Answer(status=answer.status, headers={"retry-after": f"{after}"} if after else {}, body=answer.body)

    def _order_fault(self, call: Call) -> None:
        kinds = FAULTS[call.kind]
        if (name := self._weather.first_of(list(kinds))) is None:
            return None
        kind, status, delay_ms = kinds[name], None, None
        if kind == "wrong_amount" and call.parts[0] == "disputes":
            kind = "garbage"  # What a bank disputes, only the PSP knows: nobody could tell a wrong amount.
        if kind in ("late", "lands_late", "lost_after", "lost_before"):
            delay_ms = self._dice.randrange(MAX_IN_FLIGHT_SECONDS * 1000 - 100)
        elif kind == "status":
            status = self._dice.choice(STATUSES) if call.kind in POSTED else 503
        if kind in ("refuse", "forget_keys"):
            return self._strike_at_once(kind)
        return self.psp.faults.order(Fault(fault=kind, on=call.kind, status=status, delay_ms=delay_ms))

    def _strike_at_once(self, kind: Kind) -> None:
        for_ms = self._dice.randrange(10_000)
        self.psp.order(Fault(fault=kind, for_ms=for_ms))
        if kind == "refuse":
            self._away_until = self._loop.time() + for_ms / 1000


def _of_notices(name: str) -> Kind:
    return cast("Kind", name.replace(" ", "_"))


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
