"""The World of one life of the server. A crash is not a cancellation: from then on nothing of it runs again, and what
it was doing is kept as it stood until the run ends, so that no `finally` mends what a real crash would leave undone.
"""

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import suppress
from types import coroutine
from typing import Any, TypeVar

from paydesk.world import Answer, NoAnswer, NotSent, Outgoing
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.crashes import ANY_AWAIT, BEFORE_DUTY, Crashes
from paydesk_simulator.dice import Random
from paydesk_simulator.journal import Journal
from paydesk_simulator.network import Network

T = TypeVar("T")


class Dead(BaseException):
    """Somebody used a handle of a World that is gone. Only what is thrown away at the end of a run does."""


class MortalWorld:
    """Clock, dice, network and tasks, for as long as `alive`."""

    def __init__(self, loop: VirtualLoop, dice: Random, network: Network, crashes: Crashes, journal: Journal) -> None:
        self._loop = loop
        self._dice = dice
        self._network = network
        self._crashes = crashes
        self.journal = journal
        self._doing: dict[asyncio.Task[None], tuple[Coroutine[Any, Any, None], ...]] = {}
        self.duties: tuple[str, ...] = ()
        """What the names of tasks that do a duty begin with: the duty's id."""
        self.alive = True
        self.ended: asyncio.Future[None] = loop.create_future()

    def now_ms(self) -> int:
        self.check()
        return self._loop.now_ms()

    def wall_ms(self) -> int:
        return self.now_ms()

    def monotonic(self) -> float:
        self.check()
        return self._loop.time()

    def random(self, size: int) -> bytes:
        self.check()
        return self._dice.randbytes(size)

    async def send(self, request: Outgoing) -> Answer | NotSent | NoAnswer:
        self.check()
        return await self._network.send(request, self.ended)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        self.check()
        life = self._live(work, name)
        task = self._loop.create_task(life, name=name)
        self._doing[task] = (life, work)
        task.add_done_callback(self._done)
        return task

    def check(self) -> None:
        if not self.alive:
            raise Dead

    def kill(self, how: str) -> None:
        """This life is over, at once."""
        if self.alive:
            self.alive = False
            self.journal.tell(f"a process is dead: {how}")
            self.ended.set_result(None)

    async def die(self, how: str) -> None:
        """Like `kill`, from inside: never comes back."""
        self.kill(how)
        await never(self._loop)

    def bury(self) -> None:
        """The run is over: throw away what stood still. What its `finally` blocks still want, they don't get."""
        for both in self._doing.values():
            for one in both:
                with suppress(BaseException):
                    one.close()
        self._doing.clear()

    async def _live(self, work: Coroutine[Any, Any, None], name: str) -> None:
        await self._steps(work, name)

    @coroutine
    def _steps(self, work: Coroutine[Any, Any, T], name: str) -> Generator[Any, Any, T]:
        """Every step that a task of this World makes passes here, and the last one is not made."""
        if name.startswith(self.duties) and self._crashes.due(BEFORE_DUTY):
            self.kill(name)
        crashes, why = self._crashes, None
        while True:
            if crashes.point is ANY_AWAIT and self.alive and crashes.due(ANY_AWAIT):
                self.kill(name)
            if not self.alive:
                yield from never(self._loop).__await__()
            try:
                awaited = work.throw(why) if why else work.send(None)
            except StopIteration as end:
                return end.value
            why = None
            try:
                yield awaited
            except GeneratorExit:
                raise
            except BaseException as thrown:  # A time-out cancels; that is for `work` to see.
                why = thrown

    def _done(self, task: asyncio.Task[None]) -> None:
        self._doing.pop(task, None)
        if why := task.exception():
            self.journal.tell(f"task failed: {task.get_name()}: {why!r}")
            self.failed(task.get_name(), why)

    def failed(self, name: str, why: BaseException) -> None:
        """Told of every task that ends in an exception; set by whoever judges."""


async def never(loop: asyncio.AbstractEventLoop) -> None:
    """Wait for ever, deaf to cancellation: a timer of the dead may still ring."""
    while True:
        with suppress(asyncio.CancelledError):
            await loop.create_future()
