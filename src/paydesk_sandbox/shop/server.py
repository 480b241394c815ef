"""The shop over HTTP: a shelf, orders, the pay page, webhooks, the books."""

import contextlib
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from paydesk_client import AsyncPaydesk, PaydeskError, WebhookVerificationError, sign_webhook, verify_webhook
from paydesk_sandbox.bodies import read
from paydesk_sandbox.shop.orders import Order, Orders
from paydesk_sandbox.shop.pages import Pages

BODY_BYTES_MAX = 64 * 1024  # an event is under 20 KB


class Item(Struct, frozen=True, kw_only=True):
    sku: str
    quantity: int = 1


class Basket(Struct, frozen=True, kw_only=True):
    """The body of POST /orders."""

    items: list[Item]


class Shop:
    """The routes. Of several `webhook_secrets` one must fit. Raises ValueError for settings that cannot work."""

    def __init__(self, *, paydesk_url: str, key_id: str, secret: str, webhook_secrets: Sequence[str]) -> None:
        sign_webhook(b"", webhook_secrets, webhook_id="evt_none")  # a bad secret shall stop the start, not each webhook
        self._paydesk = AsyncPaydesk(paydesk_url, key_id, secret)
        self._webhook_secrets = webhook_secrets
        self._orders = Orders()
        self._pages = Pages(paydesk_url)

    def app(self) -> Starlette:
        routes = [
            Route("/", self.show_shelf),
            Route("/orders", self.take_order, methods=["POST"]),
            Route("/orders/{order}.json", self.tell_order),
            Route("/orders/{order}", self.show_order),
            Route("/orders/{order}", self.retry_order, methods=["POST"]),
            Route("/webhooks", self.hear_webhook, methods=["POST"]),
            Route("/books", self.show_books),
            Route("/livez", self.live),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with self._paydesk:
            yield

    async def show_shelf(self, request: Request) -> Response:
        return self._pages.shelf()

    async def take_order(self, request: Request) -> Response:
        try:
            basket = _basket(await _body(request), request)
            order = self._orders.open("ord_" + os.urandom(12).hex(), basket)
        except ValueError as wrong:
            return self._refused(request, 400, str(wrong))
        return await self._open_payment(request, order)

    async def retry_order(self, request: Request) -> Response:
        order = self._orders.all.get(request.path_params["order"])
        if order is None:
            return self._refused(request, 404, "There is no such order.")
        return await self._open_payment(request, order)

    async def show_order(self, request: Request) -> Response:
        order = self._orders.all.get(request.path_params["order"])
        if order is None:
            return self._refused(request, 404, "There is no such order.")
        payable = order.status == "paid" or order.client_secret is not None
        return self._pages.order(order) if payable else self._pages.not_payable(order)

    async def tell_order(self, request: Request) -> Response:
        order = self._orders.all.get(request.path_params["order"])
        if order is None:
            return _json({"error": {"message": "There is no such order."}}, 404)
        return _json({"order": order.order, "status": order.status, "paid_at_us": order.paid_at_us})

    async def hear_webhook(self, request: Request) -> Response:
        received_us = time.time_ns() // 1000
        try:
            body = await _body(request)
            event = verify_webhook(body, request.headers, self._webhook_secrets)
        except (WebhookVerificationError, BodyTooLarge) as wrong:
            self._orders.refused()
            return PlainTextResponse(f"{wrong}\n", 400)
        heard = self._orders.hear(request.headers["webhook-id"], event, received_us)
        return _json({"heard": heard})

    async def show_books(self, request: Request) -> Response:
        return _json(self._orders.shown())

    async def live(self, request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _open_payment(self, request: Request, order: Order) -> Response:
        """Open the order's intent. Its id is the idempotency key, so asking again gives the same one."""
        try:
            intent = await self._paydesk.payment_intents.create(
                order.amount, order.currency, metadata={"order": order.order}, idempotency_key=order.order
            )
        except PaydeskError as why:
            return self._not_payable(request, order, why)
        self._orders.payable(order, intent["id"], intent["client_secret"])
        if _wants_json(request):
            shown = ("order", "payment_intent", "client_secret", "amount", "currency")
            return _json({name: getattr(order, name) for name in shown}, 201)
        return RedirectResponse(f"/orders/{order.order}", 303)

    def _not_payable(self, request: Request, order: Order, why: PaydeskError) -> Response:
        if _wants_json(request):
            return _json({"error": {"code": why.code, "message": why.message}, "order": order.order}, 503)
        return self._pages.not_payable(order)

    def _refused(self, request: Request, status: int, message: str) -> Response:
        if _wants_json(request):
            return _json({"error": {"message": message}}, status)
        return self._pages.refused(status, message)


class BodyTooLarge(ValueError):
    """More than BODY_BYTES_MAX."""


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES_MAX:
            raise BodyTooLarge("The body is too large.")
    return bytes(body)


def _basket(body: bytes, request: Request) -> Mapping[str, int]:
    """Sku and quantity, from the form or from JSON. Raises ValueError."""
    if not _is_json(request):
        form = parse_qs(body.decode())
        return {sku: _quantity(form) for sku in form.get("sku", [])}
    basket: dict[str, int] = {}
    for item in read(body, Basket).items:
        basket[item.sku] = basket.get(item.sku, 0) + item.quantity
    return basket


def _quantity(form: Mapping[str, list[str]]) -> int:
    quantity = form.get("quantity", ["1"])[0]
    return int(quantity) if quantity.isascii() and quantity.isdigit() and len(quantity) < 5 else 0


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _wants_json(request: Request) -> bool:
    return _is_json(request) or "application/json" in request.headers.get("accept", "")


def _json(value: Any, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")
