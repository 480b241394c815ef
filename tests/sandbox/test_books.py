"""The books as the judge: under random operations the totals are the sums of what stands in them."""

from collections import Counter
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from paydesk_sandbox.psp.disputes import CloseOrder, DisputeOrder
from paydesk_sandbox.psp.faults import Fault
from paydesk_sandbox.psp.notices import NoticeEndpoint
from paydesk_sandbox.psp.rules import Psp
from paydesk_sandbox.psp.showing import books_shown
from paydesk_sandbox.psp.terms import Terms
from paydesk_sandbox.psp.totals import Totals, add_up
from tests.sandbox.asking import NOW_MS, ask, change_call, charge_body, charge_call

NUMBERS = [
    "4242424242424242",
    "4000000000000002",
    "4000000000003220",
    "4000008400001629",
    "4000000000000259",
    "4000009900000202",
    "4000009900000210",
    "4000009900000228",
]
KEYS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
AMOUNTS = st.integers(1, 30)
WHICH = st.integers(0, 9)
OPERATIONS = st.one_of(
    st.tuples(st.just("charge"), KEYS, st.sampled_from(NUMBERS), AMOUNTS, st.booleans(), st.sampled_from("ue")),
    st.tuples(st.sampled_from(["capture", "refunds"]), WHICH, KEYS, AMOUNTS),
    st.tuples(st.just("release"), WHICH, KEYS),
    st.tuples(st.just("bank"), WHICH, st.booleans()),
    st.tuples(st.just("dispute"), WHICH, st.none() | AMOUNTS),
    st.tuples(st.just("close"), WHICH, st.sampled_from(["won", "lost"])),
    st.tuples(st.just("fail"), WHICH),
    st.tuples(st.just("expire"), WHICH),
    st.tuples(st.just("time"), st.integers(1, 60)),
    st.tuples(st.just("fault"), st.sampled_from(["forget_keys", "lost_after", "status_after", "lost_before"])),
)


class Playing:
    """Does operations to a PSP whose times are short."""

    def __init__(self) -> None:
        endpoint = NoticeEndpoint(url="http://pay.example/", secret="s")
        terms = Terms(challenge_ms=40, authorised_ms=80, later_ms=20)
        self.psp = Psp(salt=b"random", terms=terms, notices=endpoint)
        self.now_ms = NOW_MS

    def do(self, operation: tuple[Any, ...]) -> None:
        verb, *rest = operation
        getattr(self, verb)(*rest)

    def charge(self, key: str, number: str, amount: int, capture: bool, currency: str) -> None:
        fields = {"amount": amount, "capture": capture, "currency": f"{currency}sd", "challenge": "allow"}
        self.ask(charge_call(charge_body(number, reference=f"at_{key}", **fields), key))

    def capture(self, which: int, key: str, amount: int) -> None:
        self.change(which, "capture", {"amount": amount}, key)

    def refunds(self, which: int, key: str, amount: int) -> None:
        self.change(which, "refunds", {"amount": amount, "reference": f"re_{key}"}, key)

    def release(self, which: int, key: str) -> None:
        self.change(which, "release", {}, key)

    def bank(self, which: int, approved: bool) -> None:
        for challenge in self.one(self.psp.books.challenges, which):
            self.psp.answer_challenge(challenge, approved=approved, now_ms=self.now_ms)

    def dispute(self, which: int, amount: int | None) -> None:
        for charge in self.one(self.psp.books.entries, which):
            self.psp.dispute(charge, DisputeOrder(amount=amount), self.now_ms)

    def close(self, which: int, status: Any) -> None:
        for dispute in self.one(self.psp.books.disputes.all, which):
            self.psp.close_dispute(dispute, CloseOrder(status=status), self.now_ms)

    def fail(self, which: int) -> None:
        for refund in self.one(self.psp.books.refunds.all, which):
            self.psp.fail_refund(refund, self.now_ms)

    def expire(self, which: int) -> None:
        for charge in self.one(self.psp.books.entries, which):
            self.psp.expire(charge, self.now_ms)

    def time(self, passed_ms: int) -> None:
        self.now_ms += passed_ms
        self.psp.due(self.now_ms)

    def fault(self, kind: Any) -> None:
        self.psp.order(Fault(fault=kind, on="any"))

    def change(self, which: int, verb: str, body: Any, key: str) -> None:
        for charge in self.one(self.psp.books.entries, which):
            self.ask(change_call(charge, verb, body, key=f"{verb}-{key}"))

    def ask(self, call: Any) -> None:
        ask(self.psp, call, self.now_ms)

    def one(self, things: dict[str, Any], which: int) -> list[str]:
        return list(things)[which : which + 1]


def everything(psp: Psp) -> list[Any]:
    books = psp.books
    return [
        *(entry.charge for entry in books.entries.values()),
        *(entry.refund for entry in books.refunds.all.values()),
        *(entry.dispute for entry in books.disputes.all.values()),
    ]


@settings(max_examples=300, deadline=None)
@given(st.lists(OPERATIONS, max_size=60))
def test_under_random_operations(operations: list[tuple[Any, ...]]) -> None:
    playing = Playing()
    told: dict[str, Any] = {}
    for operation in operations:
        playing.do(operation)
        for notice in playing.psp.notices.take(playing.now_ms):
            thing = msgspec.json.decode(notice.body)["object"]
            assert told.get(thing["id"]) != thing, "nothing had changed"
            told[thing["id"]] = thing
    the_totals_are_the_sums(playing.psp)
    the_rules_were_kept(playing.psp)
    assert told == {thing.id: msgspec.to_builtins(thing) for thing in everything(playing.psp)}


def the_totals_are_the_sums(psp: Psp) -> None:
    counted: dict[str, Totals] = {}
    for thing in everything(psp):
        add_up(counted.setdefault(thing.currency, Totals()), thing)
    assert psp.books.totals == counted
    for currency, totals in counted.items():
        mine = [thing for thing in everything(psp) if thing.currency == currency]
        charges = [thing for thing in mine if thing.object == "charge"]
        refunded = [thing.amount for thing in mine if thing.object == "refund" and thing.status == "succeeded"]
        lost = [thing.amount for thing in mine if thing.object == "dispute" and thing.status == "lost"]
        assert totals.captured_minor == sum(charge.amount_captured for charge in charges)
        assert totals.authorised_minor == sum(charge.amount for charge in charges if charge.status == "authorised")
        assert (totals.refunded_minor, totals.refunds) == (sum(refunded), len(refunded))
        assert (totals.disputes_lost_minor, totals.disputes_lost) == (sum(lost), len(lost))
        kinds = (totals.charges, totals.authorised, totals.declined, totals.released, totals.challenged)
        assert sum(kinds) == len(charges)


def the_rules_were_kept(psp: Psp) -> None:
    books = psp.books
    assert books.refunded_beyond_captured() == []
    back: Counter[str] = Counter()
    for entry in books.refunds.all.values():
        back[entry.refund.charge] += entry.refund.amount * (entry.refund.status != "failed")
    for entry in books.entries.values():
        charge = entry.charge
        assert charge.amount_refunded == back[charge.id] <= charge.amount_captured <= charge.amount
        assert (charge.amount_captured > 0) == (charge.status == "captured")
        assert (charge.decline_code is not None) == (charge.status == "declined")
        assert (charge.challenge is not None) == (charge.status == "challenge")
        assert books.disputed_minor(entry) <= charge.amount_captured
    charges = [entry.charge for entry in books.entries.values()]
    held = Counter(charge.reference for charge in charges if charge.status in ("captured", "authorised"))
    assert sorted(books.charged_twice()) == sorted(reference for reference, times in held.items() if times > 1)


def test_the_books_of_one_reference() -> None:
    playing = Playing()
    playing.charge("a", NUMBERS[0], 30, True, "u")
    playing.charge("b", NUMBERS[0], 30, True, "e")
    playing.refunds(0, "r", 10)
    playing.dispute(1, None)
    whole, one, refund = (books_shown(playing.psp, reference) for reference in (None, "at_a", "re_r"))
    assert [len(whole[what]) for what in ("charges", "refunds", "disputes", "notices")] == [2, 1, 1, 5]
    assert [len(one[what]) for what in ("charges", "refunds", "disputes", "notices")] == [1, 1, 0, 3]
    assert [len(refund[what]) for what in ("charges", "refunds", "disputes", "notices")] == [0, 1, 0, 1]
    assert whole["totals"] == one["totals"] == refund["totals"]
    assert (whole["charged_twice"], whole["refunded_twice"], whole["refunded_beyond_captured"]) == ([], [], [])
