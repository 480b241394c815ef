"""The real thing as processes: sandbox PSP, Paydesk, the demo shop; and what a shopper does in the shop's page."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect

from paydesk_client import Paydesk, PaydeskAuth
from tests.browser.counter import fill, press_pay, wait_in
from tests.stage.processes import running
from tests.stage.stage import Stage, staged

ALBUM = Path(__file__).resolve().parents[2] / "var" / "screenshots"
# Tall enough for the whole page: to photograph more than the window Playwright resizes it, and the frame follows later.
SIZES = ((375, 1160), (1280, 860))


class Street:
    """The shop's registered origin is `shop`; `stranger` is the same shop at an origin that nobody registered."""

    def __init__(self, stage: Stage, port: int, client: Paydesk, auth: PaydeskAuth) -> None:
        self.stage, self.client, self.auth = stage, client, auth
        self.shop, self.stranger = f"http://localhost:{port}", f"http://127.0.0.1:{port}"

    def open(self, **fields: Any) -> dict[str, Any]:
        """An intent without an order, with any fields of the API."""
        url, key = f"{self.stage.paydesk}/v1/payment_intents", {"Idempotency-Key": token_urlsafe()}
        answer = httpx.post(url, json=fields, headers=key, auth=self.auth)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def restart_paydesk(self) -> None:
        """On the same data and port. Card keys live in memory only, so it comes back with new ones."""
        assert self.stage.server
        port = self.stage.port
        self.stage.server.stop()
        self.stage.start(port)

    def shop_says(self, order: str) -> dict[str, Any]:
        """What the shop's own books say about an order."""
        books = httpx.get(f"{self.shop}/books").json()
        return next(one for one in books["orders"] if one["order"] == order)

    def shop_heard(self) -> dict[str, Any]:
        """The webhooks that the shop took, and how many it refused."""
        return httpx.get(f"{self.shop}/books").json()["webhooks"]

    def pending(self) -> int:
        """What Paydesk owes the shop, in cents."""
        return sum(part["amount"] for part in self.client.balance.retrieve()["pending"] if part["currency"] == "usd")

    def charges(self, intent_id: str, client: Paydesk | None = None) -> list[tuple[str, int]]:
        """What the PSP's books say about the intent's latest attempt: status and captured amount."""
        attempt = (client or self.client).payment_intents.retrieve(intent_id)["latest_attempt"]
        return [(charge["status"], charge["amount_captured"]) for charge in self.stage.charges(attempt)]


SHOP_NEWS = "**/orders/*.json"
"""What the shop's page asks the shop's server: is the order paid?"""


class Visit:
    """A shopper in the shop. `answers` are Paydesk's, as `(path without the intent, status)`."""

    def __init__(self, context: BrowserContext, street: Street) -> None:
        self.context, self.street = context, street
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.answers: list[tuple[str, int]] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda line: self.faults.append(line.text) if "Security" in line.text else None)
        context.on("response", lambda answer: self._note(answer.url, answer.status))

    def _note(self, url: str, status: int) -> None:
        if url.startswith(self.street.stage.paydesk):
            self.answers.append((url.partition("?")[0].rpartition("/")[2], status))

    def buy(self, product: str = "Clay teapot", origin: str | None = None) -> str:
        """From the shelf to the pay page; the order."""
        self.page.goto(origin or self.street.shop)
        self.page.get_by_role("button", name=f"Buy {product}").click()
        self.page.wait_for_url("**/orders/ord_*")
        return self.page.url.rpartition("/")[2]

    @property
    def form(self) -> FrameLocator:
        return self.page.frame_locator("#pay iframe")

    def pay(self, number: str, **typed: str) -> None:
        fill(self.form, number=number, **typed)
        press_pay(self.form)

    @property
    def headline(self) -> Any:
        return expect(self.page.get_by_role("heading", level=1))

    @contextmanager
    def shop_kept_in_the_dark(self) -> Iterator[None]:
        """The shop's page does not learn of the payment meanwhile: it hides the frame as soon as it does."""
        self.context.route(SHOP_NEWS, lambda route: route.abort())
        yield
        self.context.unroute(SHOP_NEWS)

    def thanked(self) -> None:
        """The shop's page knows from the shop's server, which knows from the webhook."""
        self.headline.to_have_text("Thank you, your order is paid")

    def photograph(self, name: str) -> None:
        """At each width, once the frame has the height of what is in it; nothing is wider than the window."""
        for across, down in SIZES:
            self.page.set_viewport_size({"width": across, "height": down})
            self._settle(across)
            for frame in self.page.frames:
                assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{across} pixels wide"
            path = ALBUM / f"real-{name}-{across}.png"
            self.page.screenshot(path=path, animations="disabled")

    def _settle(self, across: int) -> None:
        """Both pages have taken the window's width, and a frame that is shown exactly the height of what is in it.
        (What a bank's frame has is the bank's affair.)
        """
        wait_in(self.page.main_frame, f"innerWidth === {across}")
        fits = "Math.abs(document.querySelector('main').getBoundingClientRect().height - innerHeight) <= 1"
        for frame in self.page.frames[1:]:
            if not frame.url.startswith(self.street.stage.paydesk):
                continue
            if wide := frame.frame_element().evaluate("(frame) => frame.clientWidth"):
                wait_in(frame, f"innerWidth === {wide} && {fits}")
                frame.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@contextmanager
def opened_street(folder: Path) -> Iterator[Street]:
    """Its shop needs its address before it listens: the origin is registered, and told to Paydesk with the webhook."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    with staged(folder) as stage:
        origin, webhooks = f"http://localhost:{port}", f"http://127.0.0.1:{port}/webhooks"
        facts = stage.command("merchants", "create", "Leaf & Kettle", "--origin", origin, "--psp-url", stage.psp)
        added = stage.command("webhooks", "add", facts["merchant_id"], webhooks)
        keys = {"SHOP_KEY_ID": facts["key_id"], "SHOP_SECRET": facts["secret"], "SHOP_WEBHOOK_SECRET": added["secret"]}
        start = ["paydesk_sandbox", "shop", "--port", str(port), "--paydesk", stage.paydesk]
        with (
            running(start, log=folder / "shop", ready="listening on", environment=keys),
            Paydesk(stage.paydesk, facts["key_id"], facts["secret"]) as client,
        ):
            yield Street(stage, port, client, PaydeskAuth(facts["key_id"], facts["secret"]))
