"""3-D Secure: asked for, approved, refused, too late, given up; and the cards that are charged without the shopper."""

from typing import Any

import pytest

from paydesk_sandbox.psp.charges import origin_of
from paydesk_sandbox.psp.rules import Psp
from paydesk_sandbox.psp.terms import Terms
from paydesk_sandbox.psp.totals import Totals
from tests.sandbox.asking import NOW_MS, PAYS, answered, charge_body, charge_call, made, refusal, shown

APPROVES, DISAPPOINTS = "4000000000003220", "4000008400001629"


@pytest.fixture
def psp() -> Psp:
    return Psp(salt=b"challenges", terms=Terms(origin="http://bank.example", challenge_ms=1000))


def challenged(psp: Psp, number: str = APPROVES, **fields: Any) -> tuple[Any, str]:
    """A charge, and the id of its challenge."""
    charge = made(psp, number, challenge="allow", **fields)
    assert charge["status"] == "challenge"
    return charge, charge["challenge"]["url"].removeprefix("http://bank.example/bank/")


def by_token(psp: Psp, token: str, key: str = "by-token", merchant: str = "psp_key", **fields: Any) -> tuple[int, Any]:
    body = charge_body(reference="at_2", **fields).decode()
    as_token = body.partition('"card"')[0] + f'"token": "{token}", "challenge": "allow"}}'
    return answered(psp, charge_call(as_token.encode(), key, merchant))


@pytest.mark.parametrize("number", [APPROVES, DISAPPOINTS])
def test_nothing_is_held_until_the_shopper_answered(psp: Psp, number: str) -> None:
    charge, challenge = challenged(psp, number)
    assert charge["challenge"] == {"url": f"http://bank.example/bank/{challenge}", "expires_ms": NOW_MS + 1000}
    assert (charge["amount_captured"], charge["decline_code"]) == (0, None)
    assert psp.books.totals["usd"] == Totals(challenged=1)
    assert psp.books.charged_twice() == []


@pytest.mark.parametrize("number", [APPROVES, DISAPPOINTS])
@pytest.mark.parametrize("fields", [{}, {"challenge": "never"}])
def test_where_nobody_may_be_asked_it_is_declined(psp: Psp, number: str, fields: Any) -> None:
    status, charge = answered(psp, charge_call(charge_body(number, **fields)))
    assert (status, charge["decline_code"]) == (402, "authentication_required")


def test_a_card_that_needs_no_challenge_gets_none(psp: Psp) -> None:
    assert made(psp, challenge="allow")["status"] == "captured"
    assert made(psp, APPROVES, key="bad", challenge="allow", card={"exp_month": 13})["status"] == "declined"


@pytest.mark.parametrize(
    ("number", "approved", "capture", "status", "taken", "code"),
    [
        (APPROVES, True, True, "captured", 1999, None),
        (APPROVES, True, False, "authorised", 0, None),
        (APPROVES, False, True, "declined", 0, "authentication_failed"),
        (DISAPPOINTS, True, True, "declined", 0, "generic_decline"),
        (DISAPPOINTS, True, False, "declined", 0, "generic_decline"),
        (DISAPPOINTS, False, True, "declined", 0, "authentication_failed"),
    ],
)
def test_the_shopper_s_answer(
    psp: Psp, *, number: str, approved: bool, capture: bool, status: str, taken: int, code: str | None
) -> None:
    charge, challenge = challenged(psp, number, capture=capture)
    psp.answer_challenge(challenge, approved=approved, now_ms=NOW_MS + 999)
    ends = {"status": status, "amount_captured": taken, "decline_code": code, "challenge": None}
    assert shown(psp, charge["id"]) == charge | ends


@pytest.mark.parametrize("first", [True, False])
def test_the_first_answer_counts(psp: Psp, first: bool) -> None:
    charge, challenge = challenged(psp)
    psp.answer_challenge(challenge, approved=first, now_ms=NOW_MS)
    after = shown(psp, charge["id"])
    psp.answer_challenge(challenge, approved=not first, now_ms=NOW_MS)
    psp.answer_challenge(challenge, approved=first, now_ms=NOW_MS)
    assert shown(psp, charge["id"]) == after
    assert psp.books.totals["usd"].captured_minor == (1999 if first else 0)


def test_too_late_is_released_when_next_looked_at(psp: Psp) -> None:
    charge, challenge = challenged(psp)
    assert psp.next_ms == NOW_MS + 1000
    psp.answer_challenge(challenge, approved=True, now_ms=NOW_MS + 1000)
    assert shown(psp, charge["id"]) == charge | {"status": "released", "challenge": None}
    assert psp.due(NOW_MS + 1000) == []
    assert psp.books.totals["usd"] == Totals(released=1)


def test_what_nobody_answered_ends_when_it_is_due(psp: Psp) -> None:
    charge, _ = challenged(psp)
    assert psp.due(NOW_MS + 999) == []
    assert [happened.about for happened in psp.due(NOW_MS + 1000)] == [charge["id"]]


def test_an_authorisation_outlives_its_challenge(psp: Psp) -> None:
    charge, challenge = challenged(psp, capture=False)
    psp.answer_challenge(challenge, approved=True, now_ms=NOW_MS + 500)
    assert psp.due(NOW_MS + 1000) == []
    assert shown(psp, charge["id"], NOW_MS + 1000)["status"] == "authorised"
    (happened,) = psp.due(NOW_MS + 500 + psp.books.terms.authorised_ms)
    assert happened.about == charge["id"]


def test_a_repeat_of_the_request_gets_the_same_bytes_though_it_is_answered_now(psp: Psp) -> None:
    charge, challenge = challenged(psp)
    psp.answer_challenge(challenge, approved=True, now_ms=NOW_MS)
    assert made(psp, APPROVES, challenge="allow") == charge


def test_nobody_answers_what_is_not_there(psp: Psp) -> None:
    assert psp.at_the_bank("chl_9", NOW_MS) is None
    assert psp.answer_challenge("chl_9", approved=True, now_ms=NOW_MS) is None


@pytest.mark.parametrize("capture", [True, False])
def test_a_saved_card_is_charged_again_without_its_code(psp: Psp, capture: bool) -> None:
    token = made(psp, save=True, capture=capture)["token"]
    assert token.startswith("tok_")
    status, charge = by_token(psp, token)
    assert (status, charge["status"], charge["token"]) == (200, "captured", None)
    entry = psp.books.entries[charge["id"]]
    assert (entry.brand, entry.last4) == ("visa", "4242")


def test_no_token_unless_asked_for_and_none_of_a_declined_card(psp: Psp) -> None:
    assert made(psp)["token"] is None
    assert made(psp, "4000000000000002", key="declined", save=True)["token"] is None
    assert psp.books.tokens == {}


def test_a_saved_card_expires_too(psp: Psp) -> None:
    token = made(psp, save=True, card={"exp_month": 11, "exp_year": 2023})["token"]
    body = f'{{"reference":"at_2","amount":5,"currency":"usd","token":"{token}"}}'.encode()
    month_ms = 31 * 24 * 3600 * 1000
    status, charge = answered(psp, charge_call(body, "late"), NOW_MS + month_ms)
    assert (status, charge["decline_code"]) == (402, "expired_card")


def test_by_token_nobody_is_there_to_be_challenged(psp: Psp) -> None:
    charge, challenge = challenged(psp, save=True)
    psp.answer_challenge(challenge, approved=True, now_ms=NOW_MS)
    assert shown(psp, charge["id"])["token"] == charge["token"]
    status, again = by_token(psp, charge["token"])
    assert (status, again["decline_code"]) == (402, "authentication_required")


@pytest.mark.parametrize("end", ["refused", "late"])
def test_a_card_whose_shopper_did_not_confirm_it_stays_saved_for_nobody(psp: Psp, end: str) -> None:
    charge, challenge = challenged(psp, save=True)
    at_ms = NOW_MS if end == "refused" else NOW_MS + 1000
    psp.answer_challenge(challenge, approved=False, now_ms=at_ms)
    assert shown(psp, charge["id"])["token"] is None
    assert psp.books.tokens == {}


def test_a_token_is_one_merchant_s_alone(psp: Psp) -> None:
    token = made(psp, save=True)["token"]
    for merchant, said in (("them", token), ("psp_key", "tok_9")):
        status, charge = by_token(psp, said, merchant=merchant)
        assert (status, charge["decline_code"], charge["amount_captured"]) == (402, "invalid_token", 0)


def test_a_saved_card_of_the_sandbox_misbehaves_as_the_card_does(psp: Psp) -> None:
    token = made(psp, "4000009900000103", save=True)["token"]
    body = f'{{"reference":"at_2","amount":5,"currency":"usd","token":"{token}"}}'.encode()
    assert psp.meet(charge_call(body, "late"), NOW_MS).end_after_ms == 3000


@pytest.mark.parametrize(
    "fields",
    [
        {"token": "tok_1"},
        {"card": None},
        {"challenge": "always"},
        {"return_url": "javascript:alert(1)"},
        {"return_url": "/back"},
        {"save": "yes"},
    ],
)
def test_bad_fields_are_refused(psp: Psp, fields: dict[str, Any]) -> None:
    body = charge_body(**fields) if "card" not in fields else charge_body().replace(b'"card"', b'"other"')
    assert refusal(psp, charge_call(body)) == (400, "invalid_request")
    assert made(psp, PAYS)["status"] == "captured"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://shop.example/back?a=1#b", "https://shop.example"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("https://shop.example; script-src *", None),
        ("https://shop.example;script-src/", None),
        ("https://user@shop.example/", None),
        ("https://*/", None),
        ("https://shop.example/\r\nset-cookie: a=b", None),
        ("https://[::1/", None),
        ("data:text/html,hello", None),
        ("//shop.example/", None),
        ("https:///back", None),
        ("", None),
    ],
)
def test_where_a_shopper_may_be_sent(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin
