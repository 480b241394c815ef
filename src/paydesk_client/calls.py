"""Every call as data, once, for both senders: `payment_intents.create(…)` makes a `Call` and hands it to whoever sends.

A resource is generic in what sending gives: a dict with `Paydesk`, a coroutine of a dict with `AsyncPaydesk`.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Sent = TypeVar("Sent")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, before it is signed."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    params: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    idempotency_key: str | None = None

    wait_seconds: int = 0
    """For how long the server may hold its answer back; comes on top of the client's time-out."""

    @property
    def repeatable(self) -> bool:
        """Sending it twice does no more than sending it once."""
        return self.method == "GET" or self.idempotency_key is not None


Send = Callable[[Call], Sent]


class Resource(Generic[Sent]):
    """What every kind of object has: one is read by its id, `NAME` being its part of the path."""

    NAME = ""

    def __init__(self, send: Send[Sent]) -> None:
        self._send = send

    def retrieve(self, id: str) -> Sent:
        return self._send(_get(_path(self.NAME, id)))


class Listed(Resource[Sent]):
    """Objects of which there is a list: newest first, but for webhook endpoints, of which the oldest comes first."""

    def list(
        self, *, limit: int | None = None, starting_after: str | None = None, ending_before: str | None = None
    ) -> Sent:
        """`limit` 1 to 100 at a time; `starting_after` the last id of a page gives the next page."""
        return self._send(_get(f"/v1/{self.NAME}", _page(limit, starting_after, ending_before)))


class ListedOfIntent(Resource[Sent]):
    """Objects that belong to a payment intent."""

    def list(
        self,
        *,
        payment_intent: str | None = None,
        limit: int | None = None,
        starting_after: str | None = None,
        ending_before: str | None = None,
    ) -> Sent:
        """Newest first; with `payment_intent`, those of that one alone."""
        page = _page(limit, starting_after, ending_before)
        return self._send(_get(f"/v1/{self.NAME}", {"payment_intent": payment_intent, **page}))


class PaymentIntents(Listed[Sent]):
    """One intent for each thing to be paid; the shopper pays it in the frame."""

    NAME = "payment_intents"

    def create(
        self,
        amount: int,
        currency: str,
        *,
        metadata: Mapping[str, str] | None = None,
        description: str | None = None,
        capture_method: Literal["automatic", "manual"] | None = None,
        statement_descriptor: str | None = None,
        return_url: str | None = None,
        setup_future_usage: Literal["off_session"] | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Open an intent over `amount` minor units (1999 is 19.99 USD, or ¥1999) of a lower-case ISO 4217 `currency`.

        Give your order's number as `idempotency_key` and the same order never has two intents; without one a fresh key
        only guards this call's own repeats. The answer has the `client_secret` for the frame.
        """
        fields = {
            "amount": amount,
            "currency": currency,
            "metadata": None if metadata is None else dict(metadata),
            "description": description,
            "capture_method": capture_method,
            "statement_descriptor": statement_descriptor,
            "return_url": return_url,
            "setup_future_usage": setup_future_usage,
        }
        return self._send(_post("/v1/payment_intents", fields, idempotency_key))

    def update(self, id: str, *, idempotency_key: str | None = None, **fields: object) -> Sent:
        """Change what an open intent asks for (amount, currency, payment_method …), or its description and metadata."""
        return self._send(_post(_path("payment_intents", id), fields, idempotency_key))

    def confirm(self, id: str, *, payment_method: str | None = None, idempotency_key: str | None = None) -> Sent:
        """Charge a saved card without the shopper; left out, the one that the intent names."""
        fields = {"payment_method": payment_method}
        return self._send(_post(_path("payment_intents", id) + "/confirm", fields, idempotency_key))

    def capture(self, id: str, *, amount_to_capture: int | None = None, idempotency_key: str | None = None) -> Sent:
        """Take what is held, all of it or `amount_to_capture` minor units; the rest is released."""
        fields = {"amount_to_capture": amount_to_capture}
        return self._send(_post(_path("payment_intents", id) + "/capture", fields, idempotency_key))

    def cancel(self, id: str, *, cancellation_reason: str | None = None, idempotency_key: str | None = None) -> Sent:
        """End an intent that is not paid; what is held is released."""
        fields = {"cancellation_reason": cancellation_reason}
        return self._send(_post(_path("payment_intents", id) + "/cancel", fields, idempotency_key))

    def timeline(self, id: str) -> Sent:
        """Every change of the intent with its time and cause, oldest first."""
        return self._send(_get(_path("payment_intents", id) + "/timeline"))

    def status(self, id: str, wait_seconds: int | None = None, after: int | None = None) -> Sent:
        """How it stands. With both, the answer is held up to `wait_seconds` until the version is above `after`."""
        params = {"wait": wait_seconds, "after": after}
        return self._send(_get(_path("payment_intents", id) + "/status", params, wait_seconds=wait_seconds or 0))


class Refunds(ListedOfIntent[Sent]):
    """What goes back to shoppers: in parts, as often as there is something left."""

    NAME = "refunds"

    def create(
        self,
        payment_intent: str,
        *,
        amount: int | None = None,
        reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Give back `amount` minor units, else all that is left.

        Look at the answer's `status`: `pending` says that the PSP decides later, and a `refund.updated` or
        `refund.failed` event will tell how.
        """
        fields = {
            "payment_intent": payment_intent,
            "amount": amount,
            "reason": reason,
            "metadata": None if metadata is None else dict(metadata),
        }
        return self._send(_post("/v1/refunds", fields, idempotency_key))


class LatePayments(ListedOfIntent[Sent]):
    """Money that arrived when its payment was over. What your account does not decide by itself is `held` for you."""

    NAME = "late_payments"

    def refund(self, id: str, *, idempotency_key: str | None = None) -> Sent:
        """Send all of it back. There is one refund at most, whatever is asked twice."""
        return self._send(_post(_path("late_payments", id) + "/refund", {}, idempotency_key))

    def keep(self, id: str, *, idempotency_key: str | None = None) -> Sent:
        """It is yours after all."""
        return self._send(_post(_path("late_payments", id) + "/keep", {}, idempotency_key))


class Disputes(ListedOfIntent[Sent]):
    """What cardholders' banks took back, or try to. They are answered at the PSP; here they are only seen."""

    NAME = "disputes"


class WebhookEndpoints(Listed[Sent]):
    """Where Paydesk sends events."""

    NAME = "webhook_endpoints"

    def create(
        self,
        url: str,
        *,
        enabled_events: Sequence[str] | None = None,
        ordering: str | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Register `url` for `enabled_events`, else for all. The answer has the `secret` for `verify_webhook`."""
        fields = {
            "url": url,
            "enabled_events": None if enabled_events is None else [*enabled_events],
            "ordering": ordering,
            "description": description,
        }
        return self._send(_post("/v1/webhook_endpoints", fields, idempotency_key))

    def delete(self, id: str) -> Sent:
        """Never repeated by itself: a repeat of one that got through would be told that there is no such endpoint."""
        return self._send(Call(method="DELETE", path=_path("webhook_endpoints", id)))


class Events(Listed[Sent]):
    """What happened, as the webhooks told it; for a receiver that was away too long."""

    NAME = "events"


class Balance(Generic[Sent]):
    """The account's money, per currency: available, pending, reserved."""

    def __init__(self, send: Send[Sent]) -> None:
        self._send = send

    def retrieve(self) -> Sent:
        return self._send(_get("/v1/balance"))


class Ledger(Generic[Sent]):
    """The books: every move of money, and the change log of every ledger account. Debits are positive."""

    def __init__(self, send: Send[Sent]) -> None:
        self._send = send

    def transactions(
        self,
        *,
        payment_intent: str | None = None,
        limit: int | None = None,
        starting_after: str | None = None,
        ending_before: str | None = None,
    ) -> Sent:
        """Moves of money with their entries, newest first; all, or those of one payment intent."""
        of = {"payment_intent": payment_intent}
        return self._send(_get("/v1/ledger/transactions", _page(limit, starting_after, ending_before) | of))

    def accounts(
        self, *, limit: int | None = None, starting_after: str | None = None, ending_before: str | None = None
    ) -> Sent:
        """Ledger accounts with their balances, by name."""
        return self._send(_get("/v1/ledger/accounts", _page(limit, starting_after, ending_before)))

    def entries(
        self,
        ledger_account: str,
        *,
        limit: int | None = None,
        starting_after: str | None = None,
        ending_before: str | None = None,
    ) -> Sent:
        """The change log of a ledger account, newest first, each entry with the balance after it."""
        of = {"ledger_account": ledger_account}
        return self._send(_get("/v1/ledger/entries", _page(limit, starting_after, ending_before) | of))


class Calls(Generic[Sent]):
    """Everything a merchant's server can ask, whichever way it is sent."""

    def __init__(self, send: Send[Sent]) -> None:
        self.payment_intents = PaymentIntents(send)
        self.refunds = Refunds(send)
        self.late_payments = LatePayments(send)
        self.disputes = Disputes(send)
        self.webhook_endpoints = WebhookEndpoints(send)
        self.events = Events(send)
        self.balance = Balance(send)
        self.ledger = Ledger(send)
        self._send_call = send

    def ping(self) -> Sent:
        """A signed request that does nothing: the way to try key, secret and clock."""
        return self._send_call(_get("/v1/ping"))


def _get(path: str, params: Mapping[str, object] | None = None, *, wait_seconds: int = 0) -> Call:
    given = tuple((name, str(value)) for name, value in (params or {}).items() if value is not None)
    return Call(method="GET", path=path, params=given, wait_seconds=wait_seconds)


def _post(path: str, fields: Mapping[str, object], idempotency_key: str | None) -> Call:
    given = {name: value for name, value in fields.items() if value is not None}
    body = json.dumps(given, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    key = str(uuid.uuid4()) if idempotency_key is None else idempotency_key
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,255}", key):
        raise ValueError("An idempotency key is 1 to 255 of [A-Za-z0-9._:-].")
    return Call(method="POST", path=path, body=body, idempotency_key=key)


def _path(resource: str, id: str) -> str:
    """Ids go into the signed path as they are. Anything else is a mix-up here, before it becomes another route."""
    if not re.fullmatch(r"[A-Za-z0-9_]{1,100}", id):
        raise ValueError(f"This is not the id of one of {resource}: letters, digits and underscores, such as pi_…")
    return f"/v1/{resource}/{id}"


def _page(limit: int | None, starting_after: str | None, ending_before: str | None) -> dict[str, object]:
    return {"limit": limit, "starting_after": starting_after, "ending_before": ending_before}
