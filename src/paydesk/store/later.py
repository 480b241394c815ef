"""Lists, loaded when the first one is asked for: SQLAlchemy is half of a start's time and a fifth of its memory."""

import asyncio
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from paydesk.store.lists import Lists


class GivesLists(Protocol):
    """`Lists` itself, or `ListsLater`."""

    async def loaded(self) -> "Lists": ...
    async def close(self) -> None: ...


class ListsLater:
    """One per process, in place of `Lists`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lists: Lists | None = None

    async def loaded(self) -> "Lists":
        """Loads in a thread, so that nobody else waits for it."""
        if self._lists is None:
            module = await asyncio.get_running_loop().run_in_executor(
                None, importlib.import_module, "paydesk.store.lists"
            )
            lists: Lists = self._lists or module.Lists(self._path)  # Another list may have been first meanwhile.
            self._lists = lists
        return self._lists

    async def close(self) -> None:
        if self._lists:
            await self._lists.close()
