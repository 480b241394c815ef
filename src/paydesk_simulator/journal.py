"""What happened in a run, in order; what was counted; what must not have happened."""

import hashlib
from collections import Counter

from paydesk_simulator.clock import VirtualLoop


class Journal:
    """The event log of one seed: the same seed writes the same bytes."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.lines: list[str] = []
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []

    def tell(self, what: str) -> None:
        self.lines.append(f"{self._loop.time():11.4f} {what}")

    def count(self, what: str) -> None:
        """A fault or a crash that was hit: counted, and told."""
        self.counts[what] += 1
        self.tell(f"fault: {what}")

    def violated(self, what: str) -> None:
        """Something that must never happen did."""
        self.violations.append(what)
        self.tell(f"VIOLATION: {what}")

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def digest(self) -> str:
        return hashlib.sha256(self.text().encode()).hexdigest()
