"""How it looks, for people to look at (var/screenshots/), and what can be measured of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.counter import DECLINED, Counter, fill, press_pay, sees, wait_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ALBUM = Path(__file__).resolve().parents[2] / "var" / "screenshots"


def blank(counter: Counter, page: Page) -> None:
    expect(page.locator("#pay")).to_be_enabled()


def filled(counter: Counter, page: Page) -> None:
    fill(page, name="Ada Lovelace")


def error(counter: Counter, page: Page) -> None:
    fill(page, number="4242424242424241", cvc="1")
    press_pay(page)
    expect(page.locator("#cvc-error")).not_to_be_empty()


def decline(counter: Counter, page: Page) -> None:
    counter.stub.plans.append("card_declined")
    fill(page, number=DECLINED)
    press_pay(page)
    expect(page.get_by_role("alert")).to_be_visible()


def paying(counter: Counter, page: Page) -> None:
    page.route("**/confirm", lambda route: None)  # Never answered.
    fill(page)
    press_pay(page)
    expect(page.locator("#pay")).to_be_disabled()


def processing(counter: Counter, page: Page) -> None:
    counter.stub.plans.append("processing")
    fill(page)
    press_pay(page)
    sees(page, "processing")


def keeping(counter: Counter, page: Page) -> None:
    """The shop asked for the card to be kept: consent is said above the button."""
    counter.stub.fields = {"setup_future_usage": "off_session"}
    page.reload()
    expect(page.locator("#pay")).to_be_enabled()
    expect(page.locator("#consent")).to_have_text("Lamp & Shade will keep this card for future payments.")


def success(counter: Counter, page: Page) -> None:
    fill(page)
    press_pay(page)
    sees(page, "success")


def closed(counter: Counter, page: Page) -> None:
    counter.stub.become("canceled")
    page.reload()
    sees(page, "closed")


def fatal(counter: Counter, page: Page) -> None:
    page.evaluate("sessionStorage.clear()")
    page.reload()
    sees(page, "fatal")


SCENES = (blank, filled, keeping, error, decline, paying, processing, success, closed, fatal)
SIZES = ((375, 760), (1280, 800))


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_scenes(counter: Counter, scene: Callable[[Counter, Page], None]) -> None:
    page = counter.open_alone()
    scene(counter, page)
    for across, down in SIZES:
        page.set_viewport_size({"width": across, "height": down})
        page.screenshot(path=ALBUM / f"{scene.__name__}-{across}.png", animations="disabled")
        assert fits(page), f"{across} pixels wide"


@pytest.mark.parametrize("scene", [blank, error, decline], ids=lambda scene: scene.__name__)
def test_in_the_dark(counter: Counter, scene: Callable[[Counter, Page], None]) -> None:
    counter.page.emulate_media(color_scheme="dark")
    counter.page.set_viewport_size({"width": 375, "height": 760})
    page = counter.open_alone()
    scene(counter, page)
    page.screenshot(path=ALBUM / f"{scene.__name__}-dark.png", animations="disabled")


def test_in_a_shops_page(counter: Counter) -> None:
    form = counter.open()
    fill(form, number="4242424242424241")
    press_pay(form)
    expect(form.locator("#number-error")).to_be_visible()
    for width in (320, 640, 1280):
        counter.page.set_viewport_size({"width": width, "height": 760})
        wait_in(counter.frame, f"innerWidth === {width}")
        counter.page.screenshot(path=ALBUM / f"shop-{width}.png", animations="disabled")
        assert counter.frame.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} pixels wide"


def test_at_four_times_the_size(counter: Counter) -> None:
    """WCAG 2.2, 1.4.10 (Reflow): 1280 pixels at 400 % are 320 pixels, without scrolling sideways."""
    counter.page.set_viewport_size({"width": 320, "height": 256})
    page = counter.open_alone()
    error(counter, page)
    page.screenshot(path=ALBUM / "zoomed.png", full_page=True, animations="disabled")
    assert fits(page)
    for field in ("number", "expiry", "cvc", "name", "pay"):
        box = page.locator(f"#{field}").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320


def test_large_text_does_not_spill(counter: Counter) -> None:
    """WCAG 2.2, 1.4.4: text alone at twice its size."""
    counter.page.set_viewport_size({"width": 320, "height": 700})
    counter.stub.fields = {"merchant_name": "Donaudampfschifffahrtsgesellschaft", "amount_decimal": "999999.99"}
    page = counter.open_alone()
    blank(counter, page)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.screenshot(path=ALBUM / "large-text.png", full_page=True, animations="disabled")
    assert fits(page)


def test_stillness_is_respected(counter: Counter) -> None:
    counter.page.emulate_media(reduced_motion="reduce")
    page = counter.open_alone()
    processing(counter, page)
    expect(page.locator(".spinner.large")).to_have_css("animation-name", "none")


# Relative luminance and contrast as WCAG 2.2 defines them, on what the browser computed.
CONTRAST = """([selector, ground]) => {
  const light = (css) => css.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const text = light(getComputedStyle(document.querySelector(selector)).color);
  const back = light(getComputedStyle(document.querySelector(ground)).backgroundColor);
  return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
}"""


GROUNDS = [
    ("h1", "main"),
    (".merchant", "main"),
    ("label", "main"),
    (".brand", "main"),
    ("#number", "#number"),
    (".error", "main"),
    ("#notice", "#notice"),
    ("#pay", "#pay"),
    (".small", "main"),
    (".good", "main"),
    (".way-back", "main"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough(counter: Counter, scheme: str) -> None:
    counter.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page = counter.open_alone()
    blank(counter, page)
    contrasts = {selector: page.evaluate(CONTRAST, [selector, ground]) for selector, ground in GROUNDS}
    assert not {selector: contrast for selector, contrast in contrasts.items() if contrast < 4.5}
