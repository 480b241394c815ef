"""The page of the shopper's bank, where 3-D Secure is answered: /bank/<id>, and its two buttons."""

import os
from base64 import b64encode

from jinja2 import Environment, PackageLoader, StrictUndefined

from paydesk_sandbox.psp.books import Entry
from paydesk_sandbox.psp.charges import origin_of
from paydesk_sandbox.psp.exchange import Exchange
from paydesk_sandbox.psp.objects import Charge
from paydesk_sandbox.psp.routes import Routes, now_ms
from paydesk_sandbox.psp.rules import Psp

HTML = b"text/html; charset=utf-8"
NO_DECIMALS = ("clp", "jpy", "krw", "vnd")  # Enough for a page that only tests see; all others have two here.
ENDED = {
    "challenge": "",
    "authorised": "Thank you, you have confirmed the payment",
    "captured": "Thank you, you have confirmed the payment",
    "declined": "The payment was not made",
    "released": "The time for this is over",
}


class Bank:
    """The routes. What was answered once stays so; whoever comes again is sent on to the shop."""

    def __init__(self, psp: Psp) -> None:
        self._psp = psp
        loader = PackageLoader("paydesk_sandbox.psp")
        self._template = Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template(
            "bank.html"
        )
        self.routes: Routes = {
            ("bank", "*"): {"GET": self._show, "POST": self._show},
            ("bank", "*", "approve"): {"POST": self._approve},
            ("bank", "*", "refuse"): {"POST": self._refuse},
        }

    async def _show(self, exchange: Exchange) -> None:
        await self._next(exchange, self._psp.at_the_bank(exchange.subject, now_ms()))

    async def _approve(self, exchange: Exchange) -> None:
        entry = self._psp.answer_challenge(exchange.subject, approved=True, now_ms=now_ms())
        await self._next(exchange, entry)

    async def _refuse(self, exchange: Exchange) -> None:
        entry = self._psp.answer_challenge(exchange.subject, approved=False, now_ms=now_ms())
        await self._next(exchange, entry)

    async def _next(self, exchange: Exchange, entry: Entry | None) -> None:
        """The page while it waits for an answer, the shop's address afterwards, if there is one."""
        if entry and entry.charge.status != "challenge" and entry.return_url:
            headers = [(b"location", entry.return_url.encode()), (b"referrer-policy", b"no-referrer")]
            await exchange.answer(303, b"", content_type=HTML, extra=headers)
            return
        nonce = b64encode(os.urandom(16)).decode()
        html = self._template.render(
            nonce=nonce,
            here=f"/bank/{exchange.subject}",
            entry=entry,
            charge=entry.charge if entry else None,
            amount=written(entry.charge) if entry else "",
            ended=ENDED[entry.charge.status] if entry else "",
        )
        await exchange.answer(200 if entry else 404, html.encode(), content_type=HTML, extra=_headers(nonce, entry))


def written(charge: Charge) -> str:
    """The amount as people write it."""
    if charge.currency in NO_DECIMALS:
        return f"{charge.amount:,} {charge.currency.upper()}"
    whole, rest = divmod(charge.amount, 100)
    return f"{whole:,}.{rest:02} {charge.currency.upper()}"


def _headers(nonce: str, entry: Entry | None) -> list[tuple[bytes, bytes]]:
    """A form may lead here and, by way of the redirect, to the shop. Any page may frame it, as with a real bank's."""
    shop = origin_of(entry.return_url) if entry and entry.return_url else None
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; form-action 'self'"
    return [
        (b"content-security-policy", f"{policy} {shop}".encode() if shop else policy.encode()),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
    ]
