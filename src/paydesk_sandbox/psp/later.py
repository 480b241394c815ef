"""What happens by itself, and when: a heap of moments, read by whoever has a clock."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Literal

from msgspec import Struct

What = Literal["charge_expired", "dispute_opened", "refund_succeeded", "refund_failed"]


class Happened(Struct, frozen=True, kw_only=True):
    """Something that came to be without a request."""

    at_ms: int
    """When it was due."""
    what: What
    about: str
    """The id of the charge, refund or dispute that it happened to."""


class Later:
    """What is to happen. What is no longer possible when its time comes, does not."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, What, str]] = []
        self._counted = 0

    def at(self, at_ms: int, what: What, subject: str) -> None:
        """Let it happen to this charge or refund then. Of two at the same moment, the first said is the first."""
        self._counted += 1
        heappush(self._heap, (at_ms, self._counted, what, subject))

    def take(self, now_ms: int) -> list[tuple[int, What, str]]:
        """What is due, in its order, once."""
        due: list[tuple[int, What, str]] = []
        while self._heap and self._heap[0][0] <= now_ms:
            at_ms, _, what, subject = heappop(self._heap)
            due.append((at_ms, what, subject))
        return due

    def next_ms(self, still: Callable[[int, str], bool] = lambda _at_ms, _subject: True) -> int | None:
        """When the next thing is due. Those for which `still` says no, by time and subject, are dropped on the way."""
        while self._heap and not still(self._heap[0][0], self._heap[0][3]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None
