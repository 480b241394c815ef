"""Which calls are sent again, and after how long. Pure: the senders in client.py do the waiting."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from paydesk_client.calls import Call
from paydesk_client.errors import ConnectionFailed, PaydeskError


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How patient a client is. A repeat has the same Idempotency-Key and a new nonce."""

    at_most: int = 2
    """Repeats after the first attempt; 0 switches them off."""

    first_pause_seconds: float = 0.5
    """Doubles with each repeat, up to `pause_seconds_max`. Between half and all of it is waited, so that many clients
    don't come back in step."""

    pause_seconds_max: float = 8.0

    retry_after_seconds_max: int = 30
    """A server that asks for more gets no repeat: coming back too early helps nobody, and the caller is waiting."""

    dice: Callable[[], float] = random.random
    """Gives [0, 1)."""

    def pause_seconds(self, call: Call, repeats: int, failure: PaydeskError) -> float | None:
        """Seconds to wait before this call is sent again, or None to give up; `repeats` were made already."""
        if repeats >= self.at_most or not call.repeatable or not _passing(failure):
            return None
        asked = failure.retry_after_seconds or 0
        if asked > self.retry_after_seconds_max:
            return None
        pause = min(self.first_pause_seconds * 2**repeats, self.pause_seconds_max)
        return asked + pause * (1 + self.dice()) / 2


def _passing(failure: PaydeskError) -> bool:
    """Whether the same call may end better in a moment. A 500 or 502 is not such: nobody promised what it did."""
    if isinstance(failure, ConnectionFailed) or failure.status in (429, 503):
        return True
    return failure.status == 409 and failure.code == "operation_in_progress"
