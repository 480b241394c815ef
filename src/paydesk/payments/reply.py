"""What a merchant's request that waits for a PSP is answered with, kept in the commit of the outcome."""

from paydesk.errors import Refusal
from paydesk.payments.rows import Intent
from paydesk.payments.shapes import PaymentError, render
from paydesk.requests.once import drop_claim, finish_claim, request_of
from paydesk.store import Work


def answer_intent(work: Work, intent: Intent, idempotency_key: str) -> None:
    """200 with the intent as it is now."""
    if idempotency_key:
        finish_claim(work, intent.account, idempotency_key, status=200, body=render(intent))


def answer_declined(work: Work, intent: Intent, idempotency_key: str, error: PaymentError) -> None:
    """402 with the decline: definitive, so a repeat gets it again."""
    if idempotency_key:
        refusal = Refusal(error.code, error.message, decline_code=error.decline_code, payment_intent=render(intent))
        body = refusal.body(request_of(work, intent.account, idempotency_key))
        finish_claim(work, intent.account, idempotency_key, status=refusal.status, body=body)


def free_key(work: Work, account: str, idempotency_key: str) -> None:
    """Nothing came of it that is kept: the key may be used again."""
    drop_claim(work, account, idempotency_key)
