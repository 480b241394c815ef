"""What a call can raise, as a tree:

    PaydeskError
    ├── CardError             402: the card was declined, or is no card that can pay
    ├── AuthenticationError   401, 403: the signature, the clock, the nonce, or what the key may do
    ├── InvalidRequestError   400, 404, 409 …: the request, or the state the object is in
    ├── IdempotencyError      400, 422: no Idempotency-Key, or one that belongs to another request
    ├── RateLimitError        429: too many requests at once
    ├── ApiError              5xx, and every answer that is not Paydesk's
    └── ConnectionFailed      no answer at all: whether the server acted is unknown

The class follows `error.type` of the answer, as Stripe's libraries do (https://docs.stripe.com/api/errors).
"""

import json
from typing import Any

import httpx

Json = dict[str, Any]


class PaydeskError(Exception):
    """A call that did not end well. Catch this one to catch them all."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        request_id: str | None = None,
        retry_after_seconds: int | None = None,
        payment_intent: Json | None = None,
        body: bytes = b"",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        """HTTP status; None where no answer came."""
        self.code = code
        """Which refusal it is; the server's /docs lists every code. None where the answer is not Paydesk's."""
        self.param = param
        """The field of the request that was refused."""
        self.decline_code = decline_code
        """Why a card was declined: for the merchant, not for the shopper."""
        self.request_id = request_id
        """What to name when asking the operator about this call."""
        self.retry_after_seconds = retry_after_seconds
        self.payment_intent = payment_intent
        """The intent as it is now, where the server shows it beside the error."""
        self.body = body
        """The answer's body as it came."""
        self.idempotency_key: str | None = None
        """The key this call was sent with, the client's own too: give it again to repeat the call safely."""

    def __str__(self) -> str:
        facts = " ".join(str(fact) for fact in (self.status, self.code) if fact is not None)
        request = f" (request {self.request_id})" if self.request_id else ""
        return (f"{facts}: " if facts else "") + self.message + request


class CardError(PaydeskError):
    """The card cannot pay: `code` says which way, `decline_code` says more. Ask the shopper for another one."""


class AuthenticationError(PaydeskError):
    """The server does not accept who is asking, or the key may not do this."""


class InvalidRequestError(PaydeskError):
    """The request is wrong, names something that is not there, or the object's state does not allow it."""


class IdempotencyError(PaydeskError):
    """The Idempotency-Key is missing, or was used for another request."""


class RateLimitError(PaydeskError):
    """Too many requests. `retry_after_seconds` says when to come back."""


class ApiError(PaydeskError):
    """The server could not do it (Paydesk's own 503: nothing was charged), or the answer is not Paydesk's."""


class ConnectionFailed(PaydeskError):
    """No whole answer came, so the server may have acted. Repeat with `idempotency_key`, or read the object."""


BY_TYPE: dict[str, type[PaydeskError]] = {
    "card_error": CardError,
    "authentication_error": AuthenticationError,
    "invalid_request_error": InvalidRequestError,
    "idempotency_error": IdempotencyError,
    "rate_limit_error": RateLimitError,
    "api_error": ApiError,
}


def read(response: httpx.Response) -> Json | PaydeskError:
    """The object that was answered, or the error that says why there is none."""
    whole = _json_object(response.content)
    if not response.is_success:
        return _refused(response, whole or {})
    if whole is not None:
        return whole
    if not response.content:
        return {}
    return _not_ours(response, "The answer is not a JSON object. Is base_url the address of Paydesk?")


def _json_object(body: bytes) -> Json | None:
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return whole if isinstance(whole, dict) else None


def _refused(response: httpx.Response, whole: Json) -> PaydeskError:
    error = whole.get("error")
    if not isinstance(error, dict) or error.get("type") not in BY_TYPE:
        return _not_ours(response, "The answer is not in Paydesk's form; something between may have answered instead.")
    intent = whole.get("payment_intent")
    return BY_TYPE[error["type"]](
        str(error.get("message") or response.reason_phrase),
        status=response.status_code,
        code=error.get("code"),
        param=error.get("param"),
        decline_code=error.get("decline_code"),
        request_id=error.get("request_id") or response.headers.get("Request-Id"),
        retry_after_seconds=_retry_after_seconds(response),
        payment_intent=intent if isinstance(intent, dict) else None,
        body=response.content,
    )


def _not_ours(response: httpx.Response, message: str) -> PaydeskError:
    """What a proxy or a wrong address answered. A 429 is a rate limit, whoever says it."""
    kind = RateLimitError if response.status_code == 429 else ApiError
    return kind(
        message,
        status=response.status_code,
        request_id=response.headers.get("Request-Id"),
        retry_after_seconds=_retry_after_seconds(response),
        body=response.content,
    )


def _retry_after_seconds(response: httpx.Response) -> int | None:
    """Paydesk sends whole seconds; the form with a date (RFC 9110, 10.2.3) is read as no advice."""
    said = response.headers.get("Retry-After", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None
