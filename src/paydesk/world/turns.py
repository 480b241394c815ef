"""Who may be outside at once: so many in all, of one account, at one receiver. First come, first served.

Who waits for a turn has begun nothing: no time-out runs, nothing was tried. So a receiver that answers nobody keeps its
own waiting and no one else.
"""

import asyncio
from types import TracebackType

Bound = tuple[str, int]
"""What is bounded, and how many may be there at once."""


class Turns:
    """One per process. `async with turns.take((endpoint, 16), (account, 64)):` waits for both, in that order."""

    def __init__(self) -> None:
        self._gates: dict[str, Gate] = {}

    def take(self, *bounds: Bound) -> "Turn":
        """Name the narrowest first, so that who waits there holds no place that others want."""
        return Turn(self._gates, bounds)

    @property
    def known(self) -> int:
        """How many receivers and accounts somebody is at, or waits for: what a leak would raise."""
        return len(self._gates)


class Gate:
    """One bound, for as long as somebody is there or waits."""

    __slots__ = ("name", "places", "users")

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self.places = asyncio.Semaphore(most)
        self.users = 0


class Turn:
    """From the wait to the end of the block."""

    __slots__ = ("_bounds", "_gates", "_known", "_taken")

    def __init__(self, known: dict[str, Gate], bounds: tuple[Bound, ...]) -> None:
        self._known = known
        self._bounds = bounds
        self._gates: list[Gate] = []
        self._taken = 0

    async def __aenter__(self) -> None:
        try:
            for name, most in self._bounds:
                gate = self._known.setdefault(name, Gate(name, most))
                gate.users += 1
                self._gates.append(gate)
                await gate.places.acquire()
                self._taken += 1
        except BaseException:
            self._leave()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, why: BaseException | None, where: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        for place, gate in enumerate(self._gates):
            if place < self._taken:
                gate.places.release()
            gate.users -= 1
            if not gate.users:
                del self._known[gate.name]
