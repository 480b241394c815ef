"""After a commit: who changed. Streams, long polls, caches and duties wake by this alone; nothing polls."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager

from paydesk.store.rows import Key, Row

Listener = Callable[[Key, Row | None], None]


class Watch:
    """Tells that a row changed since the last look. Made before the first read, so no change falls in between."""

    def __init__(self) -> None:
        self._rang = asyncio.Event()

    def ring(self) -> None:
        self._rang.set()

    async def changed(self, timeout_seconds: float) -> bool:
        """Wait for a change; False when the time is over."""
        try:
            async with asyncio.timeout(max(timeout_seconds, 0)):
                await self._rang.wait()
        except TimeoutError:
            return False
        self._rang.clear()
        return True


class Published:
    """One per process: (kind, key) of every row that a commit changed, to whoever asked."""

    def __init__(self) -> None:
        self._listeners: dict[type[Row], list[Listener]] = {}
        self._watches: dict[Key, list[Watch]] = {}

    def listen(self, kind: type[Row], listener: Listener) -> None:
        """Call `listener(key, row)` for every change of this kind; row is None when it was removed."""
        self._listeners.setdefault(kind, []).append(listener)

    @contextmanager
    def watch(self, *keys: Key) -> Generator[Watch]:
        """Watch these rows for as long as the block runs."""
        watch = Watch()
        for key in keys:
            self._watches.setdefault(key, []).append(watch)
        try:
            yield watch
        finally:
            for key in keys:
                self._leave(key, watch)

    def wake_everyone(self) -> None:
        """Ring every watch: the process is about to stop."""
        for watches in list(self._watches.values()):
            for watch in watches:
                watch.ring()

    @property
    def watching(self) -> int:
        """How many rows are watched: what a leak would raise."""
        return len(self._watches)

    def publish(self, changes: list[tuple[Key, Row | None]]) -> None:
        for key, row in changes:
            for listener in self._listeners.get(key[0], ()):
                listener(key, row)
            for watch in self._watches.get(key, ()):
                watch.ring()

    def _leave(self, key: Key, watch: Watch) -> None:
        waiting = self._watches[key]
        waiting.remove(watch)
        if not waiting:
            del self._watches[key]
