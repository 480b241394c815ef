"""A loop whose clock is turned: with nothing to do it is at once as late as the next timer."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

YEAR_SECONDS = 365 * 86_400  # Nothing is awaited for so long, but by mistake.


class TurnedSelector(selectors.DefaultSelector):
    """Advances the clock instead of waiting."""

    seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and (timeout is None or self.seconds > YEAR_SECONDS):
            raise RuntimeError("everybody waits, and nothing will ever happen")
        if not ready and timeout is not None:
            self.seconds += max(timeout, 0)
        return ready


class TurnedLoop(asyncio.SelectorEventLoop):
    """`time()` is what the selector was turned to."""

    def __init__(self) -> None:
        self._turned = TurnedSelector()
        super().__init__(self._turned)

    def time(self) -> float:
        return self._turned.seconds


def run_turned(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=TurnedLoop) as runner:
        return runner.run(work)
