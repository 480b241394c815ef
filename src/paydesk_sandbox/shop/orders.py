"""The shop's books: orders, and what webhooks do to them. In memory, without a clock.

An order is paid when a verified `payment_intent.succeeded` for its own intent says its own amount and currency, and
by nothing else.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from paydesk_sandbox.shop.catalogue import CURRENCY, price

WEBHOOK_IDS_MAX = 100_000
LATEST_MAX = 200

Heard = Literal["paid", "noted", "repeated", "mismatched"]


class Order(Struct, kw_only=True):
    """What somebody wants to buy."""

    order: str
    basket: dict[str, int]
    amount: int
    """In minor units."""
    currency: str
    status: Literal["open", "paid"] = "open"
    payment_intent: str | None = None
    client_secret: str | None = None
    """For this order's pay page alone."""
    paid_at_us: int | None = None
    """When the webhook came that says so, in microseconds since 1970."""


class Webhook(Struct, frozen=True, kw_only=True):
    """A verified webhook, as the books show it."""

    id: str
    type: str
    payment_intent: str | None
    received_us: int


class Orders:
    """Every order, and every webhook that was heard."""

    def __init__(self) -> None:
        self.all: dict[str, Order] = {}
        self.counts: Counter[str] = Counter(verified=0, refused=0, repeated=0, mismatched=0)
        self.latest: deque[Webhook] = deque(maxlen=LATEST_MAX)
        self._by_intent: dict[str, Order] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()

    def open(self, order_id: str, basket: Mapping[str, int]) -> Order:
        """A new order. Raises ValueError where the basket can't be sold."""
        order = Order(order=order_id, basket=dict(basket), amount=price(basket), currency=CURRENCY)
        self.all[order_id] = order
        return order

    def payable(self, order: Order, payment_intent: str, client_secret: str) -> None:
        """Paydesk opened this intent for the order."""
        order.payment_intent, order.client_secret = payment_intent, client_secret
        self._by_intent[payment_intent] = order

    def hear(self, webhook_id: str, event: Mapping[str, Any], now_us: int) -> Heard:
        """Take a verified webhook in. The same id a second time changes nothing."""
        if self._repeated(webhook_id):
            self.counts["repeated"] += 1
            return "repeated"
        self.counts["verified"] += 1
        told = _object_of(event)
        kind = str(event.get("type", ""))
        self.latest.append(Webhook(id=webhook_id, type=kind, payment_intent=_text(told.get("id")), received_us=now_us))
        return self._succeeded(told, now_us) if kind == "payment_intent.succeeded" else "noted"

    def refused(self) -> None:
        """A webhook did not verify."""
        self.counts["refused"] += 1

    def shown(self) -> dict[str, Any]:
        """The books as JSON values. No client secret is in them."""
        orders = [
            {
                name: getattr(order, name)
                for name in ("order", "payment_intent", "amount", "currency", "status", "paid_at_us")
            }
            for order in self.all.values()
        ]
        paid: Counter[str] = Counter()
        for order in self.all.values():
            if order.status == "paid":
                paid[order.currency] += order.amount
        return {"orders": orders, "paid": paid, "webhooks": {**self.counts, "latest": list(self.latest)}}

    def _repeated(self, webhook_id: str) -> bool:
        if webhook_id in self._seen:
            return True
        self._seen[webhook_id] = None
        if len(self._seen) > WEBHOOK_IDS_MAX:
            self._seen.popitem(last=False)
        return False

    def _succeeded(self, told: Mapping[str, Any], now_us: int) -> Heard:
        order = self._order_of(told)
        if order is None or (told.get("amount"), told.get("currency")) != (order.amount, order.currency):
            self.counts["mismatched"] += 1
            return "mismatched"
        if order.status == "open":
            order.status, order.paid_at_us = "paid", now_us
        return "paid"

    def _order_of(self, told: Mapping[str, Any]) -> Order | None:
        """The intent's order. Where the answer that named the intent got lost, the metadata tells which it is."""
        intent = _text(told.get("id"))
        if intent is None:
            return None
        if known := self._by_intent.get(intent):
            return known
        metadata = told.get("metadata")
        order = self.all.get(str(metadata.get("order"))) if isinstance(metadata, Mapping) else None
        if order is None or order.payment_intent is not None:
            return None
        order.payment_intent = intent
        self._by_intent[intent] = order
        return order


def _object_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    data = event.get("data")
    told = data.get("object") if isinstance(data, Mapping) else None
    return told if isinstance(told, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
