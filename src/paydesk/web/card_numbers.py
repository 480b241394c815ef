"""Card numbers where none belongs: in metadata, descriptions, names. They are refused, so that no row or log keeps one.

Luhn's check alone would refuse every tenth order number. So a number must also begin as a brand's do, have a length of
that brand, and be written as cards are written: in one piece, or in the groups that are printed on them, with spaces,
dashes, or one of `. / _ ,` between. What can't be seen between two digits is passed over.
"""

import re
from collections.abc import Iterator

from paydesk.errors import Refusal

Range = tuple[str, str]

BRANDS: tuple[tuple[str, tuple[Range, ...], frozenset[int]], ...] = (
    ("visa", (("4", "4"),), frozenset({13, 16, 19})),
    ("mastercard", (("51", "55"), ("2221", "2720")), frozenset({16})),
    ("amex", (("34", "34"), ("37", "37")), frozenset({15})),
    ("discover", (("6011", "6011"), ("65", "65"), ("644", "649")), frozenset(range(16, 20))),
    ("diners", (("36", "36"), ("38", "38"), ("300", "305")), frozenset({14})),
    ("jcb", (("3528", "3589"),), frozenset({16})),
    ("unionpay", (("62", "62"),), frozenset(range(16, 20))),
)
"""Each brand with the first digits that are its own, from and to, and its lengths (ISO/IEC 7812; the brands' rules)."""

_DIGITS_MIN, _DIGITS_MAX = 12, 19
_BETWEEN = r"[\s\-\u2010-\u2015\u2212]"  # spaces and dashes of all kinds
_MARK = "[./_,]"  # Alone: `4012, 4013` is a list.
_MAYBE = re.compile(rf"(?:\d(?:{_BETWEEN}{{0,3}}|{_MARK})){{{_DIGITS_MIN}}}")
_RUN = re.compile(rf"\d+(?:(?:{_BETWEEN}{{1,3}}|{_MARK})\d+)*")
# Soft hyphen, zero-width spaces and joiners, direction marks, invisible operators, byte order mark, variants.
_UNSEEN = dict.fromkeys(
    (0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070),
     *range(0xFE00, 0xFE10))
)  # fmt: skip
_GROUP = re.compile(r"\d+")
# A UUID, or a word of 24 and more hexadecimal digits with a letter among them: one in 5 500 would pass for a card.
_HEX_ID = re.compile(
    r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[0-9a-f]{0,64}[a-f])[0-9a-f]{24,64})\b", re.IGNORECASE
)

# Beside groups of four with a shorter one at the end: American Express, Diners, UnionPay, and two halves.
_SHAPES = frozenset({(4, 6, 5), (4, 6, 4), (6, 13), (8, 8)})
_GROUPS_MAX = 5

_PHONE_DIGITS_MAX = 15  # E.164: what follows a plus sign and has no more digits is a telephone number

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_holds(number: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B). `number`: digits only."""
    plain = sum(int(digit) for digit in number[-1::-2])
    doubled = sum(_DOUBLED[int(digit)] for digit in number[-2::-2])
    return (plain + doubled) % 10 == 0


def brand_of(number: str) -> str | None:
    """The brand that such a number can be of, by its first digits and its length. `number`: ASCII digits only."""
    for name, ranges, lengths in BRANDS:
        if len(number) in lengths and any(low <= number[: len(low)] <= high for low, high in ranges):
            return name
    return None


def looks_like_card_number(text: str) -> bool:
    """Whether a card number stands anywhere in the text, in one piece or in groups."""
    if not text.isascii():
        text = text.translate(_UNSEEN)
    if len(text) < _DIGITS_MIN or not _MAYBE.search(text):
        return False
    left = _HEX_ID.sub("id", text)
    return any(brand_of(number) and luhn_holds(number) and not _is_barcode(number) for number in _candidates(left))


def refuse_card_numbers(param: str, text: str) -> None:
    """Refuse (`card_number_in_text`) a text that holds what looks like a card number. The message does not."""
    if looks_like_card_number(text):
        raise Refusal("card_number_in_text", param=param)


def _candidates(text: str) -> Iterator[str]:
    for run in _RUN.finditer(text):
        groups = _GROUP.findall(run[0])
        # With commas between, single digits are a list of ratings, say.
        if len(groups) <= _DIGITS_MAX and all(len(group) == 1 for group in groups) and "," not in run[0]:
            yield _ascii(groups)
        if text[: run.start()].endswith("+") and len(groups[0]) <= _PHONE_DIGITS_MAX:
            groups = groups[1:]
        for start, first in enumerate(groups):
            if len(first) >= 4:
                yield from _beginning_with(groups[start : start + _GROUPS_MAX])


def _beginning_with(groups: list[str]) -> Iterator[str]:
    for end in range(1, len(groups) + 1):
        if _is_shape(tuple(len(group) for group in groups[:end])):
            yield _ascii(groups[:end])


def _is_shape(sizes: tuple[int, ...]) -> bool:
    if len(sizes) == 1:
        return _DIGITS_MIN <= sizes[0] <= _DIGITS_MAX
    return sizes in _SHAPES or (len(sizes) >= 4 and sizes[-1] <= 4 and all(size == 4 for size in sizes[:-1]))


def _ascii(groups: list[str]) -> str:
    """Digits of any script as 0–9, for a shopper's keyboard may write them full-width."""
    return "".join(str(int(digit)) for group in groups for digit in group)


def _is_barcode(number: str) -> bool:
    """Whether it is an article's number (EAN-13): those from 400 to 499 would often pass for an old Visa number."""
    odd, even = (sum(int(digit) for digit in number[place::2]) for place in (0, 1))
    return len(number) == 13 and (odd + 3 * even) % 10 == 0
