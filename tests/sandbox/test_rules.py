"""What the PSP does with a request, in memory."""

import json
import pickle
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydesk_sandbox.psp.faults import Fault
from paydesk_sandbox.psp.keys import DAY_MS
from paydesk_sandbox.psp.rules import Call, Psp, merchant_fingerprint
from paydesk_sandbox.psp.terms import Terms
from paydesk_sandbox.psp.totals import Totals, add_up
from tests.sandbox.asking import NOW_MS, PAYS, answered, ask, charge_body, charge_call, look_up_call

DECLINES = "4000000000000002"


@pytest.fixture
def psp() -> Psp:
    return Psp(salt=b"these books")


def test_a_paid_charge(psp: Psp) -> None:
    status, charge = answered(psp, charge_call(charge_body()))
    assert status == 200
    assert charge.pop("id").startswith("ch_")
    assert charge == {
        "object": "charge",
        "reference": "at_1",
        "order_reference": None,
        "amount": 1999,
        "currency": "usd",
        "status": "captured",
        "amount_captured": 1999,
        "amount_refunded": 0,
        "decline_code": None,
        "challenge": None,
        "token": None,
        "created_ms": NOW_MS,
    }


def test_an_authorisation_takes_no_money(psp: Psp) -> None:
    status, charge = answered(psp, charge_call(charge_body(capture=False)))
    assert (status, charge["status"], charge["amount_captured"]) == (200, "authorised", 0)
    assert psp.books.totals["usd"] == Totals(authorised_minor=1999, authorised=1)


def test_a_declined_charge(psp: Psp) -> None:
    status, charge = answered(psp, charge_call(charge_body(DECLINES)))
    assert (status, charge["status"], charge["decline_code"]) == (402, "declined", "generic_decline")
    assert psp.books.totals["usd"] == Totals(declined=1)


@pytest.mark.parametrize("number", [PAYS, DECLINES])
def test_a_repeat_gets_the_same_bytes_and_charges_nothing(psp: Psp, number: str) -> None:
    call = charge_call(charge_body(number))
    first, again = ask(psp, call), ask(psp, call, NOW_MS + 5)
    assert first
    assert again
    assert (again.status, again.body, again.charge) == (first.status, first.body, first.charge)
    assert (first.replayed, again.replayed) == (False, True)
    assert [entry.times_asked for entry in psp.books.entries.values()] == [2]


def test_the_same_key_with_another_body_is_refused(psp: Psp) -> None:
    answered(psp, charge_call(charge_body()))
    status, body = answered(psp, charge_call(charge_body(amount=2000)))
    assert (status, body["error"]["code"]) == (409, "idempotency_key_reused")
    assert len(psp.books.entries) == 1


def test_another_key_charges_again_and_the_books_tell(psp: Psp) -> None:
    answered(psp, charge_call(charge_body(), "key-1"))
    assert psp.books.charged_twice() == []
    answered(psp, charge_call(charge_body(DECLINES), "key-2"))
    assert psp.books.charged_twice() == []
    answered(psp, charge_call(charge_body(), "key-3"))
    assert psp.books.charged_twice() == ["at_1"]


def test_a_key_is_forgotten_when_its_window_is_over() -> None:
    psp = Psp(terms=Terms(keys_kept_ms=1000))
    call = charge_call(charge_body())
    answered(psp, call, NOW_MS)
    answered(psp, call, NOW_MS + 999)
    assert len(psp.books.entries) == 1
    answered(psp, call, NOW_MS + 1000)
    assert len(psp.books.entries) == 2


def test_a_key_is_kept_for_a_day_by_default(psp: Psp) -> None:
    call = charge_call(charge_body())
    for at_ms, charges in ((0, 1), (DAY_MS - 1, 1), (DAY_MS, 2)):
        answered(psp, call, NOW_MS + at_ms)
        assert len(psp.books.entries) == charges


def test_keys_can_be_forgotten_on_demand(psp: Psp) -> None:
    call = charge_call(charge_body())
    answered(psp, call)
    psp.order(Fault(fault="forget_keys"))
    answered(psp, call)
    assert len(psp.books.entries) == 2
    assert psp.faults.hits == {"forget_keys": 1}


@pytest.mark.parametrize("authorisation", ["", "Bearer", "Bearer  ", "Basic abc", "psp_key"])
def test_who_does_not_say_who_they_are_is_refused(psp: Psp, authorisation: str) -> None:
    call = msgspec.structs.replace(charge_call(charge_body()), authorisation=authorisation)
    assert answered(psp, call)[0] == 401
    assert not psp.books.entries


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_an_idempotency_key_is_required(psp: Psp, key: str) -> None:
    assert answered(psp, charge_call(charge_body(), key))[1]["error"]["code"] == "idempotency_key_missing"


BAD_FIELDS: list[dict[str, Any]] = [
    {"amount": 0},
    {"amount": -1},
    {"amount": 10.0},
    {"amount": "1999"},
    {"amount": True},
    {"amount": 10**12 + 1},
    {"currency": "USD"},
    {"currency": "usd\n"},
    {"currency": "us"},
    {"reference": ""},
    {"reference": "a" * 256},
    {"capture": "yes"},
    {"card": {"number": None}},
    {"card": {"exp_month": "12"}},
]


@pytest.mark.parametrize("fields", BAD_FIELDS, ids=str)
def test_bad_fields_are_refused_and_their_key_stays_free(psp: Psp, fields: dict[str, Any]) -> None:
    status, body = answered(psp, charge_call(charge_body(**fields)))
    assert (status, body["error"]["code"]) == (400, "invalid_request")
    assert answered(psp, charge_call(charge_body()))[0] == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"card":' + b"[" * 5000, b'{"x":' + b"[" * 5000])
def test_bodies_that_are_not_a_charge_are_refused(psp: Psp, body: bytes) -> None:
    assert answered(psp, charge_call(body))[0] == 400


def test_what_is_made_is_found(psp: Psp) -> None:
    _, charge = answered(psp, charge_call(charge_body()))
    assert answered(psp, look_up_call("reference=at_1")) == (200, {"data": [charge]})
    assert answered(psp, look_up_call(path=f"/v1/charges/{charge['id']}")) == (200, charge)


def test_what_is_not_there_is_not_found(psp: Psp) -> None:
    assert answered(psp, look_up_call("reference=at_9")) == (200, {"data": []})
    assert answered(psp, look_up_call(path="/v1/charges/ch_9"))[0] == 404


def test_charges_since_a_time(psp: Psp) -> None:
    for number in range(4):
        body = charge_body(reference=f"at_{number}")
        answered(psp, charge_call(body, f"key-{number}"), NOW_MS + 10 * number)
    _, found = answered(psp, look_up_call(f"since_ms={NOW_MS + 10}"))
    assert [charge["reference"] for charge in found["data"]] == ["at_1", "at_2", "at_3"]
    _, found = answered(psp, look_up_call(f"since_ms={NOW_MS + 11}&reference=at_3"))
    assert [charge["reference"] for charge in found["data"]] == ["at_3"]


@pytest.mark.parametrize("since", ["", "-1", "1.5", "now", "٣", "9" * 5000])
def test_a_bad_time_is_refused(psp: Psp, since: str) -> None:
    assert answered(psp, look_up_call(f"since_ms={since}"))[0] == 400


def test_a_clock_set_back_loses_no_charge(psp: Psp) -> None:
    answered(psp, charge_call(charge_body(), "key-1"), NOW_MS)
    answered(psp, charge_call(charge_body(), "key-2"), NOW_MS - 5000)
    assert len(answered(psp, look_up_call(f"since_ms={NOW_MS}"))[1]["data"]) == 2


def test_merchants_do_not_see_each_other(psp: Psp) -> None:
    _, mine = answered(psp, charge_call(charge_body(), merchant="me"))
    _, theirs = answered(psp, charge_call(charge_body(amount=5), merchant="them"))  # the same key, and no conflict
    assert answered(psp, look_up_call(merchant="me"))[1]["data"] == [mine]
    assert answered(psp, look_up_call("reference=at_1", merchant="them"))[1]["data"] == [theirs]
    assert answered(psp, look_up_call(path=f"/v1/charges/{mine['id']}", merchant="them"))[0] == 404
    assert psp.books.charged_twice() == []


def test_other_methods_are_refused(psp: Psp) -> None:
    call = Call(method="DELETE", path="/v1/charges", authorisation="Bearer me")
    assert answered(psp, call)[0] == 405


def test_the_first_answer_s_time_is_kept(psp: Psp) -> None:
    answer = ask(psp, charge_call(charge_body()))
    assert answer
    assert answer.charge
    assert psp.books.entries[answer.charge].answered_us is None
    psp.books.answered(answer.charge, 7)
    psp.books.answered(answer.charge, 9)
    assert psp.books.entries[answer.charge].answered_us == 7


def test_a_merchant_s_key_is_not_shown(psp: Psp) -> None:
    answered(psp, charge_call(charge_body(), merchant="psp_key"))
    (entry,) = psp.books.entries.values()
    assert entry.merchant == merchant_fingerprint("psp_key") != "psp_key"


def test_nothing_of_a_card_is_kept_but_brand_and_last_four(psp: Psp) -> None:
    marked = "4539578763621486"
    for number, key in ((marked, "key-1"), (marked[:-1] + "7", "key-2")):
        answered(psp, charge_call(charge_body(number, card={"cvc": "987"}), key))
    kept = pickle.dumps([psp.books.entries, *(vars(psp.books)[name] for name in vars(psp.books))])
    assert marked[:-4].encode() not in kept
    assert b"987" not in kept
    assert b"1486" in kept


CHARGES = st.tuples(
    st.sampled_from(["a", "b", "c", "d"]),
    st.integers(1, 10**6),
    st.sampled_from(["usd", "eur", "jpy"]),
    st.booleans(),
    st.sampled_from([PAYS, DECLINES, "4242424242424241", "4000009900000111"]),
    st.sampled_from(["me", "them"]),
)


@given(st.lists(CHARGES, max_size=40))
def test_the_totals_are_the_sum_of_the_charges(asked: list[tuple[str, int, str, bool, str, str]]) -> None:
    psp = Psp()
    for key, amount, currency, capture, number, merchant in asked:
        body = charge_body(number, amount=amount, currency=currency, capture=capture)
        ask(psp, charge_call(body, key, merchant))
    charges = [entry.charge for entry in psp.books.entries.values()]
    assert len(charges) == len({(key, merchant) for key, *_, merchant in asked})
    counted: dict[str, Totals] = {}
    for charge in charges:
        add_up(counted.setdefault(charge.currency, Totals()), charge)
    assert psp.books.totals == counted
    for currency, totals in counted.items():
        mine = [charge for charge in charges if charge.currency == currency]
        assert totals.captured_minor == sum(charge.amount_captured for charge in mine)
        assert totals.charges == sum(charge.status == "captured" for charge in mine)
        assert totals.charges + totals.authorised + totals.declined == len(mine)


def test_the_same_calls_give_the_same_bytes() -> None:
    def run() -> list[bytes]:
        psp = Psp(salt=b"seed")
        answers = [ask(psp, charge_call(charge_body(amount=1 + n), f"key-{n}")) for n in range(5)]
        return [answer.body for answer in answers if answer]

    assert run() == run()
    assert len({json.loads(body)["id"] for body in run()}) == 5
