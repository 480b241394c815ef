"""What goes wrong, and when, in memory: each fault's handling, orders, plans, the cards that misbehave."""

import json
from typing import Any

import msgspec
import pytest

from paydesk_sandbox.psp.cards import OWN
from paydesk_sandbox.psp.faults import AS_USUAL, Calls, Fault, Faults, Handling, Plan, handling_of
from paydesk_sandbox.psp.rules import Call, Psp
from paydesk_sandbox.psp.shaping import GARBAGE, OTHER_AMOUNT_MINOR
from tests.sandbox.asking import (
    NOW_MS,
    answered,
    ask,
    change_call,
    charge_body,
    charge_call,
    look_up_call,
    made,
    refusal,
)

TABLE = [
    (Fault(fault="late"), Handling(end_after_ms=3000)),
    (Fault(fault="late", delay_ms=5), Handling(end_after_ms=5)),
    (Fault(fault="lands_late"), Handling(act_after_ms=3000)),
    (Fault(fault="lost_after"), Handling(end_after_ms=60_000, ending="close")),
    (Fault(fault="lost_after", delay_ms=0), Handling(ending="close")),
    (Fault(fault="lost_before"), Handling(acts=False, end_after_ms=60_000, ending="close")),
    (Fault(fault="status"), Handling(acts=False, shape="status", status=503)),
    (Fault(fault="status", status=429), Handling(acts=False, shape="status", status=429)),
    (Fault(fault="status_after"), Handling(shape="status", status=500)),
    (Fault(fault="garbage"), Handling(shape="garbage")),
    (Fault(fault="wrong_amount"), Handling(shape="wrong_amount")),
    (Fault(fault="reset"), Handling(acts=False, ending="reset")),
    (Fault(fault="refuse", for_ms=9), Handling(acts=False, ending="refuse", refuse_ms=9)),
    (Fault(fault="forget_keys"), AS_USUAL),
    (Fault(fault="notice_early"), Handling(end_after_ms=1000, tells_first=True)),
    (Fault(fault="notice_early", delay_ms=7), Handling(end_after_ms=7, tells_first=True)),
    (None, AS_USUAL),
]


@pytest.mark.parametrize(("fault", "handling"), TABLE, ids=str)
def test_the_table(fault: Fault | None, handling: Handling) -> None:
    assert handling_of(fault) == handling


@pytest.mark.parametrize(("fault", "handling"), TABLE, ids=str)
def test_the_effect_of_each_on_the_books_and_on_the_wire(fault: Fault | None, handling: Handling) -> None:
    psp = Psp()
    if fault:
        psp.faults.order(fault)
    call = charge_call(charge_body())
    answer = ask(psp, call)
    assert len(psp.books.entries) == int(handling.acts)
    assert (answer is not None) == (handling.ending == "answer")
    if answer and handling.shape == "status":
        assert answer.status == handling.status
        assert answer.retry_after_seconds == (1 if handling.status in (429, 503) else None)
    assert psp.faults.hits == ({fault.fault: 1} if fault else {})
    again = ask(psp, call)
    assert again
    assert again.status == 200
    assert json.loads(again.body)["amount"] == 1999
    assert len(psp.books.entries) == 1


CALLS: list[tuple[Calls, str]] = [
    ("charges", ""),
    ("captures", "capture"),
    ("releases", "release"),
    ("refunds", "refunds"),
    ("settings", "notice_endpoint"),
    ("lookups", ""),
]
BODIES = {"capture": {"amount": 1999}, "release": {}, "refunds": {"reference": "re_1", "amount": 1999}}


def one_call(psp: Psp, kind: Calls, verb: str) -> Call:
    """A call of this kind that would succeed."""
    charge = made(psp, capture=kind in ("refunds", "lookups"))
    if verb in BODIES:
        return change_call(charge["id"], verb, BODIES[verb])
    if kind == "lookups":
        return look_up_call(path=f"/v1/charges/{charge['id']}")
    if kind == "charges":
        return charge_call(charge_body(reference="at_2"), "another")
    body = b'{"url":"http://pay.example/","secret":"s"}'
    return msgspec.structs.replace(look_up_call(path="/v1/notice_endpoint"), method="POST", body=body)


def books(psp: Psp) -> list[Any]:
    refunds = [entry.refund for entry in psp.books.refunds.all.values()]
    return [[entry.charge for entry in psp.books.entries.values()], refunds, dict(psp.books.totals)]


@pytest.mark.parametrize(("kind", "verb"), CALLS)
def test_a_call_is_of_its_kind(kind: Calls, verb: str) -> None:
    assert one_call(Psp(), kind, verb).kind == kind


@pytest.mark.parametrize(("fault", "handling"), TABLE, ids=str)
@pytest.mark.parametrize("on", ["its own", "any"])
@pytest.mark.parametrize(("kind", "verb"), CALLS)
def test_each_fault_on_each_kind_of_call(
    kind: Calls, verb: str, on: str, fault: Fault | None, handling: Handling
) -> None:
    psp, clean = Psp(), Psp()
    call, same = one_call(psp, kind, verb), one_call(clean, kind, verb)
    before, _ = books(psp), ask(clean, same)
    if fault:
        psp.faults.order(msgspec.structs.replace(fault, on=kind if on == "its own" else "any"))
    met = psp.meet(call, NOW_MS)
    answer = psp.act(call, met, NOW_MS)
    assert met == handling
    assert books(psp) == (books(clean) if handling.acts else before)
    assert (answer is not None) == (handling.ending == "answer")
    if answer:
        assert answer.status == (handling.status if handling.shape == "status" else 200)
    assert psp.faults.hits == ({fault.fault: 1} if fault else {})
    again = ask(psp, call)
    assert again
    assert again.status == 200
    assert books(psp) == books(clean)


@pytest.mark.parametrize(("kind", "verb"), CALLS)
def test_a_fault_for_another_kind_of_call_waits(kind: Calls, verb: str) -> None:
    psp = Psp()
    call = one_call(psp, kind, verb)
    for other, _ in CALLS:
        if other != kind:
            psp.order(Fault(fault="reset", on=other))
    assert psp.meet(call, NOW_MS) == AS_USUAL


def test_a_plan_draws_for_the_calls_it_is_meant_for() -> None:
    for kind, _ in CALLS:
        faults = Faults()
        faults.follow(Plan(seed=1, rates={"status": 1}, on=kind))
        assert [other for other, _ in CALLS if faults.next(other)] == [kind]


def test_another_amount_of_a_refund_and_of_what_went_back() -> None:
    psp = Psp()
    charge = made(psp)
    psp.order(Fault(fault="wrong_amount", on="refunds"))
    _, refund = answered(psp, change_call(charge["id"], "refunds", {"reference": "re_1", "amount": 5}))
    assert refund["amount"] == 5 + OTHER_AMOUNT_MINOR
    psp.order(Fault(fault="wrong_amount", on="lookups"))
    _, charge = answered(psp, look_up_call(path=f"/v1/charges/{charge['id']}"))
    assert charge["amount_refunded"] == 5 + OTHER_AMOUNT_MINOR
    assert psp.books.totals["usd"].refunded_minor == 5


def test_a_refusal_has_no_amount_to_be_wrong() -> None:
    psp = Psp()
    charge = made(psp)
    psp.order(Fault(fault="wrong_amount", on="captures"))
    assert refusal(psp, change_call(charge["id"], "capture", {"amount": 5})) == (409, "invalid_state")


def test_garbage_is_no_json() -> None:
    psp = Psp()
    psp.order(Fault(fault="garbage"))
    answer = ask(psp, charge_call(charge_body()))
    assert answer
    assert answer.body == GARBAGE
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(answer.body)


def test_another_amount_on_the_wire_and_the_right_one_in_the_books() -> None:
    psp = Psp()
    psp.order(Fault(fault="wrong_amount", times=2, on="any"))
    _, charge = answered(psp, charge_call(charge_body()))
    assert (charge["amount"], charge["amount_captured"]) == (1999 + OTHER_AMOUNT_MINOR,) * 2
    assert answered(psp, look_up_call())[1]["data"][0]["amount"] == 1999 + OTHER_AMOUNT_MINOR
    assert answered(psp, look_up_call())[1]["data"][0]["amount"] == 1999
    assert psp.books.totals["usd"].captured_minor == 1999


def test_ordered_faults_come_in_order_and_as_often_as_said() -> None:
    faults = Faults()
    faults.order(Fault(fault="late", times=2))
    faults.order(Fault(fault="reset"))
    drawn = [faults.next("charges") for _ in range(4)]
    assert [fault and fault.fault for fault in drawn] == ["late", "late", "reset", None]
    assert faults.orders == []


def test_a_fault_waits_for_the_calls_it_is_meant_for() -> None:
    faults = Faults()
    faults.order(Fault(fault="late"))
    faults.order(Fault(fault="reset", on="lookups"))
    faults.order(Fault(fault="garbage", on="any"))
    calls = [faults.next(call) for call in ("lookups", "lookups", "lookups", "charges", "charges")]
    assert [fault and fault.fault for fault in calls] == ["reset", "garbage", None, "late", None]


def test_clearing_keeps_the_counts() -> None:
    psp = Psp()
    psp.order(Fault(fault="late", times=9))
    psp.faults.follow(Plan(seed=1, rates={"reset": 1}))
    psp.meet(charge_call(charge_body()), NOW_MS)
    psp.faults.clear()
    assert psp.meet(charge_call(charge_body()), NOW_MS) == AS_USUAL
    assert psp.faults.hits == {"late": 1}


def test_a_plan_is_the_same_for_the_same_seed_and_hits_as_often_as_it_says() -> None:
    def kinds(seed: int) -> list[str]:
        faults = Faults()
        faults.follow(Plan(seed=seed, rates={"late": 0.1, "reset": 0.3}))
        return [fault.fault if (fault := faults.next("charges")) else "" for _ in range(2000)]

    assert kinds(1) == kinds(1) != kinds(2)
    assert 140 < kinds(1).count("late") < 260
    assert 500 < kinds(1).count("reset") < 700


def test_a_plan_leaves_other_calls_alone_and_hands_its_settings_on() -> None:
    faults = Faults()
    faults.follow(Plan(seed=1, rates={"status": 1}, status=502))
    assert faults.next("lookups") is None
    drawn = faults.next("charges")
    assert drawn
    assert (drawn.fault, drawn.status) == ("status", 502)


@pytest.mark.parametrize(
    "plan",
    [
        b'{"seed":1,"rates":{"late":0.6,"reset":0.5}}',
        b'{"seed":1,"rates":{"late":1.1}}',
        b'{"seed":1,"rates":{"early":0.1}}',
        b'{"rates":{}}',
        b'{"seed":1,"rates":{},"speed":1}',
    ],
)
def test_a_bad_plan_is_refused(plan: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(plan, type=Plan)


@pytest.mark.parametrize("number", [line.number for line in OWN])
def test_a_card_of_the_sandbox_misbehaves_until_it_is_in_the_books(number: str) -> None:
    psp = Psp()
    call = charge_call(charge_body(number))
    first, second = psp.meet(call, NOW_MS), psp.meet(call, NOW_MS)
    assert first == second != AS_USUAL
    psp.act(call, first, NOW_MS)
    assert (psp.meet(call, NOW_MS) == AS_USUAL) == first.acts
    assert sum(psp.faults.hits.values()) == (2 if first.acts else 3)


def test_an_ordered_fault_comes_before_the_card_s_own() -> None:
    psp = Psp()
    psp.order(Fault(fault="reset"))
    call = charge_call(charge_body("4000009900000103"))
    assert psp.meet(call, NOW_MS).ending == "reset"
    assert psp.meet(call, NOW_MS).end_after_ms == 3000
