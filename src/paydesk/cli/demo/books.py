"""Three books about one payment, and whether they agree. Pure: what each says was asked before."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from paydesk.money import decimal_text

Json = Mapping[str, Any]


class Sale(Struct, frozen=True, kw_only=True):
    """What was bought, and what the platform keeps of it."""

    order: str
    intent: str
    amount_minor: int
    currency: str
    fee_minor: int


class Book(Struct, frozen=True, kw_only=True):
    """What one of the three says."""

    whose: str
    says: str
    agrees: bool


def compare(sale: Sale, *, intent: Json, balance: Json, shop: Json, psp: Json) -> list[Book]:
    """Each book against the sale. `intent` and `balance` are Paydesk's answers to the merchant's signed requests,
    `shop` and `psp` are the books that those two show.
    """
    return [_of_psp(sale, intent, psp), _of_paydesk(sale, intent, balance), _of_shop(sale, shop)]


def _of_psp(sale: Sale, intent: Json, psp: Json) -> Book:
    """The PSP took the amount once, for the attempt that Paydesk says it was."""
    mine = [charge for charge in psp["charges"] if charge["reference"] == intent["latest_attempt"]]
    captured = sum(charge["amount_captured"] for charge in mine)
    total = psp["totals"].get(sale.currency, {}).get("captured_minor", 0)
    said = ", ".join(charge["id"] for charge in mine) or "no charge"
    agrees = len(mine) == 1 and captured == total == sale.amount_minor and not psp["charged_twice"]
    return Book(whose="PSP", says=f"{_money(sale, total)} captured: {said}", agrees=agrees)


def _of_paydesk(sale: Sale, intent: Json, balance: Json) -> Book:
    """Paydesk received the amount, and owes it to the merchant less the platform's fee."""
    pending = sum(part["amount"] for part in balance["pending"] if part["currency"] == sale.currency)
    received = intent["amount_received"]
    agrees = (intent["status"], received) == ("succeeded", sale.amount_minor)
    says = f"{_money(sale, received)} received: {_money(sale, pending)} owed to the shop"
    if sale.fee_minor:
        says += f", {_money(sale, sale.fee_minor)} kept as fee"
    return Book(whose="Paydesk", says=says, agrees=agrees and pending + sale.fee_minor == received)


def _of_shop(sale: Sale, shop: Json) -> Book:
    """The shop was told by a webhook that verified, and by nothing else."""
    order = next((order for order in shop["orders"] if order["order"] == sale.order), {})
    heard = shop["webhooks"]
    paid = shop["paid"].get(sale.currency, 0)
    agrees = (
        (order.get("status"), order.get("payment_intent"), paid) == ("paid", sale.intent, sale.amount_minor)
        and heard["verified"] > 0
        and not heard["refused"]
        and not heard["mismatched"]
    )
    says = f"{_money(sale, paid)} paid: webhooks verified {heard['verified']}, refused {heard['refused']}"
    return Book(whose="shop", says=says, agrees=agrees)


def _money(sale: Sale, amount_minor: int) -> str:
    return f"{decimal_text(amount_minor, sale.currency)} {sale.currency}"
