"""Payments, refunds and late payments decided in memory, without a database and without a PSP."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from paydesk.events.rows import Event
from paydesk.ledger import Balance
from paydesk.ledger.chart import purpose
from paydesk.payments import outcome
from paydesk.payments.late import DecideLate
from paydesk.payments.refund import BeginRefund
from paydesk.payments.refund_outcome import Verdict, apply_refund
from paydesk.payments.rows import Attempt, Intent, LatePayment, Refund
from paydesk.payments.terms import News, Terms
from paydesk.psp.base import Captured
from paydesk.requests.once import Reply
from paydesk.store import Work
from tests.ledger.in_memory import ACCOUNT, InMemory, account

TERMS = Terms(capture_within_ms=7 * 86_400_000, challenge_within_ms=900_000)
OPEN = ("asking", "pending")


class Desk:
    """One account, decided upon as the server does."""

    def __init__(self, **terms: Any) -> None:
        self.books = InMemory()
        self._count = 0
        self.books.do(lambda work: work.add(replace(account(), **terms)))

    def choose(self, late_payments: str) -> None:
        """From now on this becomes of money that arrives late."""
        self.books.do(lambda work: work.change(self._account(work), late_payments=late_payments))

    def _account(self, work: Work) -> Any:
        return work.get(type(account()), ACCOUNT)

    def open(self, amount: int, *, currency: str = "usd", status: str = "processing", attempt: str = "asking") -> str:
        """An intent with one attempt, in these statuses; the intent's id."""
        self._count += 1
        intent = Intent(
            account=ACCOUNT,
            id=f"pi_{self._count}",
            amount_minor=amount,
            currency=currency,
            capture_method="automatic",
            status=status,
            livemode=0,
            attempts=1,
            latest_attempt=f"at_{self._count}",
            event_sequence=1,
            latest_event=f"evt_{self._count}",
            created_ms=self.books.now_ms,
        )
        self.books.do(lambda work: work.add(intent))
        self._attempt(intent, attempt)
        return intent.id

    def _attempt(self, intent: Intent, status: str) -> None:
        assert intent.latest_attempt
        row = Attempt(
            account=ACCOUNT,
            id=intent.latest_attempt,
            intent=intent.id,
            status=status,
            psp="sandbox",
            psp_url="https://psp.example",
            amount_minor=intent.amount_minor,
            currency=intent.currency,
            capture=1,
            brand="visa",
            last4="4242",
            exp_month=12,
            exp_year=2030,
            fingerprint="f",
            created_ms=self.books.now_ms,
        )
        self.books.do(lambda work: work.add(row))

    def captured(self, intent: str, amount: int | None = None) -> bool:
        """The PSP says that the intent's attempt took the money."""
        row = self.intent(intent)
        verdict = Captured(
            psp_reference=f"ch_{row.id}",
            amount_minor=row.amount_minor if amount is None else amount,
            currency=row.currency,
        )
        news = News(verdict=verdict, cause="psp", terms=TERMS)
        attempt = intent.replace("pi_", "at_")
        return self.books.do(lambda work: outcome.apply(work, ACCOUNT, attempt, news))

    def paid(self, amount: int, **more: Any) -> str:
        intent = self.open(amount, **more)
        assert self.captured(intent)
        return intent

    def refund(self, intent: str, amount: int | None = None) -> str:
        """A refund of it is begun; its id."""
        command = BeginRefund(
            intent=self.intent(intent),
            amount_minor=amount,
            reason=None,
            metadata="{}",
            cause="key:1",
            idempotency_key="",
        )
        return self.books.do(command.decide).object_id

    def hears(self, refund: str, verdict: Verdict) -> bool:
        """The PSP says so of a refund."""
        return self.books.do(lambda work: apply_refund(work, work.get(Refund, ACCOUNT, refund), verdict, "psp"))

    def decide(self, late: str, *, keep: bool) -> Reply:
        row = self.books.do(lambda work: work.get(LatePayment, ACCOUNT, late))
        return self.books.do(DecideLate(late_payment=row, keep=keep, cause="key:1").decide)

    def intent(self, intent: str) -> Intent:
        return self.books.do(lambda work: work.get(Intent, ACCOUNT, intent))

    def refund_row(self, refund: str) -> Refund:
        return self.books.do(lambda work: work.get(Refund, ACCOUNT, refund))

    @property
    def refunds(self) -> list[Refund]:
        return self.books.all(Refund)

    @property
    def lates(self) -> list[LatePayment]:
        return self.books.all(LatePayment)

    def events(self, about: str) -> list[str]:
        """The types of the events about an object, which are seen to count 1, 2, 3 …"""
        found = sorted((one for one in self.books.all(Event) if one.object_id == about), key=lambda one: one.sequence)
        assert [one.sequence for one in found] == list(range(1, len(found) + 1))
        assert [one.previous_event_id for one in found] == [None, *(one.id for one in found)][: len(found)]
        return [one.type for one in found]

    def balance(self, name: str, currency: str = "usd") -> int:
        found: Iterable[Balance] = self.books.all(Balance)
        return sum(
            one.amount_minor for one in found if purpose(one.ledger_account) == name and one.currency == currency
        )
