"""The PSP's page for people: what was charged, given back, disputed, told and asked for, and the test cards."""

import os
from base64 import b64encode
from collections.abc import Iterable
from itertools import islice
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from paydesk_sandbox.psp.cards import AFTERWARDS, KNOWN, OWN, KnownCard, brand
from paydesk_sandbox.psp.rules import Psp

LATEST_CHARGES = 25
LATEST = 10
"""Of everything else."""


class Page:
    """Renders `templates/psp.html`."""

    def __init__(self) -> None:
        loader = PackageLoader("paydesk_sandbox.psp")
        environment = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._template = environment.get_template("psp.html")

    def render(self, psp: Psp) -> tuple[bytes, bytes]:
        """The page, and the Content-Security-Policy it is to be sent with."""
        nonce = b64encode(os.urandom(16)).decode()
        books = psp.books
        html = self._template.render(
            nonce=nonce,
            twice={"Charged": books.charged_twice(), "Refunded": books.refunded_twice()},
            totals=books.totals,
            challenges=_latest(e for e in reversed(books.challenges.values()) if e.charge.status == "challenge"),
            charges=list(islice(reversed(books.entries.values()), LATEST_CHARGES)),
            refunds=_latest(reversed(books.refunds.all.values())),
            disputes=_latest(reversed(books.disputes.all.values())),
            notices=_latest(reversed(psp.notices.records.values())),
            cards={
                "As every developer knows it": _cards(KNOWN),
                "What goes wrong on the way": _cards(OWN),
                "What happens afterwards": _cards(AFTERWARDS),
            },
        )
        policy = f"default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; form-action 'none'"
        return html.encode(), policy.encode()


def _latest(things: Iterable[Any]) -> list[Any]:
    return list(islice(things, LATEST))


def _cards(cards: tuple[KnownCard, ...]) -> list[dict[str, str]]:
    return [{"number": _grouped(card.number), "says": card.says} for card in cards]


def _grouped(number: str) -> str:
    if brand(number) == "amex":
        return f"{number[:4]} {number[4:10]} {number[10:]}"
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
