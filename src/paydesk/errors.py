"""Every error that Paydesk answers with: one table, one exception, one shape.

The shape is `{"error": {"type", "code", "message", "param", "decline_code"?, "doc_url", "request_id"}}`, after Stripe's
API
(https://docs.stripe.com/api/errors). `CODES` is the only list; the docs are made from it, and a code that is not in it
can't be raised.
"""

from typing import Literal

import msgspec

Kind = Literal[
    "invalid_request_error", "authentication_error", "idempotency_error", "card_error", "rate_limit_error", "api_error"
]

DOCS = "/docs#error-"


class Code(msgspec.Struct, frozen=True):
    """One line of the table: the HTTP status, the type, and the sentence a developer reads in the docs."""

    status: int
    type: Kind
    meaning: str


CODES: dict[str, Code] = {
    # what the bytes of a request alone refuse
    "missing_header": Code(400, "invalid_request_error", "A header that every signed request carries is not there."),
    "malformed_header": Code(
        400, "invalid_request_error", "A header is there, but not in the form the protocol asks for."
    ),
    "duplicate_header": Code(400, "invalid_request_error", "A header that may stand once stands twice."),
    "path_not_canonical": Code(
        400,
        "invalid_request_error",
        "The path holds `//`, `/./`, `/../`, a backslash, an encoded slash, backslash or NUL, a `#`, or bytes outside "
        "ASCII.",
    ),
    "malformed_request": Code(400, "invalid_request_error", "The bytes are not an HTTP/1.1 request."),
    "malformed_json": Code(
        400, "invalid_request_error", "The body is not one JSON object in UTF-8 with each key once."
    ),
    "parameter_missing": Code(400, "invalid_request_error", "A required field or parameter is not there."),
    "parameter_unknown": Code(400, "invalid_request_error", "A field or parameter is not one that this route knows."),
    "parameter_invalid": Code(400, "invalid_request_error", "A field or parameter has a value that is not allowed."),
    "amount_too_small": Code(400, "invalid_request_error", "The amount is zero or less."),
    "amount_too_large": Code(400, "invalid_request_error", "The amount is above what the account may take at once."),
    "currency_unknown": Code(
        400, "invalid_request_error", "The currency is not a lower-case ISO 4217 code that can be charged."
    ),
    "metadata_invalid": Code(
        400, "invalid_request_error", "The metadata breaks a limit: 50 keys of 40, values of 500, 8 KiB."
    ),
    "card_number_in_text": Code(
        400, "invalid_request_error", "A text field holds what looks like a card number. Never send one."
    ),
    "body_too_large": Code(
        413,
        "invalid_request_error",
        "The body is larger than may be sent here (by default 256 KiB).",
    ),
    "unsupported_media_type": Code(
        415, "invalid_request_error", "The body must be application/json, in UTF-8, not compressed."
    ),
    "headers_too_large": Code(
        431,
        "invalid_request_error",
        "Request line and headers together are larger than may be sent here (by default 16 KiB).",
    ),
    "request_timeout": Code(408, "invalid_request_error", "The request did not arrive in time."),
    # who is asking
    "invalid_signature": Code(
        401, "authentication_error", "The signature does not hold, or the key is unknown or revoked."
    ),
    "timestamp_out_of_range": Code(
        401, "authentication_error", "X-Request-Timestamp is more than 300 s away from `server_time`."
    ),
    "nonce_reused": Code(
        401, "authentication_error", "X-Request-Nonce was used before. Make a new one for every attempt."
    ),
    "invalid_client_secret": Code(
        401, "authentication_error", "The client secret does not belong to this payment intent."
    ),
    "insufficient_scope": Code(403, "authentication_error", "The key may not do this."),
    # idempotency
    "idempotency_key_missing": Code(400, "idempotency_error", "This route needs an Idempotency-Key."),
    "idempotency_key_reused": Code(
        422, "idempotency_error", "The Idempotency-Key was used before, with another request."
    ),
    # what is there, and in which state
    "resource_missing": Code(404, "invalid_request_error", "There is no such object in this account."),
    "route_missing": Code(404, "invalid_request_error", "There is no such route."),
    "method_not_allowed": Code(
        405, "invalid_request_error", "The route exists, but not with this method. See the Allow header."
    ),
    "invalid_state": Code(409, "invalid_request_error", "The object's status does not allow this."),
    "operation_in_progress": Code(
        409, "invalid_request_error", "An operation on this object is still running. Ask again shortly."
    ),
    "attempts_exhausted": Code(
        409,
        "invalid_request_error",
        "As many attempts were made on this intent as may be (by default ten). Open a new one.",
    ),
    "url_not_allowed": Code(
        400, "invalid_request_error", "The URL may not be used here: scheme, host or port is refused."
    ),
    "limit_reached": Code(409, "invalid_request_error", "The account has as many of these as it may have."),
    # the card
    "card_payload_invalid": Code(
        400, "invalid_request_error", "The encrypted card could not be used. Reload the form."
    ),
    "card_key_expired": Code(
        409, "invalid_request_error", "The card was encrypted with a key that is gone. Encrypt with the new key."
    ),
    "card_declined": Code(
        402,
        "card_error",
        "The card was declined. `decline_code`, which shoppers do not get, says more.",
    ),
    "expired_card": Code(402, "card_error", "The card has expired."),
    "incorrect_cvc": Code(402, "card_error", "The security code is incorrect."),
    "incorrect_number": Code(402, "card_error", "The card number is incorrect."),
    "invalid_expiry_month": Code(402, "card_error", "The expiry month is not a month."),
    "invalid_expiry_year": Code(402, "card_error", "The expiry year is not a year a card can have."),
    "processing_error": Code(402, "card_error", "The card's bank could not process the payment. Nothing was charged."),
    # too much at once, and what is not the caller's fault
    "rate_limited": Code(429, "rate_limit_error", "Too many requests. Retry-After says when to come back."),
    "storage_unavailable": Code(503, "api_error", "Nothing was stored and no PSP acted. Try again."),
    "psp_unavailable": Code(
        503, "api_error", "The PSP could not be reached. Nothing was charged; the intent is payable as before."
    ),
    "overloaded": Code(503, "api_error", "Too much is waiting. Nothing was stored and no PSP acted. Try again."),
    "internal_error": Code(500, "api_error", "A fault of ours. It is in the log under the request's id."),
}


class Refusal(Exception):
    """A request is refused for a reason the caller can act on. Drops its own command's changes and nothing else.

    `code` is a key of CODES; `message` says what is wrong and what to do; `param` names the field;
    `retry_after_seconds` becomes the
    Retry-After header; `server_time` and `payment_intent` (rendered JSON) stand beside the error where they help.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        param: str | None = None,
        decline_code: str | None = None,
        retry_after_seconds: int | None = None,
        server_time: str | None = None,
        payment_intent: bytes | None = None,
        allow: str | None = None,
        explain: dict[str, str] | None = None,
    ) -> None:
        self.entry = CODES[code]
        self.code = code
        self.message = message or self.entry.meaning
        self.param = param
        self.decline_code = decline_code
        self.retry_after_seconds = retry_after_seconds
        self.server_time = server_time
        self.payment_intent = payment_intent
        self.allow = allow
        self.explain = explain
        super().__init__(f"{code}: {self.message}")

    @property
    def status(self) -> int:
        return self.entry.status

    def body(self, request_id: str) -> bytes:
        """The error in the one shape, as JSON bytes."""
        error: dict[str, object] = {
            "type": self.entry.type,
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "doc_url": DOCS + self.code,
            "request_id": request_id,
        }
        if self.decline_code:
            error["decline_code"] = self.decline_code
        if self.explain:
            error["explain"] = self.explain
        whole: dict[str, object] = {"error": error}
        if self.server_time:
            whole["server_time"] = self.server_time
        if self.payment_intent:
            whole["payment_intent"] = msgspec.Raw(self.payment_intent)
        return msgspec.json.encode(whole)


class Sentence(Exception):
    """An error that is meant for the person at the command line: its message says what is wrong and what to do."""
