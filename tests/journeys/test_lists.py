"""Lists and their pages: newest first, cursors both ways, nothing twice and nothing left out."""

from typing import Any

import httpx
import pytest

from tests.journeys.cast import Cast, refused
from tests.stage.shopper import DECLINED


def walk(client: httpx.Client, path: str, limit: int) -> list[dict[str, Any]]:
    """Every object, forwards page by page."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = client.get(path, params={"limit": limit} | after).json()
        assert (page["object"], page["url"]) == ("list", path)
        assert len(page["data"]) <= limit
        found += page["data"]
        if not page["has_more"]:
            return found
        after = {"starting_after": page["data"][-1]["id"]}


def walk_back(client: httpx.Client, path: str, limit: int, last: str) -> list[dict[str, Any]]:
    """Everything before `last`, backwards page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = client.get(path, params={"limit": limit, "ending_before": last}).json()
        found = page["data"] + found
        if not page["has_more"]:
            return found
        last = page["data"][0]["id"]


@pytest.fixture
def seven(cast: Cast) -> tuple[httpx.Client, list[str]]:
    """A merchant's client and the ids of seven intents, newest first."""
    tea = cast.merchant()
    made = [tea.open(amount=100 + number)["id"] for number in range(7)]
    return cast.signed(tea), made[::-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
def test_pages_of_intents_both_ways(seven: tuple[httpx.Client, list[str]], limit: int) -> None:
    client, ids = seven
    assert [intent["id"] for intent in walk(client, "/v1/payment_intents", limit)] == ids
    assert [intent["id"] for intent in walk_back(client, "/v1/payment_intents", limit, ids[-1])] == ids[:-1]


def test_ten_is_a_page_if_nothing_is_said(cast: Cast) -> None:
    tea = cast.merchant()
    for _ in range(11):
        tea.open()
    page = tea.client.payment_intents.list()
    assert (len(page["data"]), page["has_more"]) == (10, True)


def test_the_edges_of_a_list(seven: tuple[httpx.Client, list[str]]) -> None:
    client, ids = seven
    for cursor, edge in (("starting_after", ids[-1]), ("ending_before", ids[0])):
        page = client.get("/v1/payment_intents", params={cursor: edge}).json()
        assert (page["data"], page["has_more"]) == ([], False)


def test_a_list_shows_what_a_read_shows_but_no_secret(seven: tuple[httpx.Client, list[str]]) -> None:
    client, ids = seven
    listed = client.get("/v1/payment_intents", params={"limit": 1}).json()["data"][0]
    read = client.get(f"/v1/payment_intents/{ids[0]}").json()
    assert read.pop("client_secret")
    assert listed == read


def test_events_in_the_order_in_which_they_were_committed(cast: Cast) -> None:
    tea = cast.merchant(receiver=True)
    intent = tea.open()
    shopper = tea.shopper(intent)
    shopper.pay(DECLINED)
    shopper.pay()
    tea.receiver.wait_for("payment_intent.succeeded", intent["id"])
    client = cast.signed(tea)
    told = [one.event for one in tea.receiver.received]
    for limit in (1, 2, 100):
        assert walk(client, "/v1/events", limit) == told[::-1]
    assert walk_back(client, "/v1/events", 1, told[0]["id"]) == told[:0:-1]
    assert client.get(f"/v1/events/{told[1]['id']}").json() == told[1]


def test_empty_lists(cast: Cast) -> None:
    client = cast.signed(cast.merchant())
    for path in ("/v1/payment_intents", "/v1/events", "/v1/webhook_endpoints"):
        assert client.get(path).json() == {"object": "list", "data": [], "has_more": False, "url": path}


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("limit=0", "parameter_invalid", "limit"),
        ("limit=101", "parameter_invalid", "limit"),
        ("limit=-1", "parameter_invalid", "limit"),
        ("limit=%2B5", "parameter_invalid", "limit"),
        ("limit=+5", "parameter_invalid", "limit"),
        ("limit=5.0", "parameter_invalid", "limit"),
        ("limit=1e1", "parameter_invalid", "limit"),
        ("limit=0x5", "parameter_invalid", "limit"),
        ("limit=", "parameter_invalid", "limit"),
        ("limit=" + "9" * 5000, "parameter_invalid", "limit"),
        ("limit=%D9%A5", "parameter_invalid", "limit"),  # ٥
        ("limit=%EF%BC%95", "parameter_invalid", "limit"),  # a full-width five
        ("limit=%C2%B2", "parameter_invalid", "limit"),  # a superscript two
        ("limit=5&limit=5", "parameter_invalid", "limit"),
        ("starting_after=pi_none", "parameter_invalid", "starting_after"),
        ("starting_after=", "parameter_invalid", "starting_after"),
        ("starting_after=%00", "parameter_invalid", "starting_after"),
        ("starting_after=%FF%FE", "parameter_invalid", "starting_after"),
        ("ending_before=evt_none", "parameter_invalid", "ending_before"),
        ("starting_after=a&ending_before=b", "parameter_invalid", "ending_before"),
        ("page=2", "parameter_unknown", None),
        ("limit", "parameter_invalid", None),
        ("&", "parameter_invalid", None),
        ("limit=5&", "parameter_invalid", None),
    ],
)
def test_pages_that_are_none(cast: Cast, query: str, code: str, param: str | None) -> None:
    client = cast.signed(cast.merchant())
    for path in ("/v1/payment_intents", "/v1/events"):
        refused(client.get(f"{path}?{query}"), 400, code, param)


def test_cursors_of_another_list_or_another_merchant(cast: Cast) -> None:
    tea, coffee = cast.merchant(), cast.merchant("Coffee House")
    theirs = coffee.open()["id"]
    client = cast.signed(tea)
    own_event = client.get("/v1/events").json()
    assert own_event["data"] == []
    for cursor in ("starting_after", "ending_before"):
        answer = client.get("/v1/payment_intents", params={cursor: theirs})
        refused(answer, 400, "parameter_invalid", cursor)
        assert theirs not in answer.text
