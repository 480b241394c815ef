"""What the demo prints: a line per step with its time, aligned and coloured in a terminal, plain when piped."""

import sys
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from rich.text import Text

from paydesk.cli.demo.books import Book
from paydesk.cli.output import console

WHAT_WIDTH = 36
BOOK_WIDTH = 10

CARDS = (
    ("4242 4242 4242 4242", "paid"),
    ("3782 822463 10005", "paid; American Express, its CVC has four digits"),
    ("4000 0000 0000 0002", "declined; then try another one at the same form"),
    ("4000 0000 0000 9995", "declined: insufficient funds"),
    ("4000 0099 0000 0103", "paid, and the PSP answers after three seconds"),
    ("4000 0099 0000 0111", "paid, but the PSP never answers: Paydesk finds out"),
)
"""What to try in the shop: of each kind one. `paydesk_sandbox/psp/cards.py` has them all."""


class Step(Struct, frozen=True, kw_only=True):
    """Something that happened."""

    at_ms: int
    """Since the demo began."""
    what: str
    detail: str


class Telling:
    """Keeps what happened; prints it unless `quiet`. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float], *, quiet: bool) -> None:
        self.steps: list[Step] = []
        self._monotonic = monotonic
        self._began = monotonic()
        self._quiet = quiet

    def step(self, what: str, detail: object = "") -> None:
        """It happened just now."""
        at_ms = round((self._monotonic() - self._began) * 1000)
        self.steps.append(Step(at_ms=at_ms, what=what, detail=str(detail)))
        time = f"{at_ms / 1000:7.3f} s  "
        self._print((time, "dim"), (f"{what:<{WHAT_WIDTH}}" if detail else what, ""), (str(detail), "cyan"))

    def books(self, books: Sequence[Book], *, agree: bool) -> None:
        """Whose books say what, and whether that is what was paid."""
        self._print()
        for book in books:
            verdict = ("agrees   ", "green") if book.agrees else ("DIFFERS  ", "bold red")
            self._print(verdict, (f"{book.whose:<{BOOK_WIDTH}}", "bold"), (book.says, ""))
        self._print()
        if agree:
            self._print(("The webhook was verified and all three books agree.", "green"))
        else:
            self._print(("The books do not agree.", "bold red"))

    def invitation(self, places: Mapping[str, str]) -> None:
        """Where to go, and what to try there."""
        self._print()
        self._print(("Open ", ""), (places["shop"], "bold cyan"), (" in a browser, and buy something.", ""))
        self._print()
        for name, where in places.items():
            if name != "shop":
                self._print((f"{name:<{BOOK_WIDTH}}", "bold"), (where, "cyan"))
        self._print()
        self._print(("Cards to try there, with any date to come and any CVC:", ""))
        for number, becomes in CARDS:
            self._print((f"  {number:<22}", "cyan"), (becomes, ""))
        self._print()
        self._print(("Ctrl-C ends it.", "dim"))

    def _print(self, *parts: tuple[str, str]) -> None:
        if not self._quiet:
            console.print(Text.assemble(*parts), soft_wrap=True)
            sys.stdout.flush()
