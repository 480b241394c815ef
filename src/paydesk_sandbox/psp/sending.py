"""Notices over HTTP, and this machine's clock for what happens by itself. Idle, it waits for one timer."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import aiohttp

from paydesk_sandbox.door import Door
from paydesk_sandbox.psp.notices import Notice
from paydesk_sandbox.psp.routes import now_ms
from paydesk_sandbox.psp.rules import Psp

TIMEOUT = aiohttp.ClientTimeout(total=10)
AT_ONCE_MAX = 32


class Sending:
    """Sends what `psp.notices` has, lets happen what is due. `wake` it after everything that was done to the rules."""

    def __init__(self, door: Door, psp: Psp) -> None:
        self._door = door
        self._psp = psp
        self._http: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """See what is due and what is to be sent, and when to look again."""
        now = now_ms()
        self._psp.due(now)
        for notice in self._psp.notices.take(now):
            self._spawn(self._send(notice))
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if (next_ms := self._psp.next_ms) is not None and not self._door.closing.is_set():
            self._timer = asyncio.get_running_loop().call_later(max(0, next_ms - now) / 1000, self.wake)

    async def end(self) -> None:
        """Send nothing any more."""
        if self._timer:
            self._timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http:
            await self._http.close()

    async def _send(self, notice: Notice) -> None:
        await self._door.pause(max(0, notice.not_before_ms - now_ms()))
        if not self._door.closing.is_set():
            self._psp.notices.heard(notice, await self._post(notice), now_ms())
            self.wake()

    async def _post(self, notice: Notice) -> bool:
        if self._http is None:
            connector = aiohttp.TCPConnector(limit=AT_ONCE_MAX)
            self._http = aiohttp.ClientSession(connector=connector, timeout=TIMEOUT)
        headers = dict(notice.headers)
        try:
            async with self._http.post(notice.url, data=notice.body, headers=headers, allow_redirects=False) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
