"""Canceling: at once where nothing is held, else when the PSP has released it."""

from collections.abc import Iterable

from paydesk.errors import Refusal
from paydesk.payments import errand, settle
from paydesk.payments.rows import Intent
from paydesk.payments.shapes import render
from paydesk.payments.states import Move, Status, allowed
from paydesk.payments.tell import change
from paydesk.requests.once import Reply
from paydesk.store import Command, Key, Rank, Work

REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
"""What a merchant may give as a reason, as at Stripe. The clock's are `expired` and `automatic`."""

HELD = (Status.REQUIRES_ACTION, Status.REQUIRES_CAPTURE)


class Cancel(Command[Reply], frozen=True):
    """End an intent that was not paid, or ask the PSP to let go of what it holds."""

    RANK = Rank.CONFIRM

    account: str
    intent: str
    reason: str
    cause: str
    idempotency_key: str = ""

    def keys(self) -> Iterable[Key]:
        yield Intent, (self.account, self.intent)

    def decide(self, work: Work) -> Reply:
        intent = work.get(Intent, self.account, self.intent)
        if intent.status == Status.PROCESSING:
            raise Refusal("operation_in_progress", "Money may be moving. Ask again shortly.", retry_after_seconds=2)
        if not allowed(intent.status, Move.CANCEL):
            raise Refusal("invalid_state", f"This payment is {intent.status} and can't be canceled.")
        errand.check_free(intent)
        if intent.status in HELD:
            return release(work, intent, self.reason, self.cause, self.idempotency_key)
        canceled = settle.cancel(work, intent, Move.CANCEL, self.reason, self.cause)
        return Reply(body=render(canceled), object_id=canceled.id)


def release(work: Work, intent: Intent, why: str, cause: str, idempotency_key: str = "") -> Reply:
    """Record that the PSP is to let go of what it holds; then, and for this reason, the intent ends."""
    recorded = errand.record(work, intent, kind="cancel", why=why, idempotency_key=idempotency_key)
    about = recorded.errand.id
    change(work, intent, "cancel_requested", cause, about=about, facts={"reason": why}, errand=about)
    return Reply(running=True, object_id=intent.id, duty=recorded.duty, operation=about)
