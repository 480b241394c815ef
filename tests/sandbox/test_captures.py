"""What is held is taken or let go, once; every refusal leaves it as it was."""

from typing import Any

import msgspec
import pytest

from paydesk_sandbox.psp.rules import Psp
from paydesk_sandbox.psp.terms import Terms
from paydesk_sandbox.psp.totals import Totals
from tests.sandbox.asking import NOW_MS, PAYS, answered, ask, change_call, held, made, refusal, shown

DECLINES = "4000000000000002"
CHALLENGES = "4000000000003220"


@pytest.fixture
def psp() -> Psp:
    return Psp(salt=b"captures")


def capture(psp: Psp, charge: Any, amount: int, key: str = "capture-1") -> tuple[int, Any]:
    return answered(psp, change_call(charge["id"], "capture", {"amount": amount}, key=key))


def release(psp: Psp, charge: Any, key: str = "release-1") -> tuple[int, Any]:
    return answered(psp, change_call(charge["id"], "release", key=key))


@pytest.mark.parametrize("amount", [1999, 1998, 1])
def test_what_is_held_is_taken_or_a_part_of_it(psp: Psp, amount: int) -> None:
    charge = held(psp)
    assert capture(psp, charge, amount) == (200, charge | {"status": "captured", "amount_captured": amount})
    assert psp.books.totals["usd"] == Totals(captured_minor=amount, charges=1)


def test_more_than_is_held_is_refused(psp: Psp) -> None:
    charge = held(psp)
    assert refusal(psp, change_call(charge["id"], "capture", {"amount": 2000})) == (409, "amount_too_large")
    assert shown(psp, charge["id"]) == charge


def test_it_is_taken_once(psp: Psp) -> None:
    charge = held(psp)
    capture(psp, charge, 1000)
    call = change_call(charge["id"], "capture", {"amount": 999}, key="capture-2")
    assert refusal(psp, call) == (409, "invalid_state")
    assert psp.books.totals["usd"].captured_minor == 1000


def test_what_is_held_is_let_go_and_again_changes_nothing(psp: Psp) -> None:
    charge = held(psp)
    released = charge | {"status": "released"}
    assert release(psp, charge) == (200, released)
    assert release(psp, charge, key="release-2") == (200, released)
    assert psp.books.totals["usd"] == Totals(released=1)


def test_a_challenge_is_let_go_and_its_bank_hears_no_more(psp: Psp) -> None:
    charge = made(psp, CHALLENGES, challenge="allow")
    status, released = release(psp, charge)
    assert (status, released["status"], released["challenge"]) == (200, "released", None)
    psp.answer_challenge(charge["challenge"]["url"].rpartition("/")[2], approved=True, now_ms=NOW_MS)
    assert shown(psp, charge["id"]) == released


@pytest.mark.parametrize(
    ("verb", "number", "fields"),
    [
        ("capture", PAYS, {"capture": True}),
        ("capture", DECLINES, {"capture": False}),
        ("capture", CHALLENGES, {"capture": False, "challenge": "allow"}),
        ("release", PAYS, {"capture": True}),
        ("release", DECLINES, {"capture": False}),
    ],
)
def test_what_is_not_held_is_neither_taken_nor_let_go(psp: Psp, verb: str, number: str, fields: Any) -> None:
    charge = made(psp, number, **fields)
    body = {"amount": 1} if verb == "capture" else {}
    assert refusal(psp, change_call(charge["id"], verb, body)) == (409, "invalid_state")
    assert shown(psp, charge["id"]) == charge


def test_what_was_let_go_is_not_taken(psp: Psp) -> None:
    charge = held(psp)
    release(psp, charge)
    assert refusal(psp, change_call(charge["id"], "capture", {"amount": 1})) == (409, "invalid_state")


def test_an_authorisation_ends_by_itself() -> None:
    psp = Psp(terms=Terms(authorised_ms=1000))
    charge, taken = held(psp), held(psp, key="taken", reference="at_2")
    capture(psp, taken, 1999)
    assert shown(psp, charge["id"], NOW_MS + 999)["status"] == "authorised"
    (happened,) = psp.due(NOW_MS + 1000)
    assert (happened.what, happened.about, happened.at_ms) == ("charge_expired", charge["id"], NOW_MS + 1000)
    assert shown(psp, charge["id"], NOW_MS + 1000)["status"] == "released"
    assert shown(psp, taken["id"], NOW_MS + 1000)["status"] == "captured"


def test_only_what_is_still_held_is_waited_for(psp: Psp) -> None:
    for key, verb, body in (("one", "capture", {"amount": 5}), ("other", "release", {})):
        charge = held(psp, key=key, reference=key)
        assert psp.next_ms == NOW_MS + psp.books.terms.authorised_ms
        answered(psp, change_call(charge["id"], verb, body, key=verb))
        assert psp.next_ms is None


def test_an_authorisation_that_ended_is_not_taken_though_nobody_looked() -> None:
    psp = Psp(terms=Terms(authorised_ms=1000))
    charge = held(psp)
    call = change_call(charge["id"], "capture", {"amount": 1999})
    assert refusal(psp, call, NOW_MS + 1000) == (409, "invalid_state")


def test_an_authorisation_can_be_ended_by_people(psp: Psp) -> None:
    charge, paid = held(psp), made(psp, reference="at_2")
    assert psp.expire(charge["id"], NOW_MS).status == 200
    assert psp.expire(charge["id"], NOW_MS).status == 200
    assert shown(psp, charge["id"])["status"] == "released"
    assert psp.expire(paid["id"], NOW_MS).status == 409
    assert psp.expire("ch_9", NOW_MS).status == 404


VERBS: list[tuple[str, Any]] = [
    ("capture", {"amount": 700}),
    ("release", {}),
    ("refunds", {"reference": "re_1", "amount": 700}),
]


@pytest.mark.parametrize(("verb", "body"), VERBS)
def test_a_repeat_gets_the_same_bytes_and_does_nothing(psp: Psp, verb: str, body: Any) -> None:
    charge = made(psp, capture=verb == "refunds")
    call = change_call(charge["id"], verb, body)
    first = ask(psp, call)
    after = shown(psp, charge["id"])
    again = ask(psp, call, NOW_MS + 5)
    assert first
    assert again
    assert (first.status, first.replayed) == (200, False)
    assert (again.status, again.body, again.replayed) == (200, first.body, True)
    assert shown(psp, charge["id"]) == after
    assert len(psp.books.refunds.all) == (1 if verb == "refunds" else 0)


@pytest.mark.parametrize(("verb", "body"), VERBS)
def test_a_definitive_refusal_is_repeated_too(psp: Psp, verb: str, body: Any) -> None:
    charge = made(psp, DECLINES)
    call = change_call(charge["id"], verb, body)
    first, again = ask(psp, call), ask(psp, call)
    assert first
    assert again
    assert (first.status, again.status, again.body, again.replayed) == (409, 409, first.body, True)


@pytest.mark.parametrize(("verb", "body"), VERBS)
def test_the_same_key_for_something_else_is_refused(psp: Psp, verb: str, body: Any) -> None:
    one, other = made(psp, capture=verb == "refunds"), held(psp, reference="at_2")
    answered(psp, change_call(one["id"], verb, body))
    for call in (
        change_call(one["id"], verb, body | {"note": 1}),
        change_call(other["id"], verb, body),
        change_call(other["id"], "capture" if verb != "capture" else "release", body),
    ):
        assert refusal(psp, call) == (409, "idempotency_key_reused")
    assert shown(psp, other["id"]) == other


@pytest.mark.parametrize(("verb", "body"), VERBS)
def test_a_key_and_a_merchant_are_required(psp: Psp, verb: str, body: Any) -> None:
    charge = made(psp, capture=verb == "refunds")
    assert refusal(psp, change_call(charge["id"], verb, body, key="")) == (400, "idempotency_key_missing")
    assert refusal(psp, change_call(charge["id"], verb, body, merchant=" ")) == (401, "unauthorised")
    assert refusal(psp, change_call(charge["id"], verb, body, merchant="them")) == (404, "not_found")
    assert refusal(psp, change_call("ch_9", verb, body)) == (404, "not_found")
    assert answered(psp, change_call(charge["id"], verb, body))[0] == 200


@pytest.mark.parametrize("verb", ["capture", "refunds"])
@pytest.mark.parametrize("amount", [0, -1, "700", 7.5, None, True, 10**12 + 1])
def test_bad_amounts_are_refused_and_their_key_stays_free(psp: Psp, verb: str, amount: Any) -> None:
    charge = made(psp, capture=verb == "refunds")
    call = change_call(charge["id"], verb, {"reference": "re_1", "amount": amount})
    assert refusal(psp, call) == (400, "invalid_request")
    assert answered(psp, change_call(charge["id"], verb, {"reference": "re_1", "amount": 700}))[0] == 200


@pytest.mark.parametrize("path", ["/v1/charges/ch_1/burn", "/v1/charges/ch_1/capture/now"])
def test_there_is_nothing_else_to_be_done_to_a_charge(psp: Psp, path: str) -> None:
    call = msgspec.structs.replace(change_call("ch_1", "capture"), path=path)
    assert refusal(psp, call) == (405, "method_not_allowed")
