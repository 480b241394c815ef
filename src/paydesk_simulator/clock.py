"""Time that jumps: nobody sleeps, and when nobody has anything to do it is as late as the earliest timer says."""

import asyncio
import selectors

EPOCH_MS = 1_893_455_940_000  # A minute before 2030: money matures at midnight, in the storm. Test cards are good then.


class Deadlock(Exception):
    """Everybody waits, and nobody for the time."""


class JumpingSelector(selectors.SelectSelector):
    """Waiting for sockets is where a loop lets time pass; here it passes at once, and no socket ever says a word."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock
        self.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on a clock of its own, in seconds since its start."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def now_ms(self) -> int:
        """The virtual wall clock, milliseconds since 1970."""
        return EPOCH_MS + int(self._jumping.now * 1000)
