"""What a merchant's server imports to talk to Paydesk. Needs httpx and the standard library, nothing else.

    with Paydesk("https://pay.example", key_id, secret) as paydesk:
        intent = paydesk.payment_intents.create(1999, "usd", idempotency_key="order-1001")
    event = verify_webhook(body, headers, "whsec_…")

`Paydesk` and `AsyncPaydesk` have the same calls; `PaydeskAuth` signs for any httpx client of your own.
Read: errors.py (what can be refused), calls.py (every call as data), client.py (the two senders), retries.py, auth.py;
webhooks.py stands alone.
"""

from paydesk_client.auth import PaydeskAuth
from paydesk_client.client import AsyncPaydesk, Paydesk
from paydesk_client.errors import (
    ApiError,
    AuthenticationError,
    CardError,
    ConnectionFailed,
    IdempotencyError,
    InvalidRequestError,
    PaydeskError,
    RateLimitError,
)
from paydesk_client.retries import Retries
from paydesk_client.webhooks import WebhookVerificationError, sign_webhook, verify_webhook

__all__ = [
    "ApiError",
    "AsyncPaydesk",
    "AuthenticationError",
    "CardError",
    "ConnectionFailed",
    "IdempotencyError",
    "InvalidRequestError",
    "Paydesk",
    "PaydeskAuth",
    "PaydeskError",
    "RateLimitError",
    "Retries",
    "WebhookVerificationError",
    "sign_webhook",
    "verify_webhook",
]
