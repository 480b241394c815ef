"""What the tests drive: a browser's page on a shop, with the card frame in it, and the stub behind."""

import json
from typing import Any

from playwright.sync_api import BrowserContext, Frame, FrameLocator, Page, expect

from tests.browser import shop
from tests.browser.stub import Stub

GOOD = "4242424242424242"
DECLINED = "4000000000000002"

# Pauses between two tries take a twentieth; the limits of requests, 15 s and more, stay what they are.
HURRY = """
  const patient = window.setTimeout;
  window.setTimeout = (deed, ms, ...rest) => patient(deed, ms < 5000 ? ms / 20 : ms, ...rest);
"""
AMEX = "378282246310005"


class Counter:
    """One shopper. `paydesk`, `shop` and `stranger` are origins; the stranger's is registered nowhere."""

    def __init__(self, context: BrowserContext, stub: Stub, sites: shop.Shop, origins: dict[str, str]) -> None:
        self.context, self.stub, self.sites = context, stub, sites
        self.paydesk, self.shop, self.stranger = origins["paydesk"], origins["shop"], origins["stranger"]
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on(
            "console", lambda message: self.complaints.append(message.text) if message.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(
        self, path: str = "/", origin: str | None = None, script: str = shop.MOUNT, **options: Any
    ) -> FrameLocator:
        """The shop's page with the form mounted."""
        chosen = json.dumps({"clientSecret": self.stub.secret, **options})
        self.sites.pages[path] = shop.page(self.paydesk, chosen, script=script)
        self.page.goto((origin or self.shop) + path)
        return self.form

    def hurry(self) -> None:
        """Pages opened from now on do not let a test wait between two tries."""
        self.context.add_init_script(HURRY)

    def open_alone(self) -> Page:
        """Redirect mode: the page at the top level, with the secret in the fragment."""
        self.page.goto(f"{self.paydesk}/checkout/{self.stub.intent}#client_secret={self.stub.secret}")
        return self.page

    @property
    def form(self) -> FrameLocator:
        return self.page.frame_locator("#pay iframe")

    @property
    def frame(self) -> Frame:
        return next(frame for frame in self.page.frames if frame.url.startswith(self.paydesk))

    def told(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """What the shop's callbacks heard under `name`, once there are `count` of them."""
        self.page.wait_for_function(
            "([name, count]) => window.told.filter((one) => one.name === name).length >= count", arg=[name, count]
        )
        return [one for one in self.page.evaluate("window.told") if one.pop("name") == name]


def fill(form: FrameLocator | Page, number: str = GOOD, expiry: str = "1234", cvc: str = "123", name: str = "") -> None:
    """Each field at once, as a browser fills them."""
    for field, text in (("number", number), ("expiry", expiry), ("cvc", cvc), ("name", name)):
        form.locator(f"#{field}").fill(text)


def type_in(form: FrameLocator | Page, number: str = GOOD, expiry: str = "1234", cvc: str = "123") -> None:
    """Key by key, as a shopper does."""
    for field, text in (("number", number), ("expiry", expiry), ("cvc", cvc)):
        place = form.locator(f"#{field}")
        place.fill("")
        place.press_sequentially(text)


def press_pay(form: FrameLocator | Page) -> None:
    form.locator("#pay").click()


def wait_in(frame: Frame, condition: str) -> None:
    """Until the condition holds in a page whose policy forbids eval, which Frame.wait_for_function falls back on."""
    frame.evaluate(
        f"""() => new Promise((done, fail) => {{
            const until = performance.now() + 15000;
            const look = () => {{
                if ({condition}) done();
                else if (performance.now() > until) fail(new Error("it never came to be"));
                else setTimeout(look, 10);
            }};
            look();
        }})"""
    )


def sees(form: FrameLocator | Page, part: str) -> None:
    """The part of the page that is shown: form, processing, success, closed, fatal."""
    expect(form.locator("body")).to_have_attribute("data-state", part)
    expect(form.locator(f"[data-part={part}]")).to_be_visible()
