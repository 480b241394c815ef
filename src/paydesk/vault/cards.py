"""What a card is, which brand it has, and what is wrong with one that can be read."""

from msgspec import Struct

from paydesk.errors import Refusal

YEARS_AHEAD_MAX = 50
"""Cards run for ten years at most; fifty tells a typing error from a card and is where Stripe draws the line too."""


class Card(Struct, frozen=True, kw_only=True):
    """A card with its secrets. Lives in one request's memory; never stored, never printed."""

    number: str
    exp_month: int
    exp_year: int
    """Four digits."""
    cvc: str
    name: str | None = None

    def __repr__(self) -> str:
        return f"Card({brand(self.number)} …{self.number[-4:]})" if luhn(self.number) else "Card(unreadable)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("shown", repr(self))]


class CardFacts(Struct, frozen=True, kw_only=True):
    """What may be kept of a card."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str
    """Keyed, per account: the same number gives the same fingerprint."""
    jti: str
    """The payload's own id: a second payload that carries it is refused."""
    digest: str
    """Hex SHA-256 of the compact JWE: the same bytes again are a repeat."""


class Range(Struct, frozen=True):
    """Numbers whose first digits lie between `low` and `high` (as many digits as these have), with the lengths they may
    have.
    """

    brand: str
    low: str
    high: str
    lengths: range | tuple[int, ...]


# ISO/IEC 7812 issuer ranges as the schemes publish them; the first that fits wins.
RANGES = (
    Range("visa", "4", "4", (13, 16, 19)),
    Range("mastercard", "51", "55", (16,)),
    Range("mastercard", "2221", "2720", (16,)),
    Range("amex", "34", "34", (15,)),
    Range("amex", "37", "37", (15,)),
    Range("discover", "6011", "6011", range(16, 20)),
    Range("discover", "644", "659", range(16, 20)),
    Range("diners", "300", "305", range(14, 20)),
    Range("diners", "3095", "3095", range(14, 20)),
    Range("diners", "36", "36", range(14, 20)),
    Range("diners", "38", "39", range(14, 20)),
    Range("jcb", "3528", "3589", range(16, 20)),
    Range("unionpay", "62", "62", range(16, 20)),
    Range("unionpay", "81", "81", range(16, 20)),
)


def brand(number: str) -> str:
    """The brand by prefix and length, or `unknown`."""
    for candidate in RANGES:
        if candidate.low <= number[: len(candidate.low)] <= candidate.high and len(number) in candidate.lengths:
            return candidate.brand
    return "unknown"


def luhn(number: str) -> bool:
    """Whether `number` is 12 to 19 ASCII digits whose last is the check digit of ISO/IEC 7812-1, annex B."""
    if not (12 <= len(number) <= 19 and _digits(number)):
        return False
    doubled = (2 * int(digit) for digit in number[-2::-2])
    return (sum(map(int, number[-1::-2])) + sum(twice - 9 if twice > 9 else twice for twice in doubled)) % 10 == 0


def check(card: Card, today_year: int, today_month: int) -> None:
    """Refuse a card that no bank could accept, in the order in which the form's fields stand."""
    if not luhn(card.number):
        raise Refusal("incorrect_number", param="number")
    if not 1 <= card.exp_month <= 12:
        raise Refusal("invalid_expiry_month", param="exp_month")
    if not 2000 <= card.exp_year <= today_year + YEARS_AHEAD_MAX:
        raise Refusal("invalid_expiry_year", param="exp_year")
    if (card.exp_year, card.exp_month) < (today_year, today_month):  # A card is good to the end of its month.
        raise Refusal("expired_card", param="exp_year")
    if len(card.cvc) != (4 if brand(card.number) == "amex" else 3) or not _digits(card.cvc):
        raise Refusal("incorrect_cvc", param="cvc")


def _digits(text: str) -> bool:
    """`str.isdigit` alone also takes Arabic-Indic digits and superscripts."""
    return text.isascii() and text.isdigit()
