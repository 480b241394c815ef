"""This machine: its clock, its randomness, its network, its tasks. The only module that may ask for them."""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from typing import Any

from paydesk.world import Answer, NoAnswer, NotSent, Outgoing
from paydesk.world.http import HttpOut

POOL_BYTES = 4096


def now_ms() -> int:
    """The wall clock, for commands that end at once and have no World."""
    return time.time_ns() // 1_000_000


class RealWorld:
    """One per process. `failed(name, exception)` hears of tasks that end in an exception."""

    def __init__(self, http: HttpOut, failed: Callable[[str, BaseException], None]) -> None:
        self._http = http
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()
        self._latest_ms = 0
        self._latest_at = 0.0
        self._pool = b""

    def now_ms(self) -> int:
        """Where the wall clock is behind what it was, the monotonic one goes on from there."""
        at = self.monotonic()
        passed_ms = int((at - self._latest_at) * 1000)
        wall_ms = self.wall_ms()
        if wall_ms >= self._latest_ms:
            self._latest_ms, self._latest_at = wall_ms, at
        elif passed_ms:  # Whole milliseconds alone are counted, so that many short looks lose nothing.
            self._latest_ms += passed_ms
            self._latest_at += passed_ms / 1000
        return self._latest_ms

    def wall_ms(self) -> int:
        return now_ms()

    def monotonic(self) -> float:
        return time.monotonic()

    def random(self, size: int) -> bytes:
        if len(self._pool) < size:
            self._pool = os.urandom(max(POOL_BYTES, size))
        taken, self._pool = self._pool[:size], self._pool[size:]
        return taken

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def send(self, request: Outgoing) -> Answer | NotSent | NoAnswer:
        return await self._http.send(request)

    async def close(self) -> None:
        """End what is still running, then the connections."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        await self._http.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (why := task.exception()):
            self._failed(task.get_name(), why)
