"""One payment, as a shopper and her browser make it, and what everybody hears of it."""

import asyncio
import json
from base64 import urlsafe_b64encode
from datetime import datetime
from typing import Any

import httpx
from joserfc import jwe
from joserfc.jwk import ECKey

from paydesk.cli.demo.asking import ANSWER_SECONDS, ask, read
from paydesk.cli.demo.books import Sale
from paydesk.cli.demo.failed import DemoFailed
from paydesk.cli.demo.opening import FEE, Opened
from paydesk.cli.demo.telling import Telling
from paydesk.money import Fee, decimal_text
from paydesk.world import World

CARD = "4242424242424242"
BASKET = [{"sku": "tea"}, {"sku": "pot"}]
ALGORITHMS = ["ECDH-ES", "A256GCM"]
LOOK_SECONDS = 0.005  # PSP and shop are asked by looking into their books, as a person would.


class Payment:
    """What the shopper and her browser do, from the order to the shop's word that it is paid."""

    def __init__(self, http: httpx.AsyncClient, world: World, opened: Opened, telling: Telling) -> None:
        self._http = http
        self._world = world
        self._opened = opened
        self._telling = telling
        self._order: dict[str, Any] = {}
        self._charged = asyncio.Event()
        """The PSP's books show the charge. What follows from it is told after it."""

    async def make(self) -> Sale:
        """The whole way, once. Raises DemoFailed."""
        await self._take_order()
        session = await self._open_frame()
        listening = self._world.spawn(self._listen(), "the live stream")
        watching = self._world.spawn(self._watch_psp(), "the PSP's books")
        await self._confirm(await self._seal(session))
        await asyncio.wait([listening, watching])
        await self._read_status()
        await self._wait_for_webhook()
        return self._sale()

    async def _take_order(self) -> None:
        """The shop's server opens a payment intent with a signed request, and gives the browser its client secret."""
        self._order = await ask(self._http, "POST", f"{self._opened.shop}/orders", json={"items": BASKET}, status=201)
        amount = decimal_text(self._order["amount"], self._order["currency"])
        self._telling.step("order taken by the shop", f"{self._order['order']}  {amount} {self._order['currency']}")
        self._telling.step("payment intent opened, signed", self._order["payment_intent"])

    async def _open_frame(self) -> dict[str, Any]:
        session = await self._shopper("GET", f"/checkout/{self._intent}/session")
        amount = f"{session['amount_decimal']} {session['currency']} to {session['merchant_name']}"
        self._telling.step("the frame read its session", amount)
        return session

    async def _seal(self, session: dict[str, Any]) -> str:
        """Encrypt the card as the frame does: to Paydesk's newest key, for this intent, origin and time alone."""
        key = (await self._shopper("GET", "/checkout/keys"))["keys"][0]
        now = datetime.fromisoformat(session["server_time"])
        card = {
            "v": 1,
            "number": CARD,
            "exp_month": 12,
            "exp_year": now.year + 3,
            "cvc": "123",
            "intent": self._intent,
            "origin": self._opened.shop,
            "iat": int(now.timestamp()),
            "jti": urlsafe_b64encode(self._world.random(16)).decode().rstrip("="),
        }
        header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": key["kid"], "typ": "paydesk-card+jwe"}
        sealed = jwe.encrypt_compact(header, json.dumps(card).encode(), ECKey.import_key(key), algorithms=ALGORITHMS)
        self._telling.step("card encrypted in the browser", f"{len(sealed)} bytes of JWE, for key {key['kid']}")
        return sealed

    async def _confirm(self, sealed: str) -> None:
        url = f"{self._opened.paydesk}/checkout/{self._intent}/confirm"
        headers = {"authorization": f"Bearer {self._order['client_secret']}"}
        response = await self._http.post(url, headers=headers, json={"card": sealed})
        answer = read(response, 200)
        if answer["status"] != "succeeded":
            raise DemoFailed(f"The confirm was answered with a payment that is {answer['status']}.")
        await self._charged.wait()
        self._telling.step("the confirm was answered", f"200  {answer['status']}")

    async def _listen(self) -> None:
        """Read the live stream until it ends, which it does at a terminal status."""
        url = f"{self._opened.paydesk}/v1/payment_intents/{self._intent}/stream"
        headers = {"authorization": f"Bearer {self._order['client_secret']}"}
        async with self._http.stream("GET", url, headers=headers) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    status = json.loads(line.removeprefix("data: "))["status"]
                    if status == "succeeded":
                        await self._charged.wait()
                    self._telling.step("the live stream says", status)

    async def _watch_psp(self) -> None:
        url = f"{self._opened.psp}/books"
        while not (charges := (await ask(self._http, "GET", url))["charges"]):  # noqa: ASYNC110 (books do not ring)
            await asyncio.sleep(LOOK_SECONDS)
        self._telling.step(f"card {charges[0]['status']} by the PSP", charges[0]["id"])
        self._charged.set()

    async def _read_status(self) -> None:
        status = await self._shopper("GET", f"/v1/payment_intents/{self._intent}/status")
        self._telling.step("the status endpoint says", f"{status['status']}, phase {status['phase']}")

    async def _wait_for_webhook(self) -> None:
        """The shop believes nothing but a webhook whose signature holds."""
        url = f"{self._opened.shop}/orders/{self._order['order']}.json"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while (await ask(self._http, "GET", url))["status"] != "paid":  # noqa: ASYNC110 (nor does an order)
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            raise DemoFailed(f"No verified webhook told the shop of the payment in {ANSWER_SECONDS:.0f} s.") from None
        self._telling.step("webhook verified, order paid", self._order["order"])

    async def _shopper(self, method: str, path: str) -> Any:
        return await ask(self._http, method, self._opened.paydesk + path, bearer=self._order["client_secret"])

    @property
    def _intent(self) -> str:
        return self._order["payment_intent"]

    def _sale(self) -> Sale:
        amount = self._order["amount"]
        return Sale(
            order=self._order["order"],
            intent=self._intent,
            amount_minor=amount,
            currency=self._order["currency"],
            fee_minor=Fee.parse(FEE).of(amount),
        )
