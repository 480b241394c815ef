"""A store at work: a committer over a session with faults, and everything it tells its neighbours."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from paydesk.store import Bounds, Command, Committer, Published
from tests.store.faults import FaultySession
from tests.store.sitter import Sitter


class Opened:
    """What a test holds in its hands."""

    def __init__(self, sitter: Sitter, bounds: Bounds | None, process: str) -> None:
        self.sitter = sitter
        self.world = sitter.world()
        self.engine = sitter.session()
        self.session = FaultySession(self.engine)
        self.published = Published()
        self.carried: list[tuple[object, object]] = []
        self.on_carried: Callable[[Any, object], None] = lambda reply, thing: None
        self.broken: list[BaseException] = []
        self.bugs: list[BaseException] = []
        self.committer = Committer(
            self.session,
            self.world,
            process=process,
            publish=self.published.publish,
            carried=self._carry,
            broken=self.broken.append,
            bounds=bounds,
        )
        self.committer.on_bug = lambda command, why: self.bugs.append(why)

    def _carry(self, reply: object, thing: object) -> None:
        self.carried.append((reply, thing))
        self.on_carried(reply, thing)

    async def submit(self, command: Command[Any], carry: object = None) -> Any:
        return await self.committer.submit(command, carry)

    def start(self, *commands: Command[Any]) -> list[asyncio.Task[Any]]:
        """Submit them all at once; an idle committer takes them as one batch."""
        return [asyncio.create_task(self.committer.submit(command)) for command in commands]

    async def together(self, *commands: Command[Any]) -> list[Any]:
        """Submit them all at once; the replies, or what was raised."""
        return await asyncio.gather(*self.start(*commands), return_exceptions=True)


@asynccontextmanager
async def opened(sitter: Sitter, *, bounds: Bounds | None = None, process: str = "here") -> AsyncGenerator[Opened]:
    """The committer runs for as long as the block does, and is drained after it. Should it die, so does the block."""
    store = Opened(sitter, bounds, process)
    running = asyncio.create_task(store.committer.run())
    block = asyncio.current_task()
    running.add_done_callback(lambda ended: block.cancel() if block and died_of(ended) else None)
    try:
        yield store
    except BaseException:
        if why := died_of(running):
            raise why
        running.cancel()
        raise
    store.committer.close()
    await running


def died_of(task: asyncio.Task[None]) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None


async def everybody_else() -> None:
    """Let every task do what it can do without waiting for time."""
    for _ in range(50):
        await asyncio.sleep(0)
