"""Whatever a bank does, in whatever order it is heard: the books add up, and nothing is posted twice or turned back."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from msgspec import Struct
from msgspec.structs import replace

from paydesk.events.rows import Event
from paydesk.ledger import LedgerTransaction
from paydesk.money import Fee
from paydesk.payments.dispute import apply_dispute
from paydesk.payments.outcome import apply
from paydesk.payments.rows import Attempt, Dispute, Intent, TimelineEntry
from paydesk.payments.terms import News, Terms
from paydesk.psp.base import Captured, DisputeStanding
from paydesk.store import Work
from paydesk.times import DAY_MS
from tests.ledger.in_memory import ACCOUNT, InMemory, account

TERMS = Terms(capture_within_ms=1, challenge_within_ms=1)
STATUSES = st.sampled_from(["needs_response", "won", "lost"])
DISPUTE_FEE = "10%+5"


class Paid(Struct, frozen=True):
    attempt: str
    intent: str
    amount: int


class AnyQuarrels(RuleBasedStateMachine):
    """Beside the books: what the first word on each dispute was, and how it ended."""

    paid = Bundle("paid")
    quarrels = Bundle("quarrels")

    def __init__(self) -> None:
        super().__init__()
        self.books = InMemory()
        self.merchant = replace(account(fee="2%"), dispute_fee=DISPUTE_FEE)
        self.books.do(lambda work: work.add(self.merchant))
        self.captured = 0
        self.standings: dict[str, DisputeStanding] = {}

    @rule(target=paid, amount=st.integers(1, 10_000))
    def pay(self, amount: int) -> Paid:
        def decide(work: Work) -> Paid:
            intent, attempt = _begun(work, amount)
            work.add(intent)
            work.add(attempt)
            verdict = Captured(psp_reference=f"ch_{attempt.id}", amount_minor=amount, currency="usd")
            assert apply(work, ACCOUNT, attempt.id, News(verdict=verdict, cause="psp", terms=TERMS))
            return Paid(attempt.id, intent.id, amount)

        self.captured += amount
        return self.books.do(decide)

    @rule(target=quarrels, paid=paid, amount=st.integers(1, 20_000), status=STATUSES)
    def first_word(self, paid: Paid, amount: int, status: str) -> str:
        """Of as much as the bank likes, and perhaps over already."""
        named = f"dp_{len(self.standings)}"
        standing = DisputeStanding(
            psp_reference=named,
            reference=paid.attempt,
            amount_minor=amount,
            currency="usd",
            reason="fraudulent",
            status=status,
        )
        assert self.hear(standing) == ""
        self.standings[named] = standing
        return named

    @rule(named=quarrels, status=STATUSES)
    def another_word(self, named: str, status: str) -> None:
        """The same again, its end, or a contradiction: only its end changes anything."""
        before = self.standings[named]
        now = replace(before, status=status)
        rows = self.rows()
        why = self.hear(now)
        if before.status == "needs_response":
            assert why == ""
            self.standings[named] = now
        elif status != before.status:
            assert why == f"The dispute is {before.status} here, and the PSP says {status}."
        if status == before.status or why:
            assert self.rows() == rows

    @rule(named=quarrels, more=st.integers(1, 5))
    def of_another_amount(self, named: str, more: int) -> None:
        rows, standing = self.rows(), self.standings[named]
        assert self.hear(replace(standing, amount_minor=standing.amount_minor + more))
        assert self.rows() == rows

    @rule(paid=paid)
    def in_another_currency(self, paid: Paid) -> None:
        rows = self.rows()
        assert self.hear(
            DisputeStanding(
                psp_reference="dp_x", reference=paid.attempt, amount_minor=1, currency="eur", reason="x", status="lost"
            )
        )
        assert self.rows() == rows

    @rule(days=st.integers(0, 3))
    def time_goes_by(self, days: int) -> None:
        self.books.turn_to(self.books.now_ms + days * DAY_MS)

    def hear(self, standing: DisputeStanding) -> str:
        return self.books.do(
            lambda work: apply_dispute(work, work.get(Attempt, ACCOUNT, standing.reference), standing, "psp")
        )

    def rows(self) -> list[Any]:
        kinds = (Dispute, Intent, LedgerTransaction, TimelineEntry, Event)
        return [row for kind in kinds for row in self.books.all(kind)]

    def total(self, *statuses: str) -> int:
        return sum(one.amount_minor for one in self.standings.values() if one.status in statuses)

    @invariant()
    def reserved_is_what_is_open(self) -> None:
        assert -self.books.balances().get("disputes", 0) == self.total("needs_response")

    @invariant()
    def the_psp_holds_what_was_taken_less_what_was_lost(self) -> None:
        assert self.books.balances().get("psp_clearing", 0) == self.captured - self.total("lost")

    @invariant()
    def all_of_it_adds_up(self) -> None:
        balances = self.books.balances()
        assert sum(balances.values()) == 0
        assert -balances.get("merchant_pending", 0) == self.books.pending()
        fees = sum(Fee.parse(DISPUTE_FEE).of(one.amount_minor) for one in self.standings.values())
        fees += sum(Fee.parse("2%").of(intent.received_minor) for intent in self.books.all(Intent))
        assert -balances.get("fees", 0) == fees

    @invariant()
    def an_intent_says_what_is_disputed_or_lost(self) -> None:
        disputed = Counter[str]()
        for dispute in self.books.all(Dispute):
            disputed[dispute.intent] += dispute.amount_minor if dispute.status != "won" else 0
        assert all(intent.disputed_minor == disputed[intent.id] for intent in self.books.all(Intent))

    @invariant()
    def each_move_is_posted_once_and_told_once(self) -> None:
        posted = Counter(
            (row.reference, row.kind) for row in self.books.all(LedgerTransaction) if "dp" in row.reference
        )
        wanted = Counter[tuple[str, str]]()
        for named, standing in self.standings.items():
            wanted[named, "dispute_opened"] += 1
            if standing.status != "needs_response":
                wanted[named, f"dispute_{standing.status}"] += 1
        assert posted == wanted
        assert sum(event.type.startswith("charge.dispute.") for event in self.books.all(Event)) == wanted.total()
        assert sum("dispute" in entry.what for entry in self.books.all(TimelineEntry)) == wanted.total()


def _begun(work: Work, amount: int) -> tuple[Intent, Attempt]:
    intent_id, attempt_id = work.id("pi", ACCOUNT), work.id("at", ACCOUNT)
    intent = Intent(
        account=ACCOUNT,
        id=intent_id,
        amount_minor=amount,
        currency="usd",
        capture_method="automatic",
        status="processing",
        livemode=0,
        latest_attempt=attempt_id,
        created_ms=work.now_ms,
    )
    attempt = Attempt(
        account=ACCOUNT,
        id=attempt_id,
        intent=intent_id,
        status="asking",
        psp="sandbox",
        psp_url="https://psp.example",
        amount_minor=amount,
        currency="usd",
        capture=1,
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=2030,
        fingerprint="x",
        created_ms=work.now_ms,
    )
    return intent, attempt


TestAnyQuarrels = AnyQuarrels.TestCase
TestAnyQuarrels.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyQuarrels = pytest.mark.timeout(120)(TestAnyQuarrels)
