"""The committer: takes the commands that wait, decides them in memory, commits them together, and only then answers
anyone.

One per process and database file (lanes of it on PostgreSQL). A refusal or a bug drops only its own command's changes;
a batch that the
database refuses is bisected; an unknown COMMIT is settled by its marker. Promised is serialisability, not order of
arrival.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from msgspec import Struct

from paydesk.errors import Refusal
from paydesk.store.command import Command, R, Rank
from paydesk.store.faults import Conflict, DatabaseBroken, StorageFault, UnknownCommit
from paydesk.store.rows import Key, Marker, Row
from paydesk.store.work import Absent, Stamp, Work, WorkingSet, same_table
from paydesk.world import World

BATCH = 64  # Holds the loop for a millisecond or two; more gains little.
ROUNDS = 64  # A command that still misses rows after so many loads is a bug. What hints leave out costs time alone.
SHARE = 8  # What every rank gets of a batch before the first rank takes the rest, so that nobody starves.
COMPANY_SECONDS = (
    0.02  # A batch of nothing but records waits so long, so that its fsync does not stand in front of the next confirm.
)
UNKNOWN_RETRY_SECONDS = 0.05  # Between looks for the marker of a COMMIT whose fate is unknown.
CONFLICTS = 3  # A single command that the database refuses so often is a bug.

Change = tuple[Key, Row | None, Row | None]
"""(key, the row as loaded, the row as it shall be); None where there is none."""


class Session(Protocol):
    """One connection that writes: SQLite's, a lane's on PostgreSQL, or the simulator's with faults on top."""

    async def begin(self) -> None: ...
    async def load(self, kind: type[Row], keys: list[tuple[str, ...]]) -> list[Row]: ...
    async def write(self, changes: list[Change]) -> None:
        """Raises Conflict or StorageFault."""
        ...

    async def commit(self) -> None:
        """Raises StorageFault (nothing stored), UnknownCommit or DatabaseBroken."""
        ...

    async def rollback(self) -> None: ...


class Bounds(Struct, frozen=True, kw_only=True):
    """What may wait at most before new commands are refused (503, nothing done)."""

    commands_max: int = 2048
    bytes_max: int = 32 * 1024 * 1024


class Waiting:
    """A command with its stamp and the future its caller waits for."""

    __slots__ = ("carry", "command", "future", "size", "stamp")

    def __init__(
        self, command: Command[Any], stamp: Stamp, future: asyncio.Future[Any], size: int, carry: object
    ) -> None:
        self.command = command
        self.carry = carry
        self.stamp = stamp
        self.future = future
        self.size = size

    def answer(self, reply: object) -> None:
        """Give the caller its reply, or raise at it. A caller that went away changes nothing."""
        if self.future.done():
            return
        if isinstance(reply, Exception):
            self.future.set_exception(reply)
        else:
            self.future.set_result(reply)


class Committer:
    """`submit` from anywhere; `run` once, as a task; `close` drains."""

    def __init__(
        self,
        session: Session,
        world: World,
        *,
        process: str,
        publish: Callable[[list[tuple[Key, Row | None]]], None],
        carried: Callable[[object, object], None],
        broken: Callable[[BaseException], None],
        bounds: Bounds | None = None,
    ) -> None:
        self._session = session
        self._world = world
        self._process = process
        self._publish = publish
        self._carried = carried
        self._broken = broken
        self._bounds = bounds or Bounds()
        self._queues: dict[Rank, deque[Waiting]] = {rank: deque() for rank in Rank}
        self._count = 0
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._closing = False
        self._batches = 0
        self._under_way: list[Waiting] = []
        self.on_bug: Callable[[Command[Any], BaseException], None] = lambda command, why: None
        """Told of every exception in a decision that is not a refusal."""
        self.on_commit: Callable[[float], None] = lambda seconds: None
        """Told how long each COMMIT took."""

    @property
    def waiting(self) -> int:
        return self._count

    @property
    def batches(self) -> int:
        """How many batches were tried since the start."""
        return self._batches

    async def submit(self, command: Command[R], carry: object = None) -> R:
        """Decide and commit; answers after the commit. Raises the command's Refusal, or 503 where nothing was done.

        `carry` travels in memory alone: `carried(reply, carry)` is called after the commit and before anyone is told of
        it, so that a duty that this command owes finds it, whether or not the caller is still there.
        """
        size = command.size_bytes()
        self._admit(command.RANK, size)
        stamp = Stamp(
            now_ms=self._world.now_ms(),
            random62=int.from_bytes(self._world.random(8), "big") >> 2,
            process=self._process,
        )
        waiting = Waiting(command, stamp, asyncio.get_running_loop().create_future(), size, carry)
        self._queues[command.RANK].append(waiting)
        self._count += 1
        self._bytes += size
        self._arrived.set()
        return await waiting.future

    async def run(self) -> None:
        """Commit batches until closed and drained. A broken database ends it, and the process with it; so does what
        nobody expected, since callers must not wait for an answer that never comes.
        """
        try:
            while (batch := await self._next_batch()) is not None:
                self._under_way = batch
                await self._settle(batch)
        except Exception as why:
            self._fail_everything(why)
            self._broken(why)

    def close(self) -> None:
        """Take nothing new; `run` ends when what waits is done."""
        self._closing = True
        self._arrived.set()

    def _admit(self, rank: Rank, size: int) -> None:
        if self._closing:
            raise Refusal("storage_unavailable", "Paydesk is shutting down; nothing was stored.", retry_after_seconds=1)
        if rank in (Rank.APPLY, Rank.BACKGROUND):
            return
        full = self._count >= self._bounds.commands_max or self._bytes + size > self._bounds.bytes_max
        if full:
            raise Refusal("overloaded", retry_after_seconds=1)

    async def _next_batch(self) -> list[Waiting] | None:
        while not self._count:
            if self._closing:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        await self._company()
        return self._take()

    async def _company(self) -> None:
        """Let records wait a little for others, as long as nothing else waits."""
        until = self._world.monotonic() + COMPANY_SECONDS
        background = self._queues[Rank.BACKGROUND]
        while len(background) == self._count < BATCH and not self._closing:
            self._arrived.clear()
            try:
                async with asyncio.timeout(until - self._world.monotonic()):
                    await self._arrived.wait()
            except TimeoutError:
                return

    def _take(self) -> list[Waiting]:
        batch: list[Waiting] = []
        for most in (SHARE, BATCH):
            for queue in self._queues.values():
                for _ in range(min(most, len(queue), BATCH - len(batch))):
                    batch.append(queue.popleft())
        self._count -= len(batch)
        self._bytes -= sum(waiting.size for waiting in batch)
        return batch

    async def _settle(self, batch: list[Waiting], tries: int = 1) -> None:
        """Commit the batch; where the database refuses it, halve it until the culprit stands alone."""
        try:
            await self._commit(batch)
        except Conflict as why:
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._settle(batch[:middle])
                await self._settle(batch[middle:])
            elif tries < CONFLICTS:
                await self._settle(batch, tries + 1)
            else:
                batch[0].answer(self._bug(batch[0], why))
        except StorageFault:
            for waiting in batch:
                waiting.answer(Refusal("storage_unavailable", retry_after_seconds=1))

    async def _commit(self, batch: list[Waiting]) -> None:
        """One transaction. Raises Conflict or StorageFault with nothing stored and nobody answered."""
        self._batches += 1
        marker = Marker(id=f"{self._process}-{self._batches}", created_ms=self._world.now_ms())
        answers, changes = await self._write(batch, marker)
        if not changes:
            await self._session.rollback()
        elif not await self._timed(self._stored(marker)):
            return await self._commit(batch)
        for waiting, answer in answers:
            if waiting.carry is not None and not isinstance(answer, Exception):
                self._carried(answer, waiting.carry)
            waiting.answer(answer)
        self._publish([(key, after) for key, _, after in changes])
        return None

    async def _write(self, batch: list[Waiting], marker: Marker) -> tuple[list[tuple[Waiting, object]], list[Change]]:
        """Begin, decide, write: who gets which answer, and what changed. Raises after a roll-back."""
        await self._session.begin()
        try:
            rows = WorkingSet()
            answers = await self._decide(rows, batch)
            await self._check_unseen(rows)
            changes = rows.changed()
            if changes:
                changes.append(((Marker, (marker.id,)), None, marker))
                await self._session.write(changes)
        except BaseException as why:
            await self._session.rollback()
            if isinstance(why, Exception) and not isinstance(why, Conflict | StorageFault | DatabaseBroken):
                raise Conflict(repr(why)) from why  # Keys or values that make no sense: halving finds out whose.
            raise
        return answers, changes

    async def _timed(self, stored: Awaitable[bool]) -> bool:
        began = self._world.monotonic()
        done = await stored
        self.on_commit(self._world.monotonic() - began)
        return done

    async def _stored(self, marker: Marker) -> bool:
        """COMMIT; where its fate is unknown, learn it by inserting the marker again, for as long as that takes."""
        try:
            await self._session.commit()
        except UnknownCommit:
            while True:
                try:
                    return not await self._insertable(marker)
                except StorageFault:
                    await asyncio.sleep(UNKNOWN_RETRY_SECONDS)
        return True

    async def _insertable(self, marker: Marker) -> bool:
        await self._session.begin()
        try:
            await self._session.write([((Marker, (marker.id,)), None, marker)])
        except Conflict:
            return False
        else:
            return True
        finally:
            await self._session.rollback()

    async def _decide(self, rows: WorkingSet, batch: list[Waiting]) -> list[tuple[Waiting, object]]:
        """Run every decision over the working set, loading what they miss, in rounds. Returns who gets which answer."""
        answers: list[tuple[Waiting, object]] = []
        hinted = (key for waiting in batch for key in waiting.command.keys())  # noqa: SIM118 (not a dict's keys)
        await self._load(rows, dict.fromkeys(hinted))
        for _ in range(ROUNDS):
            missing: dict[Key, None] = {}
            again: list[Waiting] = []
            for waiting in batch:
                try:
                    answers.append((waiting, self._decide_one(rows, waiting)))
                except Absent as absent:
                    missing[absent.key] = None
                    again.append(waiting)
            if not again:
                return answers
            await self._load(rows, missing)
            batch = again
        endless = RuntimeError(f"still misses rows after {ROUNDS} loads")
        return answers + [(waiting, self._bug(waiting, endless)) for waiting in batch]

    def _decide_one(self, rows: WorkingSet, waiting: Waiting) -> object:
        """The command's reply, or what it raised. (Given after the commit, since it may rest on what this batch
        changed.)
        """
        work = Work(rows, waiting.stamp)
        try:
            answer = waiting.command.decide(work)
        except Refusal as why:
            return why
        except Exception as why:
            return self._bug(waiting, why)
        work.keep()
        return answer

    async def _check_unseen(self, rows: WorkingSet) -> None:
        """A row put in unseen and taken away again leaves no INSERT behind to tell whether it was new: look."""
        for kind, key in rows.unseen():
            if await self._session.load(kind, [key]):
                raise Conflict(f"{kind.__name__} {key} was there already")

    async def _load(self, rows: WorkingSet, keys: dict[Key, None]) -> None:
        """Load the rows of these keys, table by table in one order (so that lanes never lock crosswise).

        A row that a command of this batch has put in unseen meanwhile is not looked for: its INSERT tells.
        """
        wanted = sorted((key for key in keys if key not in rows.current), key=lambda key: (same_table(key), key[1]))
        by_kind: dict[type[Row], list[tuple[str, ...]]] = {}
        for kind, key in wanted:
            by_kind.setdefault(kind, []).append(key)
        for kind, some in by_kind.items():
            rows.learn([(kind, key) for key in some], await self._session.load(kind, some))

    def _bug(self, waiting: Waiting, why: Exception) -> Exception:
        self.on_bug(waiting.command, why)
        if not isinstance(why, StopIteration):
            return why
        bug = RuntimeError("StopIteration")  # A future holds no StopIteration.
        bug.__cause__ = why
        return bug

    def _fail_everything(self, why: Exception) -> None:
        self._closing = True
        for waiting in (*self._under_way, *(waiting for queue in self._queues.values() for waiting in queue)):
            waiting.answer(why)
        for queue in self._queues.values():
            queue.clear()
        self._count = self._bytes = 0
