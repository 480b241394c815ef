"""Captures, refunds, disputes, failures and late money in any order: never more goes back than came, and the books add
up after each.
"""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from paydesk.errors import Refusal
from paydesk.payments.refund import refundable_minor
from paydesk.payments.refund_outcome import NotMade, Verdict
from paydesk.payments.rows import Intent, Refund
from paydesk.psp.base import NotFound, NotSent, NoVerdict, Refunded, RefundFailed, RefundPending
from paydesk.store import Work
from tests.ledger.in_memory import ACCOUNT
from tests.payments.in_memory import Desk

SOME = st.integers(1, 5_000)
CURRENCIES = st.sampled_from(["usd", "jpy"])
CHOICES = st.sampled_from(["refund", "hold", "keep"])
OPEN = ("asking", "pending")
VERDICTS = st.sampled_from(["pending", "succeeded", "failed", "not_made", "not_sent", "not_found", "none"])


def verdict(word: str, refund: str) -> Verdict:
    said: dict[str, Verdict] = {
        "pending": RefundPending(psp_reference=f"psp_{refund}"),
        "succeeded": Refunded(psp_reference=f"psp_{refund}"),
        "failed": RefundFailed(psp_reference=f"psp_{refund}", reason="account_closed"),
        "not_made": NotMade(reason="not_sent"),
        "not_sent": NotSent(reason="refused"),
        "not_found": NotFound(),
        "none": NoVerdict(reason="timeout"),
    }
    return said[word]


def refused(act: Callable[[], object]) -> str | None:
    """The code of the refusal; None where it was done."""
    try:
        act()
    except Refusal as why:
        return why.code
    return None


class AnyRefunds(RuleBasedStateMachine):
    paid = Bundle("paid")
    refunds = Bundle("refunds")

    @initialize(fee=st.sampled_from(["0", "1.5%+25"]), refund_fee=st.sampled_from(["0", "35"]), choice=CHOICES)
    def begin(self, fee: str, refund_fee: str, choice: str) -> None:
        self.desk = Desk(fee=fee, refund_fee=refund_fee, late_payments=choice)
        self.kept: set[str] = set()
        self.promise_broken: set[str] = set()
        """Intents of which a refund appeared that the PSP surely did not have."""

    @rule(target=paid, amount=SOME, currency=CURRENCIES)
    def captured(self, amount: int, currency: str) -> str:
        return self.desk.paid(amount, currency=currency)

    @rule(intent=paid, amount=st.one_of(st.none(), SOME))
    def refund(self, intent: str, amount: int | None) -> None:
        left = refundable_minor(self.desk.intent(intent))
        code = refused(lambda: self.desk.refund(intent, amount))
        if left <= 0:
            assert code == "invalid_state"
        else:
            assert code == ("amount_too_large" if amount and amount > left else None)

    @rule(which=st.integers(0, 50), word=VERDICTS)
    def the_psp_says(self, which: int, word: str) -> None:
        if not self.desk.refunds:
            return
        refund = self.desk.refunds[which % len(self.desk.refunds)]
        if refund.status == "not_made" and word in ("pending", "succeeded"):
            self.promise_broken.add(refund.intent)
        assert self.desk.hears(refund.id, verdict(word, refund.id))

    @rule(intent=paid, amount=SOME, opens=st.booleans())
    def the_bank_disputes(self, intent: str, amount: int, opens: bool) -> None:
        """As much as a dispute begun within what is left changes: the books of disputes are tried elsewhere."""

        def decide(work: Work) -> None:
            row = work.get(Intent, ACCOUNT, intent)
            change = min(amount, refundable_minor(row)) if opens else -min(amount, row.disputed_minor)
            if change > 0 or not opens:
                work.change(row, disputed_minor=row.disputed_minor + change)

        self.desk.books.do(decide)

    @rule(
        amount=SOME, status=st.sampled_from(["canceled", "requires_payment_method", "processing"]), other=st.booleans()
    )
    def arrives_late(self, amount: int, status: str, other: bool) -> None:
        intent = self.desk.open(amount, status=status, attempt="not_sent")
        assert self.desk.captured(intent, amount + 1 if other else None)
        assert self.desk.captured(intent, amount + 1 if other else None), "told twice"
        paid = status == "requires_payment_method" and not other
        assert self.desk.intent(intent).status == ("succeeded" if paid else status)

    @rule(choice=CHOICES)
    def the_merchant_chooses(self, choice: str) -> None:
        self.desk.choose(choice)

    @rule(which=st.integers(0, 50), keep=st.booleans())
    def the_merchant_decides(self, which: int, keep: bool) -> None:
        if not self.desk.lates:
            return
        late = self.desk.lates[which % len(self.desk.lates)]
        allowed = late.status == "held" and (keep or late.refund is None)
        code = refused(lambda: self.desk.decide(late.id, keep=keep))
        assert code == (None if allowed else "invalid_state")

    @rule(hours=st.integers(1, 40))
    def time_goes_by(self, hours: int) -> None:
        self.desk.books.turn_to(self.desk.books.now_ms + hours * 3_600_000)

    def of_intents(self, *statuses: str) -> list[Refund]:
        return [one for one in self.desk.refunds if not one.late_payment and one.status in statuses]

    @invariant()
    def no_more_goes_back_than_was_captured(self) -> None:
        refunding, refunded = Counter[str](), Counter[str]()
        for refund in self.of_intents(*OPEN):
            refunding[refund.intent] += refund.amount_minor
        for refund in self.of_intents("succeeded"):
            refunded[refund.intent] += refund.amount_minor
        for intent in self.desk.books.all(Intent):
            assert intent.refunding_minor == refunding[intent.id]
            assert intent.refunded_minor == refunded[intent.id]
            back = intent.refunding_minor + intent.refunded_minor + intent.disputed_minor
            assert back <= intent.received_minor or intent.id in self.promise_broken

    @invariant()
    def the_books_say_the_same(self) -> None:
        for currency in ("usd", "jpy"):
            came = sum(one.received_minor for one in self.desk.books.all(Intent) if one.currency == currency)
            lates = [one for one in self.desk.lates if one.currency == currency]
            came += sum(one.amount_minor for one in lates)
            given = [one for one in self.desk.refunds if one.status == "succeeded" and one.currency == currency]
            held = self.desk.balance("psp_clearing", currency)
            assert held == came - sum(one.amount_minor for one in given)
            under_way = [one for one in self.of_intents(*OPEN) if one.currency == currency]
            assert -self.desk.balance("refunds", currency) == sum(one.amount_minor for one in under_way)

    @invariant()
    def late_money_stands_apart_until_it_is_decided(self) -> None:
        if self.promise_broken:
            return  # What was kept after its refund had failed may go back after all: then it stands below nothing.
        undecided = [one for one in self.desk.lates if one.status in ("held", "refunding")]
        assert -self.desk.balance("late_payments") == sum(one.amount_minor for one in undecided)

    @invariant()
    def each_late_payment_has_one_refund_at_most(self) -> None:
        refunds = Counter(one.late_payment for one in self.desk.refunds if one.late_payment)
        assert all(number == 1 for number in refunds.values())
        assert {one.id for one in self.desk.lates if one.refund} == set(refunds)

    @invariant()
    def nothing_pending_is_lost(self) -> None:
        pending = self.desk.balance("merchant_pending") + self.desk.balance("merchant_pending", "jpy")
        assert self.desk.books.pending() == -pending

    @invariant()
    def what_is_kept_stays_kept(self) -> None:
        now = {one.id for one in self.desk.lates if one.status == "kept"}
        assert now >= self.kept
        self.kept = now

    def teardown(self) -> None:
        for row in (*self.desk.refunds, *self.desk.lates):
            self.desk.events(row.id)


TestAnyRefunds = AnyRefunds.TestCase
TestAnyRefunds.settings = settings(
    max_examples=80, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyRefunds = pytest.mark.timeout(180)(TestAnyRefunds)
