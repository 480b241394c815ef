"""The shop's HTML, and the policy each page is sent with."""

import os
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from paydesk_sandbox.shop.catalogue import BY_SKU, QUANTITY_MAX, SHELF, written
from paydesk_sandbox.shop.orders import Order


class Pages:
    """Renders `templates/`. `paydesk_url` is the one foreign origin that a page names."""

    def __init__(self, paydesk_url: str) -> None:
        self._paydesk_url = paydesk_url.rstrip("/")
        parts = urlsplit(self._paydesk_url)
        self._paydesk_origin = f"{parts.scheme}://{parts.netloc}"
        self._templates = Environment(
            loader=PackageLoader("paydesk_sandbox.shop"), autoescape=True, undefined=StrictUndefined
        )
        self._templates.filters["written"] = written

    def shelf(self) -> HTMLResponse:
        """What is sold."""
        return self._page("shelf.html", shelf=SHELF, quantity_max=QUANTITY_MAX)

    def order(self, order: Order) -> HTMLResponse:
        """The pay page, or what there is to say about an order that is paid."""
        return self._page("order.html", order=order, products=BY_SKU, loader=self._paydesk_url + "/checkout.js")

    def not_payable(self, order: Order) -> HTMLResponse:
        """Paydesk could not open a payment; the same order may be tried again."""
        return self._page("not_payable.html", status=503, order=order)

    def refused(self, status: int, message: str) -> HTMLResponse:
        """What was asked for can't be had."""
        return self._page("refused.html", status=status, message=message)

    def _page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        nonce = b64encode(os.urandom(16)).decode()
        html = self._templates.get_template(template).render(nonce=nonce, **values)
        return HTMLResponse(html, status_code=status, headers=self._headers(nonce))

    def _headers(self, nonce: str) -> dict[str, str]:
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data:; "
            f"connect-src 'self'; frame-src {self._paydesk_origin}; base-uri 'none'; form-action 'self'; "
            "frame-ancestors 'none'"
        )
        return {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",  # a pay page holds the order's client secret
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
