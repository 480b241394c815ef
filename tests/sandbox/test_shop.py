"""The shop as a process: orders through Paydesk's client, webhooks well and badly signed, its books."""

import time
from collections.abc import Iterator

import pytest

from paydesk_client import sign_webhook
from tests.sandbox.shopping import OLD_SECRET, SECRET, Town, refused_start, succeeded, town


@pytest.fixture(scope="module")
def market() -> Iterator[Town]:
    with town() as market:
        yield market


@pytest.fixture(autouse=True)
def paydesk_is_up(market: Town) -> Iterator[None]:
    yield
    market.paydesk.down = False


def test_an_order_over_json(market: Town) -> None:
    order = market.buy(("tea", 2), ("pot", 1), ("tea", 1))
    assert (order["amount"], order["currency"]) == (3 * 1800 + 4200, "usd")
    assert order["client_secret"].startswith(order["payment_intent"])
    asked = market.paydesk.asked[-1]
    assert (asked["amount"], asked["currency"]) == (9600, "usd")
    assert asked["metadata"] == {"order": order["order"]}
    assert market.paydesk.keys[-1] == order["order"]
    assert market.in_books(order)["status"] == "open"


def test_an_order_over_the_form_leads_to_its_pay_page(market: Town) -> None:
    answer = market.http.post("/orders", data={"sku": "pot", "quantity": "2"})
    assert answer.status_code == 303
    page = market.http.get(answer.headers["location"])
    assert page.status_code == 200
    assert f'src="{market.paydesk_url}/checkout.js"' in page.text
    assert "$84.00" in page.text
    assert "_secret_abc" in page.text


@pytest.mark.parametrize(
    "items",
    [[], [{"sku": "cup"}], [{"sku": "tea", "quantity": 0}], [{"sku": "tea", "quantity": "2"}], [{}], "tea", None],
    ids=str,
)
def test_what_can_not_be_sold_is_refused(market: Town, items: object) -> None:
    asked = len(market.paydesk.asked)
    answer = market.http.post("/orders", json={"items": items})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert len(market.paydesk.asked) == asked


@pytest.mark.parametrize(
    "form", [{}, {"sku": "cup"}, {"sku": "tea", "quantity": "-1"}, {"sku": "tea", "quantity": "x"}]
)
def test_a_bad_form_is_refused_with_a_page(market: Town, form: dict[str, str]) -> None:
    answer = market.http.post("/orders", data=form)
    assert answer.status_code == 400
    assert "Sorry, that did not work" in answer.text


def test_bodies_that_are_no_order_are_refused(market: Town) -> None:
    for body in (b"{", b"\xff", b"[" * 5000, b'{"x":' + b"[" * 5000, b"x" * 70_000):
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            assert market.http.post("/orders", content=body, headers={"content-type": kind}).status_code == 400


def test_paydesk_away_keeps_the_order_for_another_try(market: Town) -> None:
    market.paydesk.down = True
    answer = market.http.post("/orders", json={"items": [{"sku": "tea"}]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "limit_reached")
    place = f"/orders/{answer.json()['order']}"
    assert market.http.get(place).status_code == 503
    market.paydesk.down = False
    assert market.http.post(place).status_code == 303
    assert market.paydesk.keys[-1] == answer.json()["order"]
    assert "Pay for your order" in market.http.get(place).text


def test_the_webhook_makes_it_paid(market: Town) -> None:
    order = market.buy(("tea", 1))
    before_us = time.time_ns() // 1000
    assert market.tell_paid(order, "evt_paid").json() == {"heard": "paid"}
    entry = market.in_books(order)
    assert entry["status"] == "paid"
    assert before_us <= entry["paid_at_us"] <= time.time_ns() // 1000
    told = market.books()["webhooks"]["latest"][-1]
    assert (told["id"], told["type"]) == ("evt_paid", "payment_intent.succeeded")
    assert told["payment_intent"] == order["payment_intent"]
    assert told["received_us"] == entry["paid_at_us"]
    assert "your order is paid" in market.http.get(f"/orders/{order['order']}").text
    state = market.http.get(f"/orders/{order['order']}.json").json()
    assert state == {"order": order["order"], "status": "paid", "paid_at_us": entry["paid_at_us"]}


def test_the_secret_before_it_was_rolled_still_counts(market: Town) -> None:
    order = market.buy()
    assert market.tell_paid(order, "evt_rolled", OLD_SECRET).status_code == 200
    assert market.in_books(order)["status"] == "paid"


def test_a_repeated_webhook_is_answered_and_changes_nothing(market: Town) -> None:
    order = market.buy()
    market.tell_paid(order, "evt_twice")
    before = market.books()
    assert market.tell_paid(order, "evt_twice").json() == {"heard": "repeated"}
    after = market.books()
    assert after["webhooks"]["repeated"] == before["webhooks"]["repeated"] + 1
    assert (after["orders"], after["paid"]) == (before["orders"], before["paid"])


def test_another_amount_does_not_pay(market: Town) -> None:
    order = market.buy()
    body = succeeded(order, amount=1)
    assert market.send(body, sign_webhook(body, SECRET, webhook_id="evt_less")).json() == {"heard": "mismatched"}
    assert market.in_books(order)["status"] == "open"


def test_bad_signatures_are_refused_and_pay_nothing(market: Town) -> None:
    order = market.buy()
    body = succeeded(order)
    good = sign_webhook(body, SECRET, webhook_id="evt_bad")
    stranger = "whsec_" + "A" * 44
    bad = [
        {},
        {**good, "webhook-id": "evt_other"},
        {**good, "webhook-signature": "v1,AAAA"},
        {**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) - 1)},
        sign_webhook(body, stranger, webhook_id="evt_bad"),
        sign_webhook(body, SECRET, webhook_id="evt_bad", timestamp=1_000_000_000),
    ]
    before = market.books()["webhooks"]
    assert [market.send(body, headers).status_code for headers in bad] == [400] * len(bad)
    assert market.send(body + b" ", good).status_code == 400
    assert market.send(b"x" * 70_000, good).status_code == 400
    after = market.books()["webhooks"]
    assert after["refused"] == before["refused"] + len(bad) + 2
    assert after["verified"] == before["verified"]
    assert market.in_books(order)["status"] == "open"
    assert market.tell_paid(order, "evt_bad").json() == {"heard": "paid"}  # a refused id is not used up


def test_paid_adds_up(market: Town) -> None:
    before = market.books()["paid"].get("usd", 0)
    market.tell_paid(market.buy(("pot", 2)), "evt_sum_1")
    market.tell_paid(market.buy(("tea", 1)), "evt_sum_2")
    market.buy(("tea", 9))
    assert market.books()["paid"]["usd"] - before == 8400 + 1800


def test_pages_come_with_a_policy_and_no_inline_handlers(market: Town) -> None:
    order = market.buy()
    for path in ("/", f"/orders/{order['order']}", "/orders/ord_missing"):
        page = market.http.get(path)
        policy = page.headers["content-security-policy"]
        nonce = policy.split("script-src 'nonce-")[1].split("'")[0]
        assert page.text.count(f'nonce="{nonce}"') == page.text.count("<script") + page.text.count("<style")
        assert "unsafe" not in policy
        assert " on" not in {part[:3] for part in page.text.split("<") if "=" in part}
        assert page.headers["cache-control"] == "no-store"
        assert f"frame-src {market.paydesk_url};" in policy
    assert market.http.get("/").headers["content-security-policy"] != policy


def test_what_is_not_there(market: Town) -> None:
    assert market.http.get("/orders/ord_missing").status_code == 404
    assert market.http.get("/orders/ord_missing.json").status_code == 404
    assert market.http.post("/orders/ord_missing").status_code == 404
    assert market.http.get("/livez").text == "ok\n"


def test_no_secret_in_the_books(market: Town) -> None:
    order = market.buy()
    assert order["client_secret"] not in market.http.get("/books").text


def test_sigterm_ends_it() -> None:
    with town() as market:
        market.buy()
        assert market.shop.end() == (0, "")


@pytest.mark.parametrize("name", ["SHOP_KEY_ID", "SHOP_SECRET", "SHOP_WEBHOOK_SECRET"])
def test_a_missing_setting_is_named(name: str) -> None:
    assert name in refused_start("http://127.0.0.1:1", **{name: ""})


def test_a_bad_webhook_secret_or_address_stops_the_start() -> None:
    assert "whsec_" in refused_start("http://127.0.0.1:1", SHOP_WEBHOOK_SECRET="secret")
    assert "base_url" in refused_start("http://127.0.0.1:1/pay")
    assert "Invalid port" in refused_start("http://127.0.0.1:x")
