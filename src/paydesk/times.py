"""Times on the wire: RFC 3339, UTC, `Z`, milliseconds. Inside they are integers, milliseconds since 1970 UTC."""

from datetime import UTC, datetime
from functools import lru_cache

DAY_MS = 24 * 3_600_000


def rfc3339(time_ms: int) -> str:
    """`2023-11-14T22:13:20.000Z`"""
    seconds, rest = divmod(time_ms, 1000)
    return f"{_to_the_second(seconds)}.{rest:03d}Z"


def rfc3339_or_none(time_ms: int | None) -> str | None:
    """The same, where there may be none."""
    return None if time_ms is None else rfc3339(time_ms)


def day_of(time_ms: int) -> str:
    """The UTC date: `2023-11-14`."""
    return _date(time_ms // DAY_MS)


def day_starts_ms(day: str) -> int:
    """When the date begins, in UTC."""
    return int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()) * 1000


@lru_cache(maxsize=64)
def _date(days: int) -> str:
    return f"{datetime.fromtimestamp(days * DAY_MS // 1000, UTC):%Y-%m-%d}"


@lru_cache(maxsize=1024)  # Most times that are shown are of the last few seconds, and strftime is slow.
def _to_the_second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
