"""Any legal sequence of moves, on any days, leaves books that add up."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from msgspec import Struct

from paydesk.ledger import Balance, Chart, LedgerTransaction, Posting, post
from paydesk.ledger.chart import currency_of
from paydesk.money import Fee
from paydesk.payments import postings
from paydesk.payments.maturity import give_back, matures, take_back
from paydesk.store import Work
from paydesk.times import DAY_MS
from tests.ledger.in_memory import ACCOUNT, InMemory, account

FEES = st.builds(Fee, share_millionths=st.integers(0, 1_000_000), fixed_minor=st.integers(0, 500))
SOME = st.integers(1, 10_000)


class Paid(Struct):
    """A captured payment, and how much of it is neither refunded nor disputed."""

    currency: str
    day: str
    left: int


class Taken(Struct, frozen=True):
    """Part of a payment that is being refunded, or disputed."""

    paid: Paid
    amount: int


class Late(Struct, frozen=True):
    currency: str
    amount: int


class AnySequence(RuleBasedStateMachine):
    paid = Bundle("paid")
    refunds = Bundle("refunds")
    refunded = Bundle("refunded")
    disputes = Bundle("disputes")
    late = Bundle("late")

    def __init__(self) -> None:
        super().__init__()
        self.books = InMemory()
        self.held = Counter[str]()
        """What the PSP holds, by currency: counted beside the books."""

    @rule(target=paid, amount=SOME, fee=FEES, days=st.integers(0, 3), currency=st.sampled_from(["usd", "jpy"]))
    def capture(self, amount: int, fee: Fee, days: int, currency: str) -> Paid:
        def decide(work: Work) -> Paid:
            kept = fee.of(amount)
            earned = matures(work, account(settlement_delay_days=days), currency, amount - kept)
            move = {"psp": "sandbox", "owed": earned.owed, "amount_minor": amount, "fee_minor": kept}
            self.move(work, "capture", currency, **move)
            return Paid(currency, earned.day, amount)

        self.held[currency] += amount
        return self.books.do(decide)

    @rule(target=refunds, paid=paid, share=st.floats(0, 1), fee=FEES)
    def refund_begun(self, paid: Paid, share: float, fee: Fee) -> object:
        return self.take(paid, share, fee, "refund_begun")

    @rule(target=disputes, paid=paid, share=st.floats(0, 1), fee=FEES)
    def dispute_opened(self, paid: Paid, share: float, fee: Fee) -> object:
        return self.take(paid, share, fee, "dispute_opened")

    def take(self, paid: Paid, share: float, fee: Fee, kind: str) -> object:
        amount = round(paid.left * share)
        if not amount:
            return multiple()
        kept = fee.of(amount)

        def decide(work: Work) -> None:
            owed = take_back(work, ACCOUNT, paid.currency, paid.day, amount + kept)
            self.move(work, kind, paid.currency, owed=owed, amount_minor=amount, fee_minor=kept)

        self.books.do(decide)
        paid.left -= amount
        return Taken(paid, amount)

    @rule(target=refunded, taken=consumes(refunds))
    def refund(self, taken: Taken) -> Taken:
        self.held[taken.paid.currency] -= taken.amount
        self.simply("refund", taken.paid.currency, psp="sandbox", amount_minor=taken.amount)
        return taken

    @rule(taken=consumes(refunds))
    def refund_failed(self, taken: Taken) -> None:
        paid = taken.paid

        def decide(work: Work) -> None:
            owed = give_back(work, ACCOUNT, paid.currency, paid.day, taken.amount)
            self.move(work, "refund_failed", paid.currency, owed=owed, amount_minor=taken.amount)

        self.books.do(decide)
        paid.left += taken.amount

    @rule(taken=consumes(refunded))
    def refund_reversed(self, taken: Taken) -> None:
        self.held[taken.paid.currency] += taken.amount
        self.simply("refund_reversed", taken.paid.currency, psp="sandbox", amount_minor=taken.amount)
        taken.paid.left += taken.amount

    @rule(taken=consumes(disputes))
    def dispute_lost(self, taken: Taken) -> None:
        self.held[taken.paid.currency] -= taken.amount
        self.simply("dispute_lost", taken.paid.currency, psp="sandbox", amount_minor=taken.amount)

    @rule(taken=consumes(disputes))
    def dispute_won(self, taken: Taken) -> None:
        self.simply("dispute_won", taken.paid.currency, amount_minor=taken.amount)
        taken.paid.left += taken.amount

    @rule(target=late, amount=SOME, currency=st.sampled_from(["usd", "jpy"]))
    def late_payment(self, amount: int, currency: str) -> Late:
        self.held[currency] += amount
        self.simply("late_payment", currency, psp="sandbox", amount_minor=amount)
        return Late(currency, amount)

    @rule(target=paid, late=consumes(late), fee=FEES, days=st.integers(0, 3))
    def late_payment_kept(self, late: Late, fee: Fee, days: int) -> Paid:
        def decide(work: Work) -> Paid:
            kept = fee.of(late.amount)
            earned = matures(work, account(settlement_delay_days=days), late.currency, late.amount - kept)
            move = {"owed": earned.owed, "amount_minor": late.amount, "fee_minor": kept}
            self.move(work, "late_payment_kept", late.currency, **move)
            return Paid(late.currency, earned.day, late.amount)

        return self.books.do(decide)

    @rule(late=consumes(late))
    def late_payment_refund(self, late: Late) -> None:
        self.held[late.currency] -= late.amount
        self.simply("late_payment_refund", late.currency, psp="sandbox", amount_minor=late.amount)

    @rule(days=st.floats(0, 2))
    def time_goes_by(self, days: float) -> None:
        self.books.turn_to(self.books.now_ms + round(days * DAY_MS))

    def simply(self, kind: str, currency: str, **facts: object) -> None:
        self.books.do(lambda work: self.move(work, kind, currency, **facts))

    def move(self, work: Work, kind: str, currency: str, **facts: object) -> None:
        lines = postings.MOVES[kind](Chart(ACCOUNT, currency), **facts)  # type: ignore[operator]
        assert sum(line.amount_minor for line in lines) == 0
        reference = f"{kind}-{len(self.books.all(LedgerTransaction))}"
        assert post(
            work, account=ACCOUNT, psp="sandbox", reference=reference, kind=kind, subject="pi_1", currency=currency,
            lines=lines,
        )  # fmt: skip

    @invariant()
    def the_psp_holds_what_was_captured_less_what_went_back(self) -> None:
        clearing = Counter[str]()
        for balance in self.books.all(Balance):
            if "/psp_clearing/" in balance.ledger_account:
                clearing[balance.currency] += balance.amount_minor
        assert clearing == self.held

    @invariant()
    def everything_else_is_owed_out_of_that(self) -> None:
        owed = Counter[str]()
        for balance in self.books.all(Balance):
            owed[balance.currency] += balance.amount_minor
            assert currency_of(balance.ledger_account) == balance.currency
        assert not any(owed.values())

    @invariant()
    def the_days_are_the_pending_balance(self) -> None:
        assert self.books.pending() == -self.books.balances().get("merchant_pending", 0)

    @invariant()
    def change_logs_run_without_gaps(self) -> None:
        counts, sums = Counter[str](), Counter[str]()
        for posting in self.books.all(Posting):
            counts[posting.ledger_account] += 1
            sums[posting.ledger_account] += posting.amount_minor
            assert posting.sequence == counts[posting.ledger_account]
            assert posting.balance_minor == sums[posting.ledger_account]

    def teardown(self) -> None:
        """In the end all of it matures, and nothing is owed to the clock."""
        self.books.turn_to(self.books.now_ms + 4 * DAY_MS)
        assert self.books.pending() == 0
        assert "merchant_pending" not in self.books.balances()


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnySequence = pytest.mark.timeout(120)(TestAnySequence)
