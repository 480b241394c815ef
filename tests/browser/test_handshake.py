"""Who may embed the form, who is believed, and what passes between the two pages."""

import json
import re

import pytest
from playwright.sync_api import Error, expect

from tests.browser import shop
from tests.browser.counter import GOOD, Counter, fill, press_pay, sees, type_in, wait_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_no_digit_of_a_card_passes(counter: Counter) -> None:
    counter.stub.plans.extend(["card_declined", "succeeded"])
    form = counter.open()
    for _ in range(2):
        type_in(form, expiry="0938", cvc="737")
        press_pay(form)
    sees(form, "success")
    counter.told("result")
    heard = counter.page.evaluate("window.heard")
    assert {one["data"]["type"] for one in heard} == {"ready", "height", "focus", "change", "result"}
    [to_window] = [one for one in heard if one["where"] == "window"]
    ready = to_window["data"]
    assert (to_window["origin"], ready["type"]) == (counter.paydesk, "ready"), "all else goes over the port"
    assert set(ready) == {"paydesk", "type", "document"}
    assert re.fullmatch(r"[\w-]{22}", ready["document"]), "a random name, made before anything is typed"
    over_port = [one["data"] for one in heard if one["where"] == "port" and one["data"]["type"] != "height"]
    assert re.findall(r"\d", json.dumps(over_port).replace(counter.stub.intent, "")) == []
    for one in heard:
        if one["data"]["type"] == "height":
            assert set(one["data"]) == {"type", "height"}
            assert 40 < one["data"]["height"] < 1000


def test_changes_are_told(counter: Counter) -> None:
    form = counter.open()
    type_in(form, number="4242424242424241")
    form.locator("#number").fill(GOOD)
    form.locator("#cvc").blur()
    changes = counter.told("change", 3)
    assert changes[0] == {"complete": False, "brand": "visa", "error": None}
    assert {"complete": False, "brand": "visa", "error": "incorrect_number"} in changes
    assert changes[-1] == {"complete": True, "brand": "visa", "error": None}
    assert {"field": "expiry"} in counter.told("focus", 2)


def test_the_height_follows_the_content(counter: Counter) -> None:
    form = counter.open()
    expect(form.locator("#pay")).to_be_enabled()
    fit = """() => {
        const frame = document.querySelector("#pay iframe");
        const told = window.heard.filter((one) => one.data.type === "height").at(-1);
        return told && Math.abs(frame.clientHeight - told.data.height) < 1;
    }"""
    counter.page.wait_for_function(fit)
    before = counter.page.locator("#pay iframe").bounding_box()
    press_pay(form)
    expect(form.locator("#number-error")).to_be_visible()
    counter.page.wait_for_function(
        "(before) => document.querySelector('#pay iframe').clientHeight > before", arg=before and before["height"]
    )
    counter.page.wait_for_function(fit)
    assert counter.frame.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_a_stranger_cannot_embed_it(counter: Counter) -> None:
    counter.hurry()
    counter.open(origin=counter.stranger)
    [fatal] = counter.told("fatal")
    assert fatal["code"] == "frame_unreachable"
    assert counter.stranger in fatal["message"]
    assert any("frame-ancestors" in complaint for complaint in counter.complaints)
    assert counter.page.evaluate("window.heard") == []
    assert counter.stub.asked == []


LEFT_OUT = shop.MOUNT.replace('onFatal: tell("fatal"),', "")


def test_a_shop_that_does_not_listen_finds_it_in_the_console(counter: Counter) -> None:
    counter.hurry()
    with counter.page.expect_console_message(lambda message: message.text.startswith("Paydesk: ")) as told:
        counter.open(origin=counter.stranger, script=LEFT_OUT)
    assert told.value.type == "error"
    assert f"Is {counter.stranger} registered" in told.value.text


def test_without_origins_nobody_embeds_it(counter: Counter) -> None:
    counter.stub.origins = []
    counter.hurry()
    counter.open()
    [fatal] = counter.told("fatal")
    assert fatal["code"] == "frame_unreachable"


def test_a_stranger_around_the_shop_cannot_either(counter: Counter) -> None:
    """The shop's page in a stranger's frame: every ancestor must be registered."""
    counter.hurry()
    counter.open()
    counter.sites.pages["/around"] = f'<iframe id="shop" src="{counter.shop}/"></iframe>'
    counter.page.goto(f"{counter.stranger}/around")
    inner = next(frame for frame in counter.page.frames if frame.url == f"{counter.shop}/")
    inner.wait_for_function("window.told.some((one) => one.code === 'frame_unreachable')")


FORGE = """
  // The real frame is stopped before it speaks, so that only the forged words could be answered.
  window.answered = [];
  window.addEventListener("message", (event) => event.data?.type === "init" && window.answered.push("window"));
  const real = document.querySelector("#pay iframe");
  const other = document.createElement("iframe");
  other.srcdoc = `<script>
    addEventListener("message", (event) => parent.postMessage({ got: event.data.type }, "*"));
    parent.postMessage({ paydesk: 1, type: "ready", document: "forged" }, "*");
    parent.postMessage({ done: true }, "*");
  <\\/script>`;
  document.body.append(other);
  window.postMessage({ paydesk: 1, type: "ready", document: "forged too" }, "*");
"""


def test_a_forged_ready_is_ignored(counter: Counter) -> None:
    counter.context.route("**/static/frame.*.js", lambda route: route.abort())
    counter.hurry()
    counter.open(script=shop.MOUNT + FORGE)
    counter.page.wait_for_function("window.heard.some((one) => one.data.done)")
    counter.told("fatal")  # The true frame never spoke, and nothing else was taken for it.
    types = [one["data"].get("type") for one in counter.page.evaluate("window.heard")]
    assert types.count("ready") == 2
    assert not any("got" in one["data"] for one in counter.page.evaluate("window.heard"))
    assert counter.page.evaluate("window.answered") == []
    with pytest.raises(Error, match="not ready yet"):
        counter.page.evaluate("window.form.submit()")


def test_a_page_of_paydesk_in_another_window_is_no_frame_of_ours(counter: Counter) -> None:
    """Right origin, wrong window."""
    form = counter.open()
    expect(form.locator("#pay")).to_be_enabled()
    with counter.context.expect_page() as opened:
        counter.page.evaluate(f"void window.open('{counter.paydesk}/challenge')")
    other = opened.value
    other.evaluate("addEventListener('message', () => { window.got = true; })")
    other.evaluate("opener.postMessage({ paydesk: 1, type: 'ready', document: 'x' }, '*')")
    counter.page.wait_for_function("window.heard.some((one) => one.data.document === 'x')")
    fill(form)  # The real handshake still stands, over its own port.
    counter.told("change", 2)
    assert other.evaluate("window.got") is None


BESIDE = """
  // A frame made by hand, without the loader; beside it another page of the same shop, which speaks first.
  const init = (secret) => ({ paydesk: 1, type: "init", clientSecret: secret });
  const card = document.createElement("iframe");
  card.src = "FRAME";
  const beside = document.createElement("iframe");
  window.forge = () => beside.contentWindow.eval(`
    parent.frames[0].postMessage(${JSON.stringify(init("pi_other_secret_x"))}, "*", [new MessageChannel().port2]);
    parent.frames[0].postMessage("done", "*");
  `);
  window.answer = (secret) => card.contentWindow.postMessage(init(secret), "*", [new MessageChannel().port2]);
  document.querySelector("#pay").append(card);
  document.body.append(beside);
"""


def test_the_frame_listens_to_its_parent_alone(counter: Counter) -> None:
    """Right origin, wrong window: its secret is not taken, and the parent's still is."""
    frame_address = f"{counter.paydesk}/checkout/{counter.stub.intent}"
    counter.open(script=BESIDE.replace("FRAME", frame_address))
    counter.page.wait_for_function("window.heard.some((one) => one.data.type === 'ready')")
    counter.frame.evaluate("addEventListener('message', (event) => { window.done ||= event.data === 'done'; })")
    counter.page.evaluate("window.forge()")
    wait_in(counter.frame, "window.done")
    counter.page.evaluate("(secret) => window.answer(secret)", counter.stub.secret)
    form = counter.page.frame_locator("#pay iframe")
    fill(form)
    press_pay(form)
    sees(form, "success")


def test_a_frame_that_went_elsewhere_is_not_answered(counter: Counter) -> None:
    """Right window, wrong origin: the secret is not even addressed to it."""
    form = counter.open()
    expect(form.locator("#pay")).to_be_enabled()
    counter.sites.pages["/elsewhere"] = "<script>parent.postMessage({ paydesk: 1, type: 'ready' }, '*')</script>"
    there = f"{counter.stranger}/elsewhere"
    counter.page.evaluate("(url) => { document.querySelector('#pay iframe').src = url; }", there)
    heard = "(origin) => window.heard.some((one) => one.origin === origin && one.data.type === 'ready')"
    counter.page.wait_for_function(heard, arg=counter.stranger)
    assert counter.page.evaluate("window.channels") == 1, "the one for the form itself"


def test_one_document_is_answered_once(counter: Counter) -> None:
    form = counter.open()
    expect(form.locator("#pay")).to_be_enabled()
    name = next(one["data"]["document"] for one in counter.page.evaluate("window.heard") if one["where"] == "window")
    counter.frame.evaluate("window.inits = 0; addEventListener('message', () => { window.inits += 1; })")
    for document in (name, "another"):
        counter.frame.evaluate(
            "(document) => parent.postMessage({ paydesk: 1, type: 'ready', document }, '*')", document
        )
    wait_in(counter.frame, "window.inits > 0")
    assert counter.frame.evaluate("window.inits") == 1


def test_a_secret_of_another_intent_is_refused(counter: Counter) -> None:
    """The stub's page is for its own intent, whatever address it is asked for at."""
    form = counter.open(clientSecret="pi_other_secret_x")
    sees(form, "fatal")
    [fatal] = counter.told("fatal")
    assert fatal["code"] == "invalid_client_secret"
    assert "session" not in counter.stub.asked


def test_destroy_takes_the_form_away(counter: Counter) -> None:
    form = counter.open()
    expect(form.locator("#pay")).to_be_enabled()
    counter.page.evaluate("window.form.destroy(); window.form.destroy()")
    expect(counter.page.locator("iframe")).to_have_count(0)
    with pytest.raises(Error, match="was destroyed"):
        counter.page.evaluate("window.form.submit()")
    counter.page.evaluate(f"(() => {{ {shop.MOUNT} }})()")  # The place is free again.
    expect(counter.form.locator("#pay")).to_be_enabled()


def test_looks_can_be_changed_within_bounds(counter: Counter) -> None:
    form = counter.open(
        appearance={"accent": "rgb(10, 90, 60)", "radius": "2px", "background": "url(https://x.example)"}
    )
    button = form.locator("#pay")
    expect(button).to_have_css("background-color", "rgb(10, 90, 60)")
    expect(button).to_have_css("border-radius", "2px")
    expect(form.locator("main")).to_have_css("background-color", "rgb(255, 255, 255)")
    looks = {"accent": "#800080", "radius": "2px; position: fixed", "position": "fixed", "scheme": "dark", "text": 7}
    counter.page.evaluate("(looks) => window.form.update(looks)", looks)
    expect(button).to_have_css("background-color", "rgb(128, 0, 128)")
    expect(button).to_have_css("border-radius", "2px")
    expect(form.locator("html")).to_have_css("color-scheme", "dark")


MISUSE = (
    ("Paydesk.mount('#nowhere', good)", 'nothing in this page matches "#nowhere"'),
    ("Paydesk.mount(null, good)", "target must be an element or a selector"),
    ("Paydesk.mount('#pay')", "must be an object of options"),
    ("Paydesk.mount('#pay', { ...good, clientSecret: 'sk_test_x' })", "clientSecret must be"),
    ("Paydesk.mount('#pay', { ...good, clientSecret: undefined })", "clientSecret must be"),
    ("Paydesk.mount('#pay', { ...good, onResult: 'x' })", "onResult must be a function"),
    ("Paydesk.mount('#pay', { ...good, onChange: 1 })", "onChange must be a function"),
    ("Paydesk.mount('#pay', { ...good, onSuccess() {} })", 'no option "onSuccess"'),
    ("Paydesk.mount('#pay', good) && Paydesk.mount('#pay', good)", "holds a form already"),
    ("Paydesk.mount('#pay', good).submit()", "not ready yet"),
    ("new Function(source)()", "load checkout.js with a plain <script"),
)


def test_misuse_is_explained(counter: Counter) -> None:
    counter.open(script="")
    asset = counter.stub.page_assets.find("/checkout.js")
    assert asset is not None
    good = f"const good = {{ clientSecret: '{counter.stub.secret}', onResult() {{}} }};"
    source = f"const source = {json.dumps(asset.body.decode())};"
    fresh = (
        "document.querySelector('#pay').replaceChildren(); document.querySelector('#pay').outerHTML = '<div id=pay>';"
    )
    for call, sentence in MISUSE:
        with pytest.raises(Error, match=re.escape(sentence)):
            counter.page.evaluate(f"() => {{ {fresh} {good} {source} {call}; }}")


def test_loaded_twice_it_works_once(counter: Counter) -> None:
    twice = f'</script><script src="{counter.paydesk}/checkout.js"></script><script>'
    form = counter.open(script=twice + shop.MOUNT)
    fill(form)
    press_pay(form)
    sees(form, "success")
    assert counter.complaints == []


def test_the_pinned_loader_loads_with_its_integrity(counter: Counter) -> None:
    assets = counter.stub.page_assets
    pinned = f'<script src="{counter.paydesk}{assets.url("checkout.js")}" crossorigin="anonymous"'
    good = f'</script>{pinned} integrity="{assets.integrity("checkout.js")}"></script><script>'
    bad = f'</script>{pinned} integrity="{assets.integrity("frame.js")}"></script><script>'
    counter.context.route("**/checkout.js", lambda route: route.abort())
    form = counter.open(script=good + shop.MOUNT)
    expect(form.locator("#pay")).to_be_enabled()
    counter.open(script=bad + "window.missing = !window.Paydesk;")
    assert counter.page.evaluate("window.missing")


def test_the_policy_holds(counter: Counter) -> None:
    """Inline script, a script of elsewhere, inline style, innerHTML and other servers: all refused in the frame."""
    form = counter.open()
    expect(form.locator("#pay")).to_be_enabled()
    frame = counter.frame
    with pytest.raises(Error, match="TrustedHTML"):
        frame.evaluate("document.body.innerHTML = '<p>x</p>'")
    with pytest.raises(Error, match="Failed to fetch"):
        frame.evaluate(f"fetch('{counter.shop}/')")
    frame.evaluate("document.body.setAttribute('style', 'color: rgb(1, 2, 3)')")
    expect(form.locator("body")).not_to_have_css("color", "rgb(1, 2, 3)")


def test_no_storage_and_no_cookies_in_the_frame(counter: Counter) -> None:
    form = counter.open()
    fill(form)
    press_pay(form)
    sees(form, "success")
    stored = """[() => sessionStorage, () => localStorage].map((open) => {
        try { return open().length; } catch { return "denied"; }
    })"""
    assert set(counter.frame.evaluate(stored)) <= {
        0,
        "denied",
    }  # Chromium may deny it in another site's page.
    assert counter.context.cookies() == []
