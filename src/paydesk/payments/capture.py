"""Capturing what is held: all of it or less, once; the rest is released."""

from collections.abc import Iterable

from paydesk.errors import Refusal
from paydesk.payments import errand
from paydesk.payments.rows import Intent
from paydesk.payments.states import Status
from paydesk.payments.tell import change
from paydesk.requests.once import Reply
from paydesk.store import Command, Key, Rank, Work


class Capture(Command[Reply], frozen=True):
    """Record that the PSP is to capture."""

    RANK = Rank.CONFIRM

    account: str
    intent: str
    amount_minor: int | None
    """None: all that is held."""
    cause: str
    idempotency_key: str

    def keys(self) -> Iterable[Key]:
        yield Intent, (self.account, self.intent)

    def decide(self, work: Work) -> Reply:
        intent = work.get(Intent, self.account, self.intent)
        if intent.status != Status.REQUIRES_CAPTURE:
            raise Refusal("invalid_state", f"This payment is {intent.status}; there is nothing to capture.")
        errand.check_free(intent)
        amount = intent.capturable_minor if self.amount_minor is None else self.amount_minor
        if amount > intent.capturable_minor:
            message = f"At most {intent.capturable_minor} can be captured."
            raise Refusal("amount_too_large", message, param="amount_to_capture")
        recorded = errand.record(
            work, intent, kind="capture", amount_minor=amount, idempotency_key=self.idempotency_key
        )
        about = recorded.errand.id
        change(work, intent, "capture_requested", self.cause, about=about, facts={"amount": amount}, errand=about)
        return Reply(running=True, object_id=intent.id, duty=recorded.duty, operation=about)
