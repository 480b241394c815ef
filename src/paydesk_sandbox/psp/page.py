"""The PSP's page for people: what goes wrong next, the latest charges, the test cards."""

import os
from base64 import b64encode
from itertools import islice
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from paydesk_sandbox.psp.cards import KNOWN, OWN, brand
from paydesk_sandbox.psp.rules import Psp

LATEST = 25


class Page:
    """Renders `templates/psp.html`."""

    def __init__(self) -> None:
        loader = PackageLoader("paydesk_sandbox.psp")
        self._template = Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("psp.html")

    def render(self, psp: Psp) -> tuple[bytes, bytes]:
        """The page, and the Content-Security-Policy it is to be sent with."""
        nonce = b64encode(os.urandom(16)).decode()
        html = self._template.render(nonce=nonce, latest=_latest(psp), known=_cards(KNOWN), own=_cards(OWN), psp=psp)
        policy = f"default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; form-action 'none'"
        return html.encode(), policy.encode()


def _latest(psp: Psp) -> list[Any]:
    return list(islice(reversed(psp.books.entries.values()), LATEST))


def _cards(cards: tuple[Any, ...]) -> list[dict[str, str]]:
    return [{"number": _grouped(card.number), "says": card.says} for card in cards]


def _grouped(number: str) -> str:
    if brand(number) == "amex":
        return f"{number[:4]} {number[4:10]} {number[10:]}"
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
