"""Cards made up for one run, so that whatever is found of them came from there."""

import random

from msgspec import Struct

SHAPES = (("4", 16), ("55", 16), ("2221", 16), ("37", 15), ("6011", 16), ("4", 19), ("62", 16), ("3528", 16))
"""First digits and length, one per brand that matters; the rest is dice."""


class Mark(Struct, frozen=True, kw_only=True):
    """A card, and what it was used for."""

    used_for: str
    number: str
    cvc: str
    name: str = ""
    """Of the card's holder; empty where none was sent."""

    @property
    def traces(self) -> list[str]:
        """What must not be found, in any form: all but the last four digits, and the CVC beside its name.

        Three digits alone stand everywhere by chance, so a CVC is looked for as a field of JSON, of a form or of
        something printed by Python; one that is too long to be one stands for itself.
        """
        fields = ('"cvc":"{}"', '"cvc": "{}"', '"cvc":{}', "'cvc': '{}'", "cvc='{}'", "cvc={}")
        named = [text for text in (self.name, self.cvc) if len(text) > 4]
        return [self.number[:-4], *(field.format(self.cvc) for field in fields), *named]


class Marks:
    """Makes cards, each with a number of its own, and remembers them."""

    def __init__(self, seed: int) -> None:
        self.made: list[Mark] = []
        self._dice = random.Random(seed)

    def card(self, used_for: str, number: str = "", *, strange: bool = False) -> Mark:
        """A card that passes every check of form; `number` where it must be one of the sandbox's own.

        A `strange` one has a CVC that no card has, so that it is known wherever it stands.
        """
        prefix, length = SHAPES[len(self.made) % len(SHAPES)]
        number = number or self._number(prefix, length)
        amex = number.startswith(("34", "37"))
        mark = Mark(
            used_for=used_for,
            number=number,
            cvc=f"cvc-{self._dice.getrandbits(48):012x}"
            if strange
            else f"{self._dice.randrange(10 ** (4 if amex else 3)):0{4 if amex else 3}d}",
            name=f"Marked {self._dice.getrandbits(48):012x}",
        )
        self.made.append(mark)
        return mark

    def _number(self, prefix: str, length: int) -> str:
        body = prefix + "".join(str(self._dice.randrange(10)) for _ in range(length - len(prefix) - 1))
        return body + check_digit(body)


def check_digit(body: str) -> str:
    """The last digit, by ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
