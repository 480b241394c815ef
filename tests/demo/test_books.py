"""Whether three books agree: each way in which one of them can differ, and none that is let through."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paydesk.cli.demo.books import Sale, compare
from paydesk.cli.demo.run import fresh_folder

SALE = Sale(order="ord_1", intent="pi_1", amount_minor=6000, currency="usd", fee_minor=115)

BOOKS: dict[str, Any] = {
    "intent": {"status": "succeeded", "amount_received": 6000, "latest_attempt": "at_1"},
    "balance": {"pending": [{"amount": 5885, "currency": "usd"}, {"amount": 7, "currency": "eur"}]},
    "shop": {
        "orders": [{"order": "ord_1", "payment_intent": "pi_1", "status": "paid"}],
        "paid": {"usd": 6000},
        "webhooks": {"verified": 2, "refused": 0, "repeated": 0, "mismatched": 0},
    },
    "psp": {
        "charges": [{"id": "ch_1", "reference": "at_1", "amount_captured": 6000}],
        "totals": {"usd": {"captured_minor": 6000}},
        "charged_twice": [],
    },
}


def differing(**books: Any) -> list[str]:
    return [book.whose for book in compare(SALE, **books) if not book.agrees]


def test_they_agree() -> None:
    assert differing(**BOOKS) == []
    assert [book.says for book in compare(SALE, **BOOKS)] == [
        "60.00 usd captured: ch_1",
        "60.00 usd received: 58.85 usd owed to the shop, 1.15 usd kept as fee",
        "60.00 usd paid: webhooks verified 2, refused 0",
    ]


def second_charge(books: dict[str, Any]) -> None:
    books["psp"]["charges"].append({"id": "ch_2", "reference": "at_1", "amount_captured": 6000})
    books["psp"]["totals"]["usd"]["captured_minor"] = 12000


WRONGS: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("PSP", second_charge),
    ("PSP", lambda books: books["psp"].update(charges=[], totals={})),
    ("PSP", lambda books: books["psp"]["charges"][0].update(amount_captured=5999)),
    ("PSP", lambda books: books["psp"]["totals"]["usd"].update(captured_minor=6001)),
    ("PSP", lambda books: books["psp"]["charges"][0].update(reference="at_2")),
    ("PSP", lambda books: books["psp"].update(charged_twice=["at_1"])),
    ("Paydesk", lambda books: books["intent"].update(status="processing")),
    ("Paydesk", lambda books: books["intent"].update(amount_received=0)),
    ("Paydesk", lambda books: books["balance"]["pending"][0].update(amount=6000)),
    ("Paydesk", lambda books: books["balance"].update(pending=[])),
    ("shop", lambda books: books["shop"].update(orders=[])),
    ("shop", lambda books: books["shop"]["orders"][0].update(status="open")),
    ("shop", lambda books: books["shop"]["orders"][0].update(payment_intent="pi_2")),
    ("shop", lambda books: books["shop"].update(paid={})),
    ("shop", lambda books: books["shop"]["webhooks"].update(verified=0)),
    ("shop", lambda books: books["shop"]["webhooks"].update(refused=1)),
    ("shop", lambda books: books["shop"]["webhooks"].update(mismatched=1)),
]


@pytest.mark.parametrize("number", range(len(WRONGS)))
def test_a_book_that_differs_is_named(number: int) -> None:
    whose, make_wrong = WRONGS[number]
    books = copy.deepcopy(BOOKS)
    make_wrong(books)
    assert differing(**books) == [whose]


def test_every_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    assert [fresh_folder(tmp_path).parent.name for _ in range(3)] == ["1", "2", "3"]
    (tmp_path / "10").mkdir()
    (tmp_path / "notes").mkdir()
    assert fresh_folder(tmp_path) == tmp_path / "11" / "paydesk"
