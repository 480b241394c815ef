"""The door while Paydesk may not take anything yet: it lives, and says when to come back."""

from paydesk.errors import Refusal
from paydesk.web.call import Call
from paydesk.web.door import Door

RETRY_SECONDS = 10


class ClosedDoor(Door):
    """Answers `/livez`; everything else is 503, before a signature is looked at."""

    def _check(self, call: Call) -> None:
        super()._check(call)
        if call.raw_path != b"/livez":
            raise Refusal(
                "storage_unavailable",
                "Paydesk was restored from a backup, and asks the PSPs first what happened since. Nothing was stored.",
                retry_after_seconds=RETRY_SECONDS,
            )
