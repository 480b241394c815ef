"""How many connections are open, in all and from each address: each holds a file, and PSPs need some too."""

from collections import Counter


class Connections:
    """Counts those of one listener."""

    def __init__(self, most: int, most_of_address: int) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._open = 0
        self._of = Counter[str]()

    def come(self, address: str) -> bool:
        """Whether there is room for one more from there; then it counts until it leaves."""
        if self._open >= self._most or self._of[address] >= self._most_of_address:
            return False
        self._open += 1
        self._of[address] += 1
        return True

    def leave(self, address: str) -> None:
        self._open -= 1
        self._of[address] -= 1
        if not self._of[address]:
            del self._of[address]
