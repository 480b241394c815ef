"""The shop's books, in memory: what a webhook does to an order, and what it does not."""

from typing import Any

import pytest

from paydesk_sandbox.shop.catalogue import price, written
from paydesk_sandbox.shop.orders import LATEST_MAX, Order, Orders


def event(order: Order, kind: str = "payment_intent.succeeded", **told: Any) -> dict[str, Any]:
    """A webhook's body about this order's intent; `told` changes what it says."""
    intent = {"id": order.payment_intent, "amount": order.amount, "currency": order.currency, **told}
    return {"type": kind, "data": {"object": intent}}


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def order(orders: Orders) -> Order:
    order = orders.open("ord_1", {"tea": 2, "pot": 1})
    orders.payable(order, "pi_1", "pi_1_secret_x")
    return order


def test_succeeded_makes_the_order_paid(orders: Orders, order: Order) -> None:
    assert orders.hear("evt_1", event(order), 70) == "paid"
    assert (order.status, order.paid_at_us) == ("paid", 70)
    shown = orders.shown()
    assert shown["paid"] == {"usd": 7800}
    assert shown["webhooks"]["latest"][0].received_us == 70


def test_the_same_webhook_twice_counts_once(orders: Orders, order: Order) -> None:
    orders.hear("evt_1", event(order), 70)
    assert orders.hear("evt_1", event(order), 80) == "repeated"
    assert orders.hear("evt_2", event(order), 90) == "paid"
    assert order.paid_at_us == 70
    assert orders.shown()["paid"] == {"usd": 7800}
    assert orders.counts == {"verified": 2, "refused": 0, "repeated": 1, "mismatched": 0}


@pytest.mark.parametrize(
    "told", [{"amount": 1}, {"amount": "7800"}, {"currency": "eur"}, {"id": "pi_2"}, {"id": None}, {"amount": None}]
)
def test_what_does_not_fit_the_order_leaves_it_open(orders: Orders, order: Order, told: dict[str, Any]) -> None:
    assert orders.hear("evt_1", event(order, **told), 70) == "mismatched"
    assert order.status == "open"
    assert orders.shown()["paid"] == {}


@pytest.mark.parametrize("kind", ["payment_intent.created", "payment_intent.payment_failed", "refund.created", ""])
def test_other_events_are_noted(orders: Orders, order: Order, kind: str) -> None:
    assert orders.hear("evt_1", event(order, kind), 70) == "noted"
    assert order.status == "open"


@pytest.mark.parametrize("strange", [{}, {"type": "payment_intent.succeeded"}, {"type": 7, "data": [1]}, {"data": {}}])
def test_a_strange_event_does_no_harm(orders: Orders, order: Order, strange: dict[str, Any]) -> None:
    assert orders.hear("evt_1", strange, 70) in ("noted", "mismatched")
    assert order.status == "open"


def test_an_order_whose_answer_got_lost_is_found_by_its_metadata(orders: Orders) -> None:
    order = orders.open("ord_2", {"tea": 1})
    heard = orders.hear("evt_1", event(order, id="pi_2", metadata={"order": "ord_2"}), 70)
    assert (heard, order.status, order.payment_intent) == ("paid", "paid", "pi_2")


def test_metadata_can_not_pay_an_order_that_has_another_intent(orders: Orders, order: Order) -> None:
    told = event(order, id="pi_9", metadata={"order": order.order})
    assert orders.hear("evt_1", told, 70) == "mismatched"
    assert order.status == "open"


def test_the_books_show_no_client_secret(orders: Orders, order: Order) -> None:
    assert order.client_secret is not None
    assert order.client_secret not in str(orders.shown())


def test_the_latest_webhooks_are_bounded(orders: Orders, order: Order) -> None:
    for number in range(LATEST_MAX + 5):
        orders.hear(f"evt_{number}", event(order, "payment_intent.created"), number)
    latest = orders.shown()["webhooks"]["latest"]
    assert (len(latest), latest[-1].id) == (LATEST_MAX, f"evt_{LATEST_MAX + 4}")


@pytest.mark.parametrize(
    ("basket", "minor"), [({"tea": 1}, 1800), ({"tea": 20}, 36_000), ({"tea": 1, "pot": 2}, 10_200)], ids=str
)
def test_prices(basket: dict[str, int], minor: int) -> None:
    assert price(basket) == minor


@pytest.mark.parametrize("basket", [{}, {"tea": 0}, {"tea": 21}, {"tea": -1}, {"cup": 1}], ids=str)
def test_what_can_not_be_sold_opens_no_order(orders: Orders, basket: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        orders.open("ord_3", basket)
    assert not orders.all


def test_amounts_as_a_shopper_reads_them() -> None:
    assert [written(minor) for minor in (5, 1800, 1_234_567)] == ["$0.05", "$18.00", "$12,345.67"]
