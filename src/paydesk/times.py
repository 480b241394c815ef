"""Times on the wire: RFC 3339, UTC, `Z`, milliseconds. Inside they are integers, milliseconds since 1970 UTC."""

from datetime import UTC, datetime
from functools import lru_cache


def rfc3339(time_ms: int) -> str:
    """`2023-11-14T22:13:20.000Z`"""
    seconds, rest = divmod(time_ms, 1000)
    return f"{_to_the_second(seconds)}.{rest:03d}Z"


def rfc3339_or_none(time_ms: int | None) -> str | None:
    """The same, where there may be none."""
    return None if time_ms is None else rfc3339(time_ms)


@lru_cache(maxsize=1024)  # Most times that are shown are of the last few seconds, and strftime is slow.
def _to_the_second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
