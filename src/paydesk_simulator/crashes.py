"""When the server dies: one point is chosen for each of its lives, and how many times it is passed unharmed."""

from paydesk_simulator.dice import Random
from paydesk_simulator.journal import Journal

ANY_AWAIT = "at an await"
BEFORE_COMMIT = "before COMMIT"
AFTER_COMMIT = "after COMMIT, before answers"
BEFORE_DUTY = "after answers, before a duty"
BROKEN_COMMIT = "COMMIT failed with an I/O error"
STOP = "stopped by its operator"

PASSES = {
    ANY_AWAIT: 700,
    BEFORE_COMMIT: 40,
    AFTER_COMMIT: 40,
    BEFORE_DUTY: 30,
    BROKEN_COMMIT: 60,
    STOP: 0,
}
"""The points of a crash, and how often each is passed in the mean before it strikes."""


class Crashes:
    """Which point of which life is the last. `calm`: the server lives on."""

    def __init__(self, dice: Random, journal: Journal) -> None:
        self._dice = dice
        self._journal = journal
        self._left = 0
        self.point = ""
        """The point at which this life ends; empty when it doesn't."""
        self.calm = True

    def arm(self) -> None:
        """Choose how the life that begins now shall end."""
        self.point = "" if self.calm else self._dice.choice(list(PASSES))
        mean = PASSES.get(self.point, 0)
        self._left = int(self._dice.expovariate(1 / mean)) if mean else 0

    def disarm(self) -> None:
        self.calm, self.point = True, ""

    def due(self, point: str) -> bool:
        """The point is passed: whether this time is the last."""
        if point is not self.point:
            return False
        self._left -= 1
        if self._left >= 0:
            return False
        self.point = ""
        self._journal.count(f"crash {point}")
        return True
