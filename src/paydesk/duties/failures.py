"""What it means that doing a duty raised: whether the same again may go well, how long to wait, and when it is enough.

The one place that tells retryable failures from final ones. Pure.
"""

import errno

from paydesk.errors import Refusal
from paydesk.scrubbing import scrubbed
from paydesk.store import DatabaseBroken, StorageFault

RETRYABLE_CODES = frozenset({"storage_unavailable", "overloaded", "rate_limited", "psp_unavailable"})
RETRYABLE_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN}
    | {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH}
)
FINAL_TRIES = 5  # A bug may be in the moment; after these tries, about a minute, somebody must look.
FIRST_MS = 5_000
MOST_MS = (
    5 * 60_000
)  # What was waited for (a disk, a network) is back at some time: nobody shall wait long for us then.


def is_retryable(why: BaseException) -> bool:
    """Whether the same again may go well though nobody mends anything: the disk, the network, too much at once.

    Everything else is final: a bug, or a row that no code can make sense of.
    """
    if isinstance(why, Refusal):
        return why.code in RETRYABLE_CODES
    if isinstance(why, BaseExceptionGroup):
        return all(is_retryable(one) for one in why.exceptions)
    if isinstance(why, StorageFault | DatabaseBroken | TimeoutError | ConnectionError):
        return True
    return isinstance(why, OSError) and why.errno in RETRYABLE_ERRNOS


def backoff_ms(failures: int, chance: float) -> int:
    """How long to wait after so many failures in a row: twice as long each time, up to a limit.

    `chance` in [0, 1) spreads it over the upper half, so that what failed together does not come back together.
    """
    whole = min(FIRST_MS << min(failures - 1, 16), MOST_MS)
    return whole // 2 + int(whole // 2 * chance)


def reason_of(why: BaseException) -> str:
    """The exception's type and message, for people: no card number, no secret."""
    message = scrubbed(str(why))
    return f"{type(why).__name__}: {message}" if message else type(why).__name__
