"""Money goes back: at once, later, or not after all; never more than was taken."""

from typing import Any

import pytest

from paydesk_sandbox.psp.cards import AFTERWARDS
from paydesk_sandbox.psp.disputes import DisputeOrder
from paydesk_sandbox.psp.refunds import FAILED_BECAUSE
from paydesk_sandbox.psp.rules import Psp
from paydesk_sandbox.psp.terms import Terms
from paydesk_sandbox.psp.totals import Totals
from tests.sandbox.asking import NOW_MS, answered, change_call, held, look_up_call, made, refusal, shown

FAILS, WAITS, WAITS_AND_FAILS = (line.number for line in AFTERWARDS)
LATER_MS = 1000


@pytest.fixture
def psp() -> Psp:
    return Psp(salt=b"refunds", terms=Terms(later_ms=LATER_MS))


def refund(psp: Psp, charge: Any, amount: int, name: str = "re_1", key: str | None = None) -> tuple[int, Any]:
    call = change_call(charge["id"], "refunds", {"reference": name, "amount": amount}, key=key or f"{name}:refund:1")
    return answered(psp, call)


def found(psp: Psp, refund_id: str) -> Any:
    return answered(psp, look_up_call(path=f"/v1/refunds/{refund_id}"))[1]


def test_a_refund(psp: Psp) -> None:
    charge = made(psp)
    status, refunded = refund(psp, charge, 700)
    assert status == 200
    assert refunded.pop("id").startswith("re_")
    assert refunded == {
        "object": "refund",
        "charge": charge["id"],
        "reference": "re_1",
        "amount": 700,
        "currency": "usd",
        "status": "succeeded",
        "failure_reason": None,
        "created_ms": NOW_MS,
    }
    assert shown(psp, charge["id"]) == charge | {"amount_refunded": 700}
    assert psp.books.totals["usd"] == Totals(captured_minor=1999, charges=1, refunded_minor=700, refunds=1)


def test_several_refunds_up_to_what_was_taken(psp: Psp) -> None:
    charge = made(psp)
    assert [refund(psp, charge, 999, f"re_{number}")[0] for number in (1, 2)] == [200, 200]
    call = change_call(charge["id"], "refunds", {"reference": "re_3", "amount": 2}, key="three")
    assert refusal(psp, call) == (409, "amount_too_large")
    assert refund(psp, charge, 1, "re_4")[0] == 200
    assert shown(psp, charge["id"])["amount_refunded"] == 1999
    assert psp.books.refunded_beyond_captured() == []


def test_of_a_part_that_was_taken_only_that_part_goes_back(psp: Psp) -> None:
    charge = held(psp)
    assert refund(psp, charge, 1, key="early")[1]["error"]["code"] == "invalid_state"
    answered(psp, change_call(charge["id"], "capture", {"amount": 500}, key="capture"))
    assert refund(psp, charge, 501, key="too-much")[1]["error"]["code"] == "amount_too_large"
    assert refund(psp, charge, 500)[0] == 200


@pytest.mark.parametrize(
    ("number", "fields"),
    [
        ("4242424242424242", {"capture": False}),
        ("4000000000000002", {}),
        ("4000000000003220", {"challenge": "allow"}),
    ],
)
def test_what_was_not_taken_does_not_go_back(psp: Psp, number: str, fields: Any) -> None:
    charge = made(psp, number, **fields)
    assert refund(psp, charge, 1)[1]["error"]["code"] == "invalid_state"
    assert psp.books.refunds.all == {}


def test_what_a_dispute_holds_does_not_go_back(psp: Psp) -> None:
    charge = made(psp)
    psp.dispute(charge["id"], DisputeOrder(amount=1500), NOW_MS)
    assert refund(psp, charge, 500, key="too-much")[1]["error"]["code"] == "amount_too_large"
    assert refund(psp, charge, 499)[0] == 200


def test_a_refund_that_fails_late(psp: Psp) -> None:
    charge = made(psp, FAILS)
    _, refunded = refund(psp, charge, 700)
    assert refunded["status"] == "succeeded"
    assert psp.due(NOW_MS + LATER_MS - 1) == []
    assert psp.next_ms == NOW_MS + LATER_MS
    (happened,) = psp.due(NOW_MS + LATER_MS)
    assert (happened.what, happened.about) == ("refund_failed", refunded["id"])
    assert found(psp, refunded["id"]) == refunded | {"status": "failed", "failure_reason": FAILED_BECAUSE}
    assert shown(psp, charge["id"])["amount_refunded"] == 0
    assert psp.books.totals["usd"] == Totals(captured_minor=1999, charges=1, refunds_failed=1)
    assert psp.next_ms is None


@pytest.mark.parametrize(
    ("number", "what", "status", "back"),
    [(WAITS, "refund_succeeded", "succeeded", 700), (WAITS_AND_FAILS, "refund_failed", "failed", 0)],
)
def test_a_refund_that_waits(psp: Psp, number: str, what: str, status: str, back: int) -> None:
    charge = made(psp, number)
    _, refunded = refund(psp, charge, 700)
    assert refunded["status"] == "pending"
    assert shown(psp, charge["id"])["amount_refunded"] == 700
    assert psp.books.totals["usd"].refunding_minor == 700
    assert [happened.what for happened in psp.due(NOW_MS + LATER_MS)] == [what]
    assert found(psp, refunded["id"])["status"] == status
    assert shown(psp, charge["id"])["amount_refunded"] == back
    assert psp.books.totals["usd"].refunding_minor == 0


def test_people_let_a_refund_fail_once_and_what_was_to_come_comes_no_more(psp: Psp) -> None:
    charge = made(psp, WAITS)
    _, refunded = refund(psp, charge, 700)
    assert [psp.fail_refund(refunded["id"], NOW_MS).status for _ in range(2)] == [200, 200]
    assert psp.due(NOW_MS + LATER_MS) == []
    assert found(psp, refunded["id"])["status"] == "failed"
    assert shown(psp, charge["id"])["amount_refunded"] == 0
    assert psp.fail_refund("re_9", NOW_MS).status == 404


def test_what_failed_may_be_refunded_again(psp: Psp) -> None:
    charge = made(psp)
    _, refunded = refund(psp, charge, 1999)
    psp.fail_refund(refunded["id"], NOW_MS)
    assert refund(psp, charge, 1999, key="again")[0] == 200
    assert psp.books.refunded_twice() == []


def test_the_books_tell_what_went_back_twice(psp: Psp) -> None:
    charge = made(psp)
    refund(psp, charge, 100, key="one")
    refund(psp, charge, 100, key="other")
    assert psp.books.refunded_twice() == ["re_1"]


def test_the_books_tell_what_went_back_beyond_what_was_taken(psp: Psp) -> None:
    charge = made(psp)
    refund(psp, charge, 1000)
    entry = psp.books.entries[charge["id"]]
    psp.books.change(entry, amount_refunded=0)  # As if the rules had lost count.
    refund(psp, charge, 1000, "re_2")
    assert psp.books.refunded_beyond_captured() == ["at_1"]


def test_refunds_are_found(psp: Psp) -> None:
    charge = made(psp)
    refunds = [refund(psp, charge, 1 + number, f"re_{number}")[1] for number in range(3)]
    assert answered(psp, look_up_call("reference=re_1", "/v1/refunds"))[1] == {"data": [refunds[1]]}
    assert answered(psp, look_up_call(f"since_ms={NOW_MS}", "/v1/refunds"))[1] == {"data": refunds}
    assert answered(psp, look_up_call(f"since_ms={NOW_MS + 1}", "/v1/refunds"))[1] == {"data": []}
    assert answered(psp, look_up_call("reference=re_9", "/v1/refunds"))[1] == {"data": []}
    assert refusal(psp, look_up_call(path="/v1/refunds/re_9")) == (404, "not_found")
    theirs = look_up_call(path=f"/v1/refunds/{refunds[0]['id']}", merchant="them")
    assert refusal(psp, theirs) == (404, "not_found")
    assert answered(psp, look_up_call(path="/v1/refunds", merchant="them"))[1] == {"data": []}
