"""A process at work: a store, a runner, and a handler that tells what it was given."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from msgspec import Struct

from paydesk.desk import Reader
from paydesk.duties import Runner, finish, put_off
from paydesk.duties.dead import Parked
from paydesk.duties.rows import DeadDuty
from paydesk.store import Command, Duty, Row, StorageFault, Work
from paydesk.telemetry import Metrics
from tests.store.exam_rows import ACCOUNT, Do
from tests.store.faults import Gate
from tests.store.opened import Opened, opened
from tests.store.sitter import SqliteSitter

RowType = TypeVar("RowType", bound=Row)

DUTY = Duty(account=ACCOUNT, id="chore:1", kind="chore", subject="1")


class Begun(Struct, frozen=True):
    """What a handler was given, and when."""

    process: str
    at_ms: int
    duty: Duty
    thing: object


class CountingReader:
    """Counts the looks at the database, and fails as often as it is told."""

    def __init__(self, inner: Reader) -> None:
        self._inner = inner
        self.looks = 0
        self.gate: Gate | None = None
        """Holds the next number, when it is already read."""
        self.faults = 0

    def _look(self) -> None:
        self.looks += 1
        if self.faults:
            self.faults -= 1
            raise StorageFault("injected")

    async def get(self, kind: type[RowType], *key: str) -> RowType | None:
        return await self._inner.get(kind, *key)

    async def get_all(self, kind: type[RowType], keys: Iterable[tuple[str, ...]]) -> list[RowType]:
        return await self._inner.get_all(kind, keys)

    async def query(self, kind: type[RowType], statement: str, parameters: Sequence[Any]) -> list[RowType]:
        self._look()
        return await self._inner.query(kind, statement, parameters)

    async def texts(self, statement: str, parameters: Sequence[Any]) -> list[str]:
        return await self._inner.texts(statement, parameters)

    async def number(self, statement: str, parameters: Sequence[Any]) -> int | None:
        number = await self._inner.number(statement, parameters)
        if self.gate:
            gate, self.gate = self.gate, None
            await gate.pass_through()
        return number


class ExamLog:
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.facts: list[dict[str, object]] = []

    def _say(self, event: str, **facts: object) -> None:
        self.said.append(event)
        self.facts.append(facts)

    info = warning = error = _say


class Office:
    """One process. It is the desk that its runner is handed, and the test's as well."""

    config: Any = None

    def __init__(self, store: Opened, sitter: SqliteSitter, process: str) -> None:
        self.store = store
        self.process = process
        self.world = store.world
        self.published = store.published
        self.reader = CountingReader(sitter.reader())
        self.log: Any = ExamLog()
        self.metrics = Metrics()
        self.begun: asyncio.Queue[Begun] = asyncio.Queue()
        self.act: Callable[[Duty], Awaitable[object]] = self.finish
        """What the handler does after it told."""
        self.parked: Parked = lambda work, dead: None
        """What a chore's end changes beside it."""
        handlers = {"chore": self._handle, "question": self._handle}
        self.runner = Runner(self, process, handlers, {"chore": lambda work, dead: self.parked(work, dead)})
        store.on_carried = self.runner.carry

    async def submit(self, command: Command[Any], carry: object = None) -> Any:
        return await self.store.submit(command, carry)

    async def owe(self, duty: Duty = DUTY, *, after_ms: int = 0, carry: object = None) -> Duty:
        return await self.submit(Do(act=lambda work: work.owe(duty, after_ms=after_ms)), carry)

    async def owe_many(self, number: int, *, after_ms: int = 0) -> list[Duty]:
        """All in one commit."""

        def act(work: Work) -> list[Duty]:
            return [work.owe(chore(index), after_ms=after_ms) for index in range(number)]

        return await self.submit(Do(act=act))

    async def finish(self, duty: Duty) -> None:
        await self.submit(Do(act=lambda work: finish(work, duty)))

    async def put_off(self, duty: Duty, due_ms: int, note: str | None = None) -> Duty:
        return await self.submit(Do(act=lambda work: put_off(work, duty, due_ms=due_ms, note=note)))

    async def row(self, duty: Duty = DUTY) -> Duty | None:
        return await self.reader.get(Duty, duty.account, duty.id)

    async def dead(self, duty: Duty = DUTY) -> DeadDuty:
        """Wait until the duty is parked."""
        await self.gone(duty)
        dead = await self.reader.get(DeadDuty, duty.account, duty.id)
        assert dead
        return dead

    async def gone(self, *duties: Duty) -> None:
        """Wait until these duties are done with."""
        for duty in duties or (DUTY,):
            with self.published.watch((Duty, (duty.account, duty.id))) as watch:
                while await self.row(duty):
                    await watch.changed(3600)

    async def _handle(self, duty: Duty, thing: object) -> None:
        self.begun.put_nowait(Begun(self.process, self.world.now_ms(), duty, thing))
        await self.act(duty)


def chore(index: int) -> Duty:
    return Duty(account=ACCOUNT, id=f"chore:{index:03}", kind="chore", subject=f"{index}")


@asynccontextmanager
async def office(sitter: SqliteSitter, process: str = "here", *, runs: bool = True) -> AsyncGenerator[Office]:
    """A process whose runner runs for as long as the block does."""
    async with opened(sitter, process=process) as store:
        made = Office(store, sitter, process)
        running = asyncio.create_task(made.runner.run()) if runs else None
        try:
            yield made
        finally:
            made.runner.stop()
            if running:
                await running
        assert not store.world.failed  # type: ignore[attr-defined]


async def bystanders() -> None:
    """Let every task do what it can do without waiting for time."""
    for _ in range(200):
        await asyncio.sleep(0)
