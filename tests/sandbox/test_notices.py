"""Notices in memory: what is told, when, how it is signed, and everything that can be made to go wrong with one."""

import hmac
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from paydesk_sandbox.psp.disputes import CloseOrder, DisputeOrder
from paydesk_sandbox.psp.faults import AS_USUAL, OF_NOTICES, Fault, Plan
from paydesk_sandbox.psp.notices import BEHIND_MS, LATE_MS, RECORDS_MAX, RETRY_AFTER_MS, Notice, NoticeEndpoint
from paydesk_sandbox.psp.rules import AFTER_ANSWER_MS, Call, Psp
from paydesk_sandbox.psp.terms import Terms
from tests.sandbox.asking import NOW_MS, answered, ask, change_call, charge_body, charge_call, held, made, refusal

URL, SECRET = "https://pay.example/psp/sandbox/notices", "nsec_1"


@pytest.fixture
def psp() -> Psp:
    """One that tells everybody's changes to one address."""
    return Psp(salt=b"notices", notices=NoticeEndpoint(url=URL, secret=SECRET))


def endpoint_call(body: Any, merchant: str = "psp_key", method: str = "POST") -> Call:
    said = json.dumps(body).encode()
    return Call(method=method, path="/v1/notice_endpoint", authorisation=f"Bearer {merchant}", body=said)


def said(notice: Notice) -> Any:
    return json.loads(notice.body)


def types(notices: Sequence[Notice]) -> list[tuple[str, str]]:
    """What each is about, and how that stands."""
    return [(said(notice)["type"], said(notice)["object"]["status"]) for notice in notices]


def true(notice: Notice, secret: str = SECRET) -> bool:
    """Whether its signature is the endpoint's, of the moment at which it is to be sent."""
    seconds, signature = (part.partition("=")[2] for part in dict(notice.headers)["psp-signature"].split(","))
    expected = hmac.new(secret.encode(), seconds.encode() + b"." + notice.body, "sha256").hexdigest()
    return signature == expected and int(seconds) == notice.not_before_ms // 1000


def test_a_charge_is_told_with_the_object_as_it_was_answered(psp: Psp) -> None:
    charge = made(psp)
    (notice,) = psp.notices.take(NOW_MS)
    body = said(notice)
    assert body.pop("id").startswith("ntc_")
    assert body == {"type": "charge.updated", "created_ms": NOW_MS, "object": charge}
    assert (notice.url, dict(notice.headers)["content-type"]) == (URL, "application/json")
    assert true(notice)
    assert notice.not_before_ms == NOW_MS + AFTER_ANSWER_MS
    assert psp.notices.take(NOW_MS) == []


def test_every_change_is_told(psp: Psp) -> None:
    charge = held(psp)
    answered(psp, change_call(charge["id"], "capture", {"amount": 1999}, key="capture"))
    _, refund = answered(psp, change_call(charge["id"], "refunds", {"reference": "re_1", "amount": 5}, key="refund"))
    psp.fail_refund(refund["id"], NOW_MS)
    psp.dispute(charge["id"], DisputeOrder(), NOW_MS)
    psp.close_dispute(next(iter(psp.books.disputes.all)), CloseOrder(status="lost"), NOW_MS)
    assert types(psp.notices.take(NOW_MS)) == [
        ("charge.updated", "authorised"),
        ("charge.updated", "captured"),
        ("refund.updated", "succeeded"),
        ("charge.updated", "captured"),
        ("refund.updated", "failed"),
        ("charge.updated", "captured"),
        ("dispute.updated", "needs_response"),
        ("dispute.updated", "lost"),
    ]


def test_what_changes_nothing_is_not_told(psp: Psp) -> None:
    charge = held(psp)
    call = change_call(charge["id"], "release", key="release")
    answered(psp, call)
    psp.notices.take(NOW_MS)
    answered(psp, call)
    answered(psp, change_call(charge["id"], "release", key="other"))
    answered(psp, change_call(charge["id"], "capture", {"amount": 1}, key="capture"))
    psp.expire(charge["id"], NOW_MS)
    assert psp.notices.take(NOW_MS) == []


def test_what_happens_by_itself_is_told() -> None:
    psp = Psp(terms=Terms(authorised_ms=10), notices=NoticeEndpoint(url=URL, secret=SECRET))
    held(psp)
    psp.notices.take(NOW_MS)
    assert psp.next_ms == NOW_MS + 10
    psp.due(NOW_MS + 10)
    (notice,) = psp.notices.take(NOW_MS + 10)
    assert (types([notice]), notice.not_before_ms) == ([("charge.updated", "released")], NOW_MS + 10)


def test_a_merchant_is_told_at_its_own_address(psp: Psp) -> None:
    mine = {"url": "http://127.0.0.1:8080/mine", "secret": "nsec_mine"}
    assert answered(psp, endpoint_call(mine, "me")) == (200, {"object": "notice_endpoint", "url": mine["url"]})
    for merchant in ("me", "them"):
        answered(psp, charge_call(charge_body(), merchant=merchant))
    to_me, to_them = psp.notices.take(NOW_MS)
    assert (to_me.url, to_them.url) == (mine["url"], URL)
    assert true(to_me, "nsec_mine")
    assert true(to_them)


def test_who_named_no_address_is_not_told() -> None:
    psp = Psp()
    made(psp)
    assert psp.notices.take(NOW_MS) == []
    assert psp.next_ms is None
    assert not psp.notices.records


@pytest.mark.parametrize(
    "body",
    [
        {"url": "ftp://pay.example/", "secret": "s"},
        {"url": "/notices", "secret": "s"},
        {"url": URL, "secret": ""},
        {"url": URL},
        {"secret": "s"},
        [],
    ],
)
def test_a_bad_address_is_refused(psp: Psp, body: Any) -> None:
    assert refusal(psp, endpoint_call(body)) == (400, "invalid_request")


def test_an_address_is_only_named(psp: Psp) -> None:
    assert refusal(psp, endpoint_call({}, method="GET")) == (405, "method_not_allowed")
    assert refusal(psp, endpoint_call({}, merchant=" ")) == (401, "unauthorised")


def test_what_was_not_heard_comes_again_five_times_in_all(psp: Psp) -> None:
    made(psp)
    (notice,) = psp.notices.take(NOW_MS)
    at_ms, waited = notice.not_before_ms, list[int]()
    for _ in RETRY_AFTER_MS:
        psp.notices.heard(notice, False, at_ms)
        assert psp.next_ms == at_ms + RETRY_AFTER_MS[len(waited)]
        (again,) = psp.notices.take(at_ms)
        assert (again.body, again.tries, true(again)) == (notice.body, notice.tries + 1, True)
        waited.append(again.not_before_ms - at_ms)
        notice, at_ms = again, again.not_before_ms
    assert waited == [1_000, 5_000, 30_000, 300_000]
    psp.notices.heard(notice, False, at_ms)
    assert psp.notices.take(at_ms) == []
    (record,) = psp.notices.records.values()
    assert (record.state, record.tries) == ("given_up", 5)


def test_with_a_pause_of_its_own_it_comes_until_it_is_heard() -> None:
    psp = Psp(terms=Terms(notice_again_ms=700), notices=NoticeEndpoint(url=URL, secret=SECRET))
    made(psp)
    (notice,) = psp.notices.take(NOW_MS)
    for _ in range(20):
        psp.notices.heard(notice, False, NOW_MS)
        (notice,) = psp.notices.take(NOW_MS)
        assert notice.not_before_ms == NOW_MS + 700
    psp.notices.heard(notice, True, NOW_MS)
    assert psp.notices.take(NOW_MS) == []
    (record,) = psp.notices.records.values()
    assert (record.state, record.tries) == ("taken", 21)


def test_what_was_heard_does_not_come_again(psp: Psp) -> None:
    made(psp)
    (notice,) = psp.notices.take(NOW_MS)
    psp.notices.heard(notice, True, NOW_MS)
    assert psp.notices.take(NOW_MS) == []
    (record,) = psp.notices.records.values()
    assert (record.state, record.tries, record.fault) == ("taken", 1, None)


def test_a_retry_goes_where_the_merchant_is_now(psp: Psp) -> None:
    made(psp)
    (notice,) = psp.notices.take(NOW_MS)
    answered(psp, endpoint_call({"url": "https://new.example/", "secret": "nsec_new"}))
    psp.notices.heard(notice, False, NOW_MS)
    (again,) = psp.notices.take(NOW_MS)
    assert again.url == "https://new.example/"
    assert true(again, "nsec_new")


@pytest.mark.parametrize(
    ("fault", "after_ms"),
    [
        (None, AFTER_ANSWER_MS),
        (Fault(fault="late", delay_ms=700), 700 + AFTER_ANSWER_MS),
        (Fault(fault="lost_after"), AFTER_ANSWER_MS),
        (Fault(fault="status_after"), AFTER_ANSWER_MS),
        (Fault(fault="notice_early"), 0),
    ],
    ids=str,
)
def test_it_is_told_after_the_answer_unless_that_goes_wrong(psp: Psp, fault: Fault | None, after_ms: int) -> None:
    if fault:
        psp.order(fault)
    ask(psp, charge_call(charge_body()))
    (notice,) = psp.notices.take(NOW_MS)
    assert notice.not_before_ms == NOW_MS + after_ms


@pytest.mark.parametrize("on", ["charges", "captures", "releases", "refunds"])
def test_early_the_answer_waits_until_it_was_told(psp: Psp, on: Any) -> None:
    calls = {"charges": charge_call(charge_body(reference="at_2"), "charge")}
    charge = made(psp, capture=on == "refunds")
    calls["captures"] = change_call(charge["id"], "capture", {"amount": 1})
    calls["releases"] = change_call(charge["id"], "release")
    calls["refunds"] = change_call(charge["id"], "refunds", {"reference": "re_1", "amount": 1})
    psp.notices.take(NOW_MS)
    psp.order(Fault(fault="notice_early", on=on, delay_ms=250))
    handling = psp.meet(calls[on], NOW_MS)
    assert (handling.tells_first, handling.end_after_ms) == (True, 250)
    answer = psp.act(calls[on], handling, NOW_MS)
    assert answer
    assert answer.status == 200
    assert {notice.not_before_ms for notice in psp.notices.take(NOW_MS)} == {NOW_MS}


def with_fault(psp: Psp, fault: str, **more: Any) -> list[Notice]:
    psp.order(Fault(fault=fault, **more))  # type: ignore[arg-type]
    made(psp)
    return psp.notices.take(NOW_MS)


def test_twice(psp: Psp) -> None:
    one, other = with_fault(psp, "notice_twice")
    assert (one.body, one.headers) == (other.body, other.headers)
    assert one.number != other.number
    psp.notices.heard(one, True, NOW_MS)
    psp.notices.heard(other, False, NOW_MS)
    assert [notice.number for notice in psp.notices.take(NOW_MS)] == [other.number]


@pytest.mark.parametrize(("more", "late_ms"), [({}, LATE_MS), ({"delay_ms": 70}, 70)])
def test_late(psp: Psp, more: Any, late_ms: int) -> None:
    (notice,) = with_fault(psp, "notice_late", **more)
    assert notice.not_before_ms == NOW_MS + AFTER_ANSWER_MS + late_ms
    assert true(notice)


def test_lost(psp: Psp) -> None:
    assert with_fault(psp, "notice_lost") == []
    assert psp.next_ms is None
    (record,) = psp.notices.records.values()
    assert (record.state, record.fault) == ("lost", "lost")


def test_reordered_comes_after_the_next_one(psp: Psp) -> None:
    assert with_fault(psp, "notice_reordered") == []
    made(psp, key="next", now_ms=NOW_MS + 500, reference="at_2")
    following, behind = psp.notices.take(NOW_MS + 500)
    assert [said(notice)["object"]["reference"] for notice in (following, behind)] == ["at_2", "at_1"]
    assert behind.not_before_ms == following.not_before_ms + BEHIND_MS
    assert true(behind)


def test_another_merchant_s_is_no_next_one(psp: Psp) -> None:
    assert with_fault(psp, "notice_reordered") == []
    answered(psp, charge_call(charge_body(), merchant="them"))
    assert len(psp.notices.take(NOW_MS)) == 1


@pytest.mark.parametrize(("more", "held_ms"), [({}, 60_000), ({"delay_ms": 70}, 70)])
def test_reordered_comes_in_the_end_where_nothing_else_does(psp: Psp, more: Any, held_ms: int) -> None:
    assert with_fault(psp, "notice_reordered", **more) == []
    assert psp.next_ms == NOW_MS + held_ms
    assert psp.notices.take(NOW_MS + held_ms - 1) == []
    (notice,) = psp.notices.take(NOW_MS + held_ms)
    assert notice.not_before_ms == NOW_MS + held_ms
    assert true(notice)


def test_forged_comes_before_the_true_one_with_its_id_and_is_not_sent_again(psp: Psp) -> None:
    forged, honest = with_fault(psp, "notice_forged")
    assert not true(forged)
    assert true(honest)
    assert said(forged)["id"] == said(honest)["id"]
    assert types([forged, honest]) == [("charge.updated", "declined"), ("charge.updated", "captured")]
    psp.notices.heard(forged, False, NOW_MS)
    assert psp.notices.take(NOW_MS) == []
    assert [record.fault for record in psp.notices.records.values()] == [None, "forged"]
    assert [record.state for record in psp.notices.records.values()] == ["waiting", "given_up"]


def test_unknown_is_about_what_the_books_do_not_know(psp: Psp) -> None:
    unknown, honest = with_fault(psp, "notice_unknown")
    assert true(unknown)
    assert true(honest)
    invented = said(unknown)["object"]
    assert invented["id"].startswith("ch_")
    assert invented["id"] not in psp.books.entries
    assert answered(psp, Call(method="GET", path="/v1/charges", authorisation="Bearer psp_key"))[1]["data"] == [
        said(honest)["object"]
    ]
    psp.notices.heard(unknown, False, NOW_MS)
    assert len(psp.notices.take(NOW_MS)) == 1


@pytest.mark.parametrize("fault", sorted(OF_NOTICES))
def test_each_is_ordered_by_what_it_is_about_and_leaves_arrivals_alone(psp: Psp, fault: Any) -> None:
    charge = made(psp)
    psp.notices.take(NOW_MS)
    psp.order(Fault(fault=fault, on="disputes"))
    call = change_call(charge["id"], "refunds", {"reference": "re_1", "amount": 5})
    assert psp.meet(call, NOW_MS) == AS_USUAL
    psp.act(call, AS_USUAL, NOW_MS)
    assert types(psp.notices.take(NOW_MS)) == [("refund.updated", "succeeded"), ("charge.updated", "captured")]
    assert psp.faults.hits == {}
    psp.dispute(charge["id"], DisputeOrder(), NOW_MS)
    assert psp.faults.hits == {fault: 1}
    assert psp.faults.orders == []


@pytest.mark.parametrize("fault", ["forged", "unknown"])
def test_refunds_and_disputes_are_made_up_too(psp: Psp, fault: str) -> None:
    charge = made(psp)
    answered(psp, change_call(charge["id"], "refunds", {"reference": "re_1", "amount": 5}))
    psp.dispute(charge["id"], DisputeOrder(), NOW_MS)
    psp.notices.take(NOW_MS)
    psp.order(Fault(fault=f"notice_{fault}", times=2, on="any"))  # type: ignore[arg-type]
    (refund,), (dispute,) = psp.books.refunds.all, psp.books.disputes.all
    psp.close_dispute(dispute, CloseOrder(status="won"), NOW_MS)
    psp.fail_refund(refund, NOW_MS)
    notices = psp.notices.take(NOW_MS)
    assert [kind for kind, _ in types(notices)] == ["dispute.updated"] * 2 + ["refund.updated"] * 2 + ["charge.updated"]
    made_up, honest = said(notices[0])["object"], said(notices[1])["object"]
    assert (made_up["status"] != honest["status"]) == (fault == "forged")
    assert (made_up["id"] != honest["id"]) == (fault == "unknown")


def test_a_plan_draws_notices_apart_from_arrivals() -> None:
    def met(rates: dict[Any, float]) -> tuple[list[bool], set[str | None]]:
        psp = Psp(notices=NoticeEndpoint(url=URL, secret=SECRET))
        psp.faults.follow(Plan(seed=3, rates=rates))
        calls = [charge_call(charge_body(), f"key-{number}") for number in range(300)]
        handlings = [psp.meet(call, NOW_MS) for call in calls]
        for call in calls:
            psp.act(call, AS_USUAL, NOW_MS)
        return [handling != AS_USUAL for handling in handlings], {r.fault for r in psp.notices.records.values()}

    arrivals, none = met({"late": 0.3})
    kinds = dict.fromkeys(sorted(OF_NOTICES), 0.15)
    same_arrivals, all_kinds = met({"late": 0.3, **kinds})
    assert arrivals == same_arrivals
    assert any(arrivals)
    assert none == {None}
    assert all_kinds == {None, *(kind.removeprefix("notice_") for kind in OF_NOTICES)}


def test_rates_of_notices_are_a_sum_of_their_own() -> None:
    Plan(seed=1, rates={"late": 0.6, "notice_late": 0.6})
    with pytest.raises(ValueError):
        Plan(seed=1, rates={"notice_lost": 0.6, "notice_late": 0.6})


def test_of_many_notices_the_latest_are_remembered(psp: Psp) -> None:
    made(psp)
    (first,) = psp.notices.take(NOW_MS)
    for number in range(RECORDS_MAX):
        made(psp, key=f"key-{number}", reference=f"at_{number}")
    assert len(psp.notices.records) == RECORDS_MAX
    assert first.number not in psp.notices.records
    psp.notices.heard(first, False, NOW_MS)  # and the oldest still comes again
    assert psp.notices.take(NOW_MS)[-1].tries == 2


def test_the_same_requests_give_the_same_notices() -> None:
    def run() -> list[bytes]:
        psp = Psp(salt=b"seed", notices=NoticeEndpoint(url=URL, secret=SECRET))
        psp.faults.follow(Plan(seed=1, rates=dict.fromkeys(sorted(OF_NOTICES), 0.1)))  # type: ignore[arg-type]
        for number in range(40):
            made(psp, key=f"key-{number}", reference=f"at_{number}")
        return [msgspec.json.encode(notice) for notice in psp.notices.take(NOW_MS)]

    assert run() == run()
