"""Banks take charges back: by themselves after a certain card, or because a test asked for it."""

from typing import Any

import msgspec
import pytest

from paydesk_sandbox.psp.answers import Answer
from paydesk_sandbox.psp.disputes import CloseOrder, DisputeOrder
from paydesk_sandbox.psp.rules import Psp
from paydesk_sandbox.psp.terms import Terms
from paydesk_sandbox.psp.totals import Totals
from tests.sandbox.asking import NOW_MS, answered, change_call, held, look_up_call, made, refusal

DISPUTED = "4000000000000259"
LATER_MS = 1000


@pytest.fixture
def psp() -> Psp:
    return Psp(salt=b"disputes", terms=Terms(later_ms=LATER_MS))


def read(answer: Answer) -> Any:
    return msgspec.json.decode(answer.body)


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, read(answer)["error"]["code"]


def test_a_card_that_is_disputed_some_time_after_it_was_paid(psp: Psp) -> None:
    charge = made(psp, DISPUTED)
    assert charge["status"] == "captured"
    assert psp.next_ms == NOW_MS + LATER_MS
    assert psp.due(NOW_MS + LATER_MS - 1) == []
    (happened,) = psp.due(NOW_MS + LATER_MS)
    _, dispute = answered(psp, look_up_call(path=f"/v1/disputes/{happened.about}"))
    assert happened.what == "dispute_opened"
    assert dispute.pop("id").startswith("dp_")
    assert dispute == {
        "object": "dispute",
        "charge": charge["id"],
        "reference": "at_1",
        "amount": 1999,
        "currency": "usd",
        "reason": "fraudulent",
        "status": "needs_response",
        "created_ms": NOW_MS + LATER_MS,
    }
    assert psp.books.totals["usd"] == Totals(captured_minor=1999, charges=1, disputed_minor=1999, disputes_open=1)
    assert psp.due(NOW_MS + 2 * LATER_MS) == []


def test_only_what_was_taken_is_disputed_when_it_was_taken(psp: Psp) -> None:
    charge = held(psp, number=DISPUTED)
    assert psp.due(NOW_MS + LATER_MS) == []
    answered(psp, change_call(charge["id"], "capture", {"amount": 300}))
    (happened,) = psp.due(NOW_MS + LATER_MS)
    assert psp.books.disputes.all[happened.about].dispute.amount == 300


def test_a_declined_one_is_not_disputed(psp: Psp) -> None:
    made(psp, DISPUTED, card={"exp_month": 13})
    assert psp.next_ms is None


def test_what_people_disputed_before_is_not_disputed_again(psp: Psp) -> None:
    charge = made(psp, DISPUTED)
    psp.dispute(charge["id"], DisputeOrder(), NOW_MS)
    assert psp.due(NOW_MS + LATER_MS) == []
    assert len(psp.books.disputes.all) == 1


def test_people_open_one(psp: Psp) -> None:
    charge = made(psp)
    dispute = read(psp.dispute(charge["id"], DisputeOrder(amount=500, reason="product_not_received"), NOW_MS))
    assert (dispute["amount"], dispute["reason"]) == (500, "product_not_received")
    assert read(psp.dispute(charge["id"], DisputeOrder(), NOW_MS))["amount"] == 1499
    assert code(psp.dispute(charge["id"], DisputeOrder(), NOW_MS)) == (409, "amount_too_large")
    assert code(psp.dispute("ch_9", DisputeOrder(), NOW_MS)) == (404, "not_found")


def test_a_bank_does_not_ask_whether_the_money_went_back_already(psp: Psp) -> None:
    charge = made(psp)
    answered(psp, change_call(charge["id"], "refunds", {"reference": "re_1", "amount": 1999}))
    assert psp.dispute(charge["id"], DisputeOrder(), NOW_MS).status == 200
    assert psp.books.refunded_beyond_captured() == []


def test_more_than_was_taken_is_refused_and_so_is_what_was_not_taken(psp: Psp) -> None:
    charge, waiting = made(psp), held(psp, reference="at_2")
    assert code(psp.dispute(charge["id"], DisputeOrder(amount=2000), NOW_MS)) == (409, "amount_too_large")
    assert code(psp.dispute(waiting["id"], DisputeOrder(), NOW_MS)) == (409, "invalid_state")


@pytest.mark.parametrize("status", ["won", "lost"])
def test_a_bank_decides_once(psp: Psp, status: Any) -> None:
    charge = made(psp)
    dispute = read(psp.dispute(charge["id"], DisputeOrder(), NOW_MS))
    closed = [psp.close_dispute(dispute["id"], CloseOrder(status=status), NOW_MS) for _ in range(2)]
    assert [read(answer) for answer in closed] == [dispute | {"status": status}] * 2
    other = CloseOrder(status="won" if status == "lost" else "lost")
    assert code(psp.close_dispute(dispute["id"], other, NOW_MS)) == (409, "invalid_state")
    assert code(psp.close_dispute("dp_9", other, NOW_MS)) == (404, "not_found")
    totals = Totals(captured_minor=1999, charges=1)
    if status == "won":
        totals.disputes_won = 1
    else:
        totals.disputes_lost_minor, totals.disputes_lost = 1999, 1
    assert psp.books.totals["usd"] == totals


def test_after_a_won_one_the_money_may_be_refunded_or_disputed_again(psp: Psp) -> None:
    charge = made(psp)
    dispute = read(psp.dispute(charge["id"], DisputeOrder(), NOW_MS))
    call = change_call(charge["id"], "refunds", {"reference": "re_1", "amount": 1000}, key="one")
    assert refusal(psp, call) == (409, "amount_too_large")
    psp.close_dispute(dispute["id"], CloseOrder(status="won"), NOW_MS)
    call = change_call(charge["id"], "refunds", {"reference": "re_1", "amount": 1000}, key="two")
    assert answered(psp, call)[0] == 200
    assert psp.dispute(charge["id"], DisputeOrder(), NOW_MS).status == 200


def test_disputes_are_found(psp: Psp) -> None:
    first, second = made(psp), made(psp, key="second", reference="at_2")
    disputes = [read(psp.dispute(charge["id"], DisputeOrder(), NOW_MS)) for charge in (first, second)]
    assert answered(psp, look_up_call("reference=at_2", "/v1/disputes"))[1] == {"data": [disputes[1]]}
    assert answered(psp, look_up_call(f"since_ms={NOW_MS}", "/v1/disputes"))[1] == {"data": disputes}
    assert answered(psp, look_up_call(f"since_ms={NOW_MS + 1}", "/v1/disputes"))[1] == {"data": []}
    assert refusal(psp, look_up_call(path="/v1/disputes/dp_9")) == (404, "not_found")
    theirs = look_up_call(path=f"/v1/disputes/{disputes[0]['id']}", merchant="them")
    assert refusal(psp, theirs) == (404, "not_found")


def test_no_merchant_opens_or_closes_one(psp: Psp) -> None:
    charge = made(psp)
    assert refusal(psp, change_call(charge["id"], "dispute")) == (405, "method_not_allowed")
    path = msgspec.structs.replace(change_call("dp_1", "close"), path="/v1/disputes/dp_1/close")
    assert refusal(psp, path) == (405, "method_not_allowed")


def test_what_is_due_comes_in_its_order(psp: Psp) -> None:
    later = made(psp, DISPUTED, key="b", now_ms=NOW_MS + 5, reference="at_2")
    sooner = made(psp, DISPUTED, key="a")
    happened = psp.due(NOW_MS + LATER_MS + 5)
    charges = [psp.books.disputes.all[one.about].dispute.charge for one in happened]
    assert charges == [sooner["id"], later["id"]]
    assert [one.at_ms for one in happened] == [NOW_MS + LATER_MS, NOW_MS + LATER_MS + 5]
