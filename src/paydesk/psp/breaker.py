"""A breaker per PSP: while it is down, nothing new is begun there; when it is back, it is not run over.

Closed, it lets everything pass. After FAILURES questions in a row without an answer it is open: whatever would begin
something new is refused, and what is open already goes on asking on its own schedule. The first answer, to a look-up or
to the one attempt that is let through when the pause is over, makes it half open: then one is let through, after its
answer two, four …, and at PASSES it is closed. After Nygard, "Release It!"; these steps keep a queue of
shoppers from throwing it over again.
"""

from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager

from msgspec import Struct

FAILURES = 5  # In a row: one that hangs is no outage.
PAUSE_SECONDS = 2.0  # Before the first attempt is let through again; doubled each time that it fails.
PAUSE_SECONDS_MAX = 60.0
STEP_SECONDS = 1.0  # While it is half open: whoever was let through may have begun nothing.
PASSES = 64  # So many at once without a failure, and it counts as well again.
KNOWN_MAX = 10_000


class Asked(Struct):
    """One question to a PSP."""

    answered: bool = False
    """Whether there was an answer, whatever that says. A 5xx is none."""


class Breaker:
    """One PSP at one address."""

    def __init__(self) -> None:
        self._failures = 0
        self._limit = PASSES
        """How many may begin between two answers; below PASSES while it is half open."""
        self._admitted = 0
        self._again_at = 0.0
        """When others may begin even if no answer came."""
        self._pause_seconds = PAUSE_SECONDS

    @property
    def open(self) -> bool:
        """Whether the last questions got no answer."""
        return self._failures >= FAILURES

    def admit(self, now: float) -> float:
        """0 if something new may begin now, and has its place; else in how many seconds to come again."""
        if not self.open and self._limit >= PASSES:
            return 0.0
        if now >= self._again_at:
            self._admitted = 0
            self._again_at = now + (self._pause_seconds if self.open else STEP_SECONDS)
        if self._admitted < (1 if self.open else self._limit):
            self._admitted += 1
            return 0.0
        return self._again_at - now

    @contextmanager
    def question(self, clock: Callable[[], float]) -> Generator[Asked]:
        """A question is on its way; say on what this gives whether it was answered."""
        asked = Asked()
        try:
            yield asked
        finally:
            self._note(answered=asked.answered, now=clock())

    def _note(self, *, answered: bool, now: float) -> None:
        if answered:
            self._limit = 1 if self.open else min(self._limit * 2, PASSES)
            self._failures, self._pause_seconds, self._admitted = 0, PAUSE_SECONDS, 0
            return
        was_open = self.open
        self._failures += 1
        if self._limit < PASSES:  # Half open: it is down again, and nobody counts to FAILURES.
            self._failures = max(self._failures, FAILURES)
        if was_open and now >= self._again_at - self._pause_seconds:
            self._pause_seconds = min(self._pause_seconds * 2, PAUSE_SECONDS_MAX)
        if self.open and not was_open:
            self._again_at, self._admitted = now + self._pause_seconds, 1


class Breakers:
    """All of a process, by the PSP's name and address. In memory: a process that starts tries anew."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Breaker] = OrderedDict()

    def of(self, psp: str, url: str) -> Breaker:
        """The breaker of this PSP at this address."""
        if (psp, url) not in self._known:
            self._known[psp, url] = Breaker()
            if len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return self._known[psp, url]

    def open(self) -> int:
        """How many PSPs are down."""
        return sum(breaker.open for breaker in self._known.values())
