"""One process of the server: there or not. Started on the same database as often as it dies."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, TypeVar

from msgspec import Struct

from paydesk.assembly.house import Documents, House
from paydesk.assembly.opening import prepare
from paydesk.config import Config
from paydesk.duties.lease import LeaseLost
from paydesk.errors import Refusal
from paydesk.sealing.sealer import Sealer
from paydesk.store import DatabaseBroken, StorageFault
from paydesk.telemetry import Log
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.crashes import STOP, Crashes
from paydesk_simulator.dice import dice_of
from paydesk_simulator.journal import Journal
from paydesk_simulator.network import Network
from paydesk_simulator.storage import Connections, Stores
from paydesk_simulator.weather import Weather
from paydesk_simulator.world import MortalWorld

T = TypeVar("T")

NEVER_ANSWERED_SECONDS = 120.0  # A client that got no answer by then hangs up.
DOWN_SECONDS = 8.0  # In the mean, until somebody starts the server again.
LIVES_SECONDS = 30.0  # In the mean, until an operator stops it.


@cache
def documents() -> Documents:
    """Nobody asks for them here; compiled once for all lives."""
    return Documents()


class Lost(Exception):
    """No answer: whether the server did anything is unknown."""


class SimulatedLog(Log):
    """Log lines go into the journal; what should never be logged is a violation."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def info(self, event: str, **facts: object) -> None:
        self._journal.tell(f"log: {event} {facts}")

    warning = info

    def error(self, event: str, **facts: object) -> None:
        self.info(event, **facts)
        why = facts.get("exc_info")
        if isinstance(why, BaseException):
            judge(self._journal, event, why)
        if event == "duty_parked":  # Weather is put off for as long as it lasts.
            self._journal.violated(f"{event}: {facts}")


def judge(journal: Journal, what: str, why: BaseException) -> None:
    """Storage that fails is weather, and a lease may go to another process; any other exception that nobody caught is
    a bug.
    """
    weather = isinstance(why, StorageFault | DatabaseBroken | LeaseLost)
    if not weather and not (isinstance(why, Refusal) and why.code == "storage_unavailable"):
        journal.violated(f"{what}: {why!r}")


class Files(Struct, frozen=True, kw_only=True):
    """What all processes of a server share."""

    config: Config
    sealer: Sealer
    alone: Callable[[], bool]
    """Whether no other process lives: what the lock of a data folder proves."""


class Process:
    """`house` is the life that is on, None while there is none."""

    def __init__(
        self,
        name: str,
        seed: int,
        files: Files,
        *,
        loop: VirtualLoop,
        network: Network,
        journal: Journal,
        weather: Weather,
    ) -> None:
        self._name = name
        self._files = files
        self._loop = loop
        self._network = network
        self._journal = journal
        self._weather = weather
        self._dice = dice_of(seed, name)
        self._storage_dice = dice_of(seed, f"{name}, storage")
        self.crashes = Crashes(dice_of(seed, f"{name}, crashes"), journal)
        self._connections: Connections | None = None
        self._lives: list[MortalWorld] = []
        self._asked: dict[int, asyncio.Future[object]] = {}
        self._number = 0
        self.house: House | None = None

    async def run(self) -> None:
        """Live, die and live again, for ever."""
        while True:
            world = self._start()
            await world.ended
            assert self._connections
            self._connections.crash()
            self._hang_up()
            await asyncio.sleep(self._dice.expovariate(1 / DOWN_SECONDS))

    async def ask(self, request: Callable[[House], Awaitable[T]]) -> T:
        """What it answers. Raises its Refusal, or Lost where it dies, or takes too long."""
        if self.house is None:
            raise Lost
        answer: asyncio.Future[T] = self._loop.create_future()
        number = self._number = self._number + 1
        self._asked[number] = answer  # type: ignore[assignment]
        self.house.world.spawn(_answered(request, self.house, answer), f"request {number}")
        hangs_up = self._loop.call_later(NEVER_ANSWERED_SECONDS, _lose, answer)
        try:
            return await answer
        finally:
            hangs_up.cancel()
            self._asked.pop(number, None)

    async def stop(self) -> None:
        """Stop the life that is on as SIGTERM does; it ends drained, or dead."""
        if self.house is None:
            return
        house, world = self.house, self._lives[-1]

        async def drain() -> None:
            await house.stop()
            world.kill("stopped")

        world.spawn(drain(), "stop")
        await world.ended

    def bury(self) -> None:
        """The run is over."""
        for world in self._lives:
            world.kill("the run is over")
            world.bury()
        if self._connections:
            self._connections.close()

    def _start(self) -> MortalWorld:
        self.crashes.arm()
        files, world = self._files, MortalWorld(self._loop, self._dice, self._network, self.crashes, self._journal)
        world.failed = lambda name, why: judge(self._journal, f"task {name}", why)
        if files.alone():
            prepare(files.config, files.sealer, world)
        self._connections = self._connections or Connections(files.config.database)
        stores = Stores(self._connections, world, self._weather, self.crashes, self._storage_dice)
        house = House(
            world=world,
            config=files.config,
            sealer=files.sealer,
            stores=stores,
            log=SimulatedLog(self._journal),
            documents=documents(),
        )
        world.duties = tuple(f"{kind}:" for kind in house.runner.kinds)
        self._lives.append(world)
        ends = self.crashes.point or "never"
        self._journal.tell(f"{self._name} is up: life {len(self._lives)}, ends: {ends}")
        world.spawn(self._live(house, world), "serve")
        self.house = house
        return world

    async def _live(self, house: House, world: MortalWorld) -> None:
        """What `serve` does: start the house, and end when the database is broken or an operator says so."""
        await house.start()
        assert house.broken is not None
        stopped = self.crashes.point is STOP
        if stopped:
            await asyncio.sleep(self._dice.expovariate(1 / LIVES_SECONDS))
        else:
            await house.broken
        if not stopped or self.crashes.due(STOP):
            await house.stop()
            world.kill("stopped")

    def _hang_up(self) -> None:
        self.house = None
        for answer in list(self._asked.values()):
            _lose(answer)


def _lose(answer: "asyncio.Future[Any]") -> None:
    if not answer.done():
        answer.set_exception(Lost())


async def _answered(request: Callable[[House], Awaitable[T]], house: House, answer: "asyncio.Future[T]") -> None:
    """Give the answer, or the refusal, to whoever still waits for it."""
    try:
        found = await request(house)
    except (Refusal, StorageFault, DatabaseBroken) as why:
        if not answer.done():
            answer.set_exception(why if isinstance(why, Refusal) else Lost())
    else:
        if not answer.done():
            answer.set_result(found)
