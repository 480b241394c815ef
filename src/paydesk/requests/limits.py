"""Limits in this process: requests per key and per address, and the nonces of reads. All bounded, none stored."""

from collections import OrderedDict

REMEMBERED_MAX = 100_000  # Keys, addresses or nonces; the oldest are forgotten first.


class Bucket:
    """Token buckets by name: `rate` per second sustained, twice as many at once."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, now: float) -> int:
        """0 if there was one to take, else the seconds until there is."""
        level, since = self._levels.pop(name, (2.0 * self._rate, now))
        level = min(level + (now - since) * self._rate, 2.0 * self._rate)
        taken = level >= 1.0
        self._levels[name] = (level - 1.0 if taken else level, now)
        if len(self._levels) > REMEMBERED_MAX:
            self._levels.popitem(last=False)
        return 0 if taken else 1


class ReadNonces:
    """Nonces of reads, which are not stored: remembered for as long as their signature would be accepted."""

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._seen: OrderedDict[tuple[str, str], int] = OrderedDict()

    def first(self, key_id: str, nonce: str, now_ms: int) -> bool:
        """Whether this is the first read with that nonce."""
        while self._seen and next(iter(self._seen.values())) < now_ms - self._window_ms:
            self._seen.popitem(last=False)
        if (key_id, nonce) in self._seen:
            return False
        self._seen[key_id, nonce] = now_ms
        if len(self._seen) > REMEMBERED_MAX:
            self._seen.popitem(last=False)
        return True
