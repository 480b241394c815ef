"""Every route, the handler behind it, and what callers must know of it: `/openapi.json` and `/docs` are made from
this table.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from msgspec import Struct

from paydesk.errors import CODES
from paydesk.events.endpoints import Deleted, WebhookEndpoint
from paydesk.ledger.balance import BalanceAnswer
from paydesk.payments.dispute_shapes import Dispute
from paydesk.payments.late_shapes import LatePayment
from paydesk.payments.refund_shapes import Refund
from paydesk.payments.shapes import PaymentIntent, ShopperIntent
from paydesk.payments.timeline import Timeline
from paydesk.web import (
    answers,
    books,
    challenge,
    checkout,
    disputes,
    docs,
    endpoints,
    health,
    intents,
    late_payments,
    notices,
    operations,
    reads,
    refunds,
    static,
    status,
)
from paydesk.web.call import Call, Response, Streaming

Handler = Callable[[Call], Awaitable[Response | Streaming]]
Security = Literal["signature", "client_secret", "either", "none"]


class Parameter(Struct, frozen=True, kw_only=True):
    """One parameter that a route takes in its query, or in a header of its own."""

    name: str
    says: str
    whole: tuple[int, int] | None = None
    """The smallest and the largest, where it is a whole number."""
    default: int | None = None
    needed: bool = False
    place: Literal["query", "header"] = "query"


class Route(Struct, frozen=True):
    """One method on one path; `{name}` is a part that the handler reads. The handler's docstring is the summary."""

    method: str
    path: str
    handler: Handler
    security: Security = "none"
    body: type[Struct] | None = None
    """What the request's body is read into."""
    answer: Any = None
    """The type of a good answer, or a union of types. None: a page, a file or a stream."""
    media: str | None = "application/json"
    """Of a good answer. None: pages and files for people and browsers, of which the description says nothing."""
    parameters: tuple[Parameter, ...] = ()
    needs_idempotency_key: bool = False
    also: tuple[tuple[int, str], ...] = ()
    """Good answers beside 200."""
    refusals: tuple[str, ...] = ()
    """Error codes of this route, beside those that every route of its kind has."""


PAGE = (
    Parameter(name="limit", says="How many, at most.", whole=(1, 100), default=10),
    Parameter(name="starting_after", says="The last id of a page: answers with the page behind it."),
    Parameter(name="ending_before", says="The first id of a page: answers with the page before it."),
)
OF_INTENT = Parameter(name="payment_intent", says="Of this payment intent alone.")
OF_LEDGER_ACCOUNT = Parameter(
    name="ledger_account", says="Whose change log: the id of a ledger account, percent-encoded.", needed=True
)
WAIT = (
    Parameter(
        name="wait",
        says="Hold the answer for so many seconds, unless something changes.",
        whole=(0, status.WAIT_SECONDS_MAX),
        default=0,
    ),
    Parameter(name="after", says="The version that you have; by default that of now.", whole=(0, status.VERSION_MAX)),
    Parameter(name="If-None-Match", says='The version that you have, in quotes: `"3"`.', place="header"),
)
RESUME = (
    Parameter(
        name="Last-Event-ID", says="The last version that was seen.", whole=(0, status.VERSION_MAX), place="header"
    ),
)
LOCALE = (Parameter(name="locale", says="A language tag; by default what Accept-Language asks for."),)
ISOLATED = Parameter(name="isolated", says="The shop's page is isolated: the bank's is framed without its cookies.")
MISSING = ("resource_missing",)
HELD = ("resource_missing", "overloaded")
INTENT_REFUSALS = (
    "amount_too_small", "amount_too_large", "currency_unknown", "metadata_invalid", "card_number_in_text",
    "url_not_allowed",
)  # fmt: skip
BUSY = ("operation_in_progress", "invalid_state")
OWN_DECLINES = ("expired_card", "incorrect_cvc", "processing_error", "incorrect_number")
UNKNOWN = ((202, "The PSP has not answered yet: the outcome is unknown. Ask the status, or wait for the event."),)
REFUND_OPEN = ((202, "The PSP has not said yet that it has the refund: `pending`, until an event says how it went."),)
ENDPOINT_REFUSALS = ("url_not_allowed", "card_number_in_text", "limit_reached")
CONFIRM_REFUSALS = (
    *MISSING, "card_payload_invalid", "card_key_expired", "operation_in_progress", "invalid_state",
    "attempts_exhausted", "psp_unavailable", *(code for code, entry in CODES.items() if entry.type == "card_error"),
)  # fmt: skip

ROUTES = (
    Route("POST", "/v1/payment_intents", intents.create, "signature", intents.CreateIntent, PaymentIntent,
          needs_idempotency_key=True, refusals=INTENT_REFUSALS),
    Route("GET", "/v1/payment_intents", intents.index, "signature", None, answers.PaymentIntentList, parameters=PAGE),
    Route("GET", "/v1/payment_intents/{intent}", intents.read, "signature", None, PaymentIntent, refusals=MISSING),
    Route("POST", "/v1/payment_intents/{intent}", operations.update, "signature", operations.UpdateIntent,
          PaymentIntent, refusals=(*INTENT_REFUSALS, *MISSING, *BUSY)),
    Route("POST", "/v1/payment_intents/{intent}/confirm", operations.confirm, "signature", operations.ConfirmSavedBody,
          PaymentIntent, needs_idempotency_key=True, also=UNKNOWN,
          refusals=(*MISSING, *BUSY, "attempts_exhausted", "psp_unavailable", "card_declined", *OWN_DECLINES)),
    Route("POST", "/v1/payment_intents/{intent}/capture", operations.capture, "signature", operations.CaptureBody,
          PaymentIntent, needs_idempotency_key=True, also=UNKNOWN,
          refusals=(*MISSING, *BUSY, "amount_too_small", "amount_too_large", "psp_unavailable")),
    Route("POST", "/v1/payment_intents/{intent}/cancel", operations.cancel, "signature", operations.CancelBody,
          PaymentIntent, needs_idempotency_key=True, also=UNKNOWN, refusals=(*MISSING, *BUSY, "psp_unavailable")),
    Route("GET", "/v1/payment_intents/{intent}/timeline", operations.timeline, "signature", None, Timeline,
          refusals=MISSING),
    Route("GET", "/v1/payment_intents/{intent}/status", status.status, "either", None, PaymentIntent | ShopperIntent,
          parameters=WAIT, also=((304, "Nothing changed since the version in If-None-Match."),), refusals=HELD),
    Route("GET", "/v1/payment_intents/{intent}/stream", status.stream, "either", media="text/event-stream",
          parameters=RESUME, refusals=HELD),
    Route("POST", "/v1/refunds", refunds.create, "signature", refunds.CreateRefund, Refund, needs_idempotency_key=True,
          also=REFUND_OPEN, refusals=(*MISSING, *BUSY, "amount_too_small", "amount_too_large", "metadata_invalid",
                                      "card_number_in_text")),
    Route("GET", "/v1/refunds", refunds.index, "signature", None, answers.RefundList, parameters=(*PAGE, OF_INTENT),
          refusals=MISSING),
    Route("GET", "/v1/refunds/{refund}", refunds.read, "signature", None, Refund, refusals=MISSING),
    Route("GET", "/v1/late_payments", late_payments.index, "signature", None, answers.LatePaymentList,
          parameters=(*PAGE, OF_INTENT), refusals=MISSING),
    Route("GET", "/v1/late_payments/{late_payment}", late_payments.read, "signature", None, LatePayment,
          refusals=MISSING),
    Route("POST", "/v1/late_payments/{late_payment}/refund", late_payments.refund, "signature",
          late_payments.DecideBody, LatePayment, needs_idempotency_key=True, refusals=(*MISSING, "invalid_state")),
    Route("POST", "/v1/late_payments/{late_payment}/keep", late_payments.keep, "signature",
          late_payments.DecideBody, LatePayment, needs_idempotency_key=True, refusals=(*MISSING, "invalid_state")),
    Route("GET", "/v1/disputes", disputes.index, "signature", None, answers.DisputeList, parameters=(*PAGE, OF_INTENT),
          refusals=MISSING),
    Route("GET", "/v1/disputes/{dispute}", disputes.read, "signature", None, Dispute, refusals=MISSING),
    Route("GET", "/v1/events", reads.events, "signature", None, answers.EventList, parameters=PAGE),
    Route("GET", "/v1/events/{event}", reads.event, "signature", None, answers.Event, refusals=MISSING),
    Route("POST", "/v1/webhook_endpoints", endpoints.create, "signature", endpoints.CreateEndpoint, WebhookEndpoint,
          refusals=ENDPOINT_REFUSALS),
    Route("GET", "/v1/webhook_endpoints", endpoints.index, "signature", None, answers.WebhookEndpointList),
    Route("GET", "/v1/webhook_endpoints/{endpoint}", endpoints.read, "signature", None, WebhookEndpoint,
          refusals=MISSING),
    Route("DELETE", "/v1/webhook_endpoints/{endpoint}", endpoints.delete, "signature", None, Deleted, refusals=MISSING),
    Route("GET", "/v1/balance", books.read_balance, "signature", None, BalanceAnswer),
    Route("GET", "/v1/ledger/transactions", books.transactions, "signature", None, answers.LedgerTransactionList,
          parameters=(*PAGE, OF_INTENT), refusals=MISSING),
    Route("GET", "/v1/ledger/accounts", books.accounts, "signature", None, answers.LedgerAccountList, parameters=PAGE),
    Route("GET", "/v1/ledger/entries", books.entries, "signature", None, answers.LedgerEntryList,
          parameters=(*PAGE, OF_LEDGER_ACCOUNT), refusals=("parameter_missing", *MISSING)),
    Route("GET", "/v1/idempotency_keys/{key}", reads.idempotency_key, "signature", None, answers.KeptAnswer,
          refusals=MISSING),
    Route("GET", "/v1/ping", reads.ping, "signature", None, answers.Ping),
    Route("GET", "/checkout/keys", checkout.keys, "none", None, answers.CardKeySet),
    Route("GET", "/checkout/challenge/{state}", challenge.page, media="text/html", parameters=(*LOCALE, ISOLATED),
          also=((303, "The bank wants to hear nothing (more): back to the card form's page."),), refusals=MISSING),
    Route("GET", "/checkout/challenge/{state}/done", challenge.sent_back, media="text/html", refusals=MISSING),
    Route("POST", "/checkout/challenge/{state}/done", challenge.posted_back, media="text/html",
          refusals=(*MISSING, "body_too_large")),
    Route("GET", "/checkout/{intent}", checkout.page, media="text/html", parameters=LOCALE, refusals=MISSING),
    Route("GET", "/checkout/{intent}/session", checkout.session, "client_secret", None, answers.CheckoutSession,
          refusals=MISSING),
    Route("POST", "/checkout/{intent}/confirm", checkout.confirm, "client_secret", checkout.ConfirmBody, ShopperIntent,
          also=((202, "The PSP has not answered yet: `processing`. Do not pay again; ask the status."),),
          refusals=CONFIRM_REFUSALS),
    Route("POST", "/psp/{psp}/notices/{account}", notices.take, answer=notices.NoticeTaken,
          refusals=("invalid_signature", "body_too_large")),
    Route("GET", "/livez", health.live, "none", None, answers.Health),
    Route("GET", "/readyz", health.ready, "none", None, answers.Health, refusals=("storage_unavailable",)),
    Route("GET", "/openapi.json", docs.openapi, media=None),
    Route("GET", "/docs", docs.page, media=None),
    Route("GET", "/static/{name}", static.asset, media=None),
    Route("GET", "/{name}", static.asset, media=None),
)  # fmt: skip

SIGNED = (
    "missing_header", "malformed_header", "duplicate_header", "invalid_signature", "timestamp_out_of_range",
    "nonce_reused",
)  # fmt: skip
SHOPPER = ("duplicate_header", "invalid_client_secret")
REFUSED_TO = {"signature": SIGNED, "client_secret": SHOPPER, "either": SIGNED + SHOPPER, "none": ()}
REFUSED_BODIES = (
    "malformed_json", "parameter_missing", "parameter_unknown", "parameter_invalid", "body_too_large",
    "unsupported_media_type",
)  # fmt: skip


def is_signed_change(route: Route) -> bool:
    """Whether an Idempotency-Key is honoured."""
    return route.security == "signature" and route.method != "GET"


def refusals(route: Route) -> dict[int, list[str]]:
    """The codes that this route may refuse with, by status, in the order of the table of errors."""
    codes = {"path_not_canonical", "rate_limited", "internal_error", *REFUSED_TO[route.security], *route.refusals}
    codes |= set(REFUSED_BODIES) if route.body else set()
    codes |= {"parameter_unknown", "parameter_invalid"} if route.parameters else set()
    codes |= {"storage_unavailable", "overloaded"} if route.method != "GET" else set()
    codes |= {"idempotency_key_reused"} if is_signed_change(route) else set()
    codes |= {"idempotency_key_missing"} if route.needs_idempotency_key else set()
    by_status: dict[int, list[str]] = {}
    for code, entry in CODES.items():
        if code in codes:
            by_status.setdefault(entry.status, []).append(code)
    return by_status
