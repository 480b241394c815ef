"""When a delivery is tried again, and what an answer means. Pure."""

from email.utils import parsedate_to_datetime

from msgspec import Struct

from paydesk.world import Answer, NoAnswer, NotSent

DELAYS_SECONDS = (0, 5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Before each attempt, the first included: 75.6 h in all, then dead."""

HOLD_MS = 15 * 60_000
"""A receiver that refuses `created` must not miss `succeeded` for three days."""


class Result(Struct, frozen=True, kw_only=True):
    """What became of one attempt."""

    succeeded: bool
    response_status: int | None
    error: str | None
    gone: bool = False
    """410: the receiver wants nothing more."""
    retry_after_seconds: int = 0


def result_of(answer: Answer | NotSent | NoAnswer, now_ms: int) -> Result:
    """2xx is success; 3xx is never followed; 429 and 503 may say when to come back, by the wall clock if as a date."""
    if not isinstance(answer, Answer):
        return Result(succeeded=False, response_status=None, error=answer.reason)
    if 200 <= answer.status < 300:
        return Result(succeeded=True, response_status=answer.status, error=None)
    after = answer.headers.get("retry-after", "") if answer.status in (429, 503) else ""
    return Result(
        succeeded=False,
        response_status=answer.status,
        error="redirects are not followed" if 300 <= answer.status < 400 else f"the receiver answered {answer.status}",
        gone=answer.status == 410,
        retry_after_seconds=_seconds(after, now_ms),
    )


def _seconds(retry_after: str, now_ms: int) -> int:
    """A number of seconds or a date (RFC 9110, section 10.2.3); 0 for what is neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return int(retry_after) if len(retry_after) < 9 else 0
    try:
        moment = parsedate_to_datetime(retry_after)
        return max(-(-(int(moment.timestamp()) * 1000 - now_ms) // 1000), 0)
    except (ValueError, OverflowError):
        return 0


def next_delay_ms(attempts: int, retry_after_seconds: int, chance: float) -> int | None:
    """How long until the attempt after `attempts` failed ones; None when it is time to give up.

    `chance` in [0, 1) spreads by ±20 %; what the receiver asks for is honoured between the delay and twice the delay.
    """
    if attempts >= len(DELAYS_SECONDS):
        return None
    base = DELAYS_SECONDS[attempts]
    asked = min(max(retry_after_seconds, base), 2 * base)
    return int(asked * 1000 * (0.8 + 0.4 * chance)) if asked == base else asked * 1000
