"""The test numbers, and what the PSP makes of a card.

The first part of the table is what every developer knows from Stripe (https://docs.stripe.com/testing); the others are
the sandbox's own, for what can go wrong on the way and afterwards. Any other number that passes the Luhn check
(ISO/IEC 7812-1, annex B) is paid.
"""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from paydesk_sandbox.psp.faults import Fault


class Card(Struct, frozen=True, kw_only=True):
    """A card as a charge request carries it. It never outlives the request, and never shows itself."""

    number: str
    exp_month: int
    exp_year: int
    cvc: str | None = None
    """Absent where a merchant charges without the shopper; then it is not checked."""
    name: str | None = None

    def __repr__(self) -> str:
        return f"Card({brand(self.number)})"


class KnownCard(Struct, frozen=True, kw_only=True):
    """One line of the table."""

    number: str
    says: str
    """What happens, for people."""
    decline_code: str | None = None
    """None: it is paid."""
    fault: Fault | None = None
    """What goes wrong on the way, beside the verdict, until an answer is kept under the request's idempotency key."""
    approved: Literal["paid", "declined"] | None = None
    """What an approval on the bank's page leads to, where the card asks for 3-D Secure."""
    afterwards: Literal["disputed", "refund_fails", "refund_waits", "refund_waits_and_fails"] | None = None
    """What happens by itself, some time after it was paid or refunded."""


class CardOnFile(Struct, frozen=True, kw_only=True):
    """What is kept of a card that was charged."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int
    line: KnownCard | None
    """Its line of the table, if it has one."""


KNOWN = (
    KnownCard(number="4242424242424242", says="Paid"),
    KnownCard(number="5555555555554444", says="Paid (Mastercard)"),
    KnownCard(number="378282246310005", says="Paid (American Express; its CVC has four digits)"),
    KnownCard(number="6011111111111117", says="Paid (Discover)"),
    KnownCard(number="4000000000000002", says="Declined", decline_code="generic_decline"),
    KnownCard(number="4000000000009995", says="Declined: insufficient funds", decline_code="insufficient_funds"),
    KnownCard(number="4000000000009987", says="Declined: lost card", decline_code="lost_card"),
    KnownCard(number="4000000000009979", says="Declined: stolen card", decline_code="stolen_card"),
    KnownCard(number="4000000000000069", says="Declined: expired card", decline_code="expired_card"),
    KnownCard(number="4000000000000127", says="Declined: incorrect CVC", decline_code="incorrect_cvc"),
    KnownCard(number="4000000000000119", says="Declined: processing error", decline_code="processing_error"),
    KnownCard(number="4242424242424241", says="Declined: fails the Luhn check", decline_code="incorrect_number"),
    KnownCard(number="4100000000000019", says="Declined: blocked as fraud", decline_code="fraudulent"),
    KnownCard(
        number="4000000000003220",
        says="Asks for 3-D Secure; approved, it is paid",
        decline_code="authentication_required",
        approved="paid",
    ),
    KnownCard(
        number="4000008400001629",
        says="Asks for 3-D Secure; approved, it is declined all the same",
        decline_code="authentication_required",
        approved="declined",
    ),
    KnownCard(number="4000000000000259", says="Paid, then disputed as fraudulent", afterwards="disputed"),
)

OWN = (
    KnownCard(number="4000009900000103", says="Paid, answered after 3 s", fault=Fault(fault="late")),
    KnownCard(number="4000009900000111", says="Paid, never answered", fault=Fault(fault="lost_after")),
    KnownCard(number="4000009900000129", says="Not charged, never answered", fault=Fault(fault="lost_before")),
    KnownCard(number="4000009900000137", says="Not charged, answered 503", fault=Fault(fault="status", status=503)),
    KnownCard(number="4000009900000145", says="Not charged, answered 429", fault=Fault(fault="status", status=429)),
    KnownCard(number="4000009900000152", says="Paid, answered 500", fault=Fault(fault="status_after")),
    KnownCard(number="4000009900000160", says="Paid, answered with garbage", fault=Fault(fault="garbage")),
    KnownCard(number="4000009900000178", says="Paid, answered with another amount", fault=Fault(fault="wrong_amount")),
    KnownCard(number="4000009900000186", says="Waits 3 s, then charges and answers", fault=Fault(fault="lands_late")),
    KnownCard(number="4000009900000194", says="Not charged, connection reset", fault=Fault(fault="reset")),
)

AFTERWARDS = (
    KnownCard(number="4000009900000202", says="Paid; a refund succeeds, and fails later", afterwards="refund_fails"),
    KnownCard(
        number="4000009900000210", says="Paid; a refund is pending, and succeeds later", afterwards="refund_waits"
    ),
    KnownCard(
        number="4000009900000228",
        says="Paid; a refund is pending, and fails later",
        afterwards="refund_waits_and_fails",
    ),
)

BY_NUMBER = {card.number: card for card in (*KNOWN, *OWN, *AFTERWARDS)}


def fault_of(number: str) -> Fault | None:
    """What goes wrong on the way with this number, if it is one of the sandbox's own."""
    card = BY_NUMBER.get(number)
    return card.fault if card else None


def on_file(card: Card) -> CardOnFile:
    """What may be kept of it."""
    return CardOnFile(
        brand=brand(card.number),
        last4=card.number[-4:],
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        line=BY_NUMBER.get(card.number),
    )


def decline_code(card: Card | CardOnFile, now_ms: int) -> str | None:
    """Why this card is declined at `now_ms`; None if it is paid. Of a card on file no CVC is there to be checked."""
    if isinstance(card, CardOnFile):
        return _expiry_refused(card, now_ms) or _table_refused(card.line)
    if not passes_luhn(card.number):
        return "incorrect_number"
    return _expiry_refused(card, now_ms) or _cvc_refused(card) or _table_refused(BY_NUMBER.get(card.number))


def _expiry_refused(card: Card | CardOnFile, now_ms: int) -> str | None:
    if not 1 <= card.exp_month <= 12:
        return "invalid_expiry_month"
    if not 2000 <= card.exp_year <= 2099:
        return "invalid_expiry_year"
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return "expired_card" if (card.exp_year, card.exp_month) < (now.year, now.month) else None


def _cvc_refused(card: Card) -> str | None:
    if card.cvc is None:
        return None
    digits = 4 if brand(card.number) == "amex" else 3
    fits = len(card.cvc) == digits and card.cvc.isascii() and card.cvc.isdigit()
    return None if fits else "incorrect_cvc"


def _table_refused(line: KnownCard | None) -> str | None:
    return line.decline_code if line else None


DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # twice the digit, its own digits added up


def passes_luhn(number: str) -> bool:
    """12 to 19 ASCII digits with a valid check digit."""
    if not (12 <= len(number) <= 19 and number.isascii() and number.isdigit()):
        return False
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[0::2]) + sum(DOUBLED[digit] for digit in digits[1::2])) % 10 == 0


BRANDS = (
    ("visa", 4, 4, 1),
    ("amex", 34, 34, 2),
    ("amex", 37, 37, 2),
    ("mastercard", 51, 55, 2),
    ("mastercard", 2221, 2720, 4),
    ("discover", 6011, 6011, 4),
    ("discover", 644, 659, 3),
    ("jcb", 3528, 3589, 4),
    ("diners", 300, 305, 3),
    ("diners", 36, 36, 2),
    ("diners", 38, 39, 2),
    ("unionpay", 62, 62, 2),
)
"""Brand, first and last prefix, and how many digits the prefix has."""


def brand(number: str) -> str:
    """The brand by the number's prefix; `unknown` if it is nobody's."""
    if not (number.isascii() and number.isdigit()):
        return "unknown"
    for name, first, last, digits in BRANDS:
        if first <= int(number[:digits]) <= last:
            return name
    return "unknown"
