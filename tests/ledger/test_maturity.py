"""When money becomes available: per day, once, less what was taken back before."""

import pytest

from paydesk.ledger import Chart, LedgerTransaction, Maturity, Posting, post
from paydesk.payments import postings
from paydesk.payments.maturity import Earned, Mature, duty_id, give_back, matures, take_back
from paydesk.store import Duty, Work
from paydesk.times import DAY_MS, day_of, day_starts_ms
from tests.ledger.in_memory import ACCOUNT, START_MS, InMemory, account

USD = Chart(ACCOUNT, "usd")
TODAY, TOMORROW, THEN = "2023-11-14", "2023-11-15", "2023-11-16"


def capture(books: InMemory, amount: int, *, days: int = 2, fee: int = 0, currency: str = "usd") -> Earned:
    reference = f"ch_{len(books.all(LedgerTransaction))}"

    def decide(work: Work) -> Earned:
        earned = matures(work, account(settlement_delay_days=days), currency, amount - fee)
        lines = postings.capture(
            Chart(ACCOUNT, currency), psp="sandbox", owed=earned.owed, amount_minor=amount, fee_minor=fee
        )
        move(work, reference, "capture", lines, currency)
        return earned

    return books.do(decide)


def refund(books: InMemory, amount: int, day: str) -> str:
    reference = f"re_{len(books.all(LedgerTransaction))}"

    def decide(work: Work) -> str:
        owed = take_back(work, ACCOUNT, "usd", day, amount)
        move(work, reference, "refund_begun", postings.refund_begun(USD, owed=owed, amount_minor=amount, fee_minor=0))
        return owed

    return books.do(decide)


def fail(books: InMemory, amount: int, day: str) -> str:
    reference = f"re_{len(books.all(LedgerTransaction))}"

    def decide(work: Work) -> str:
        owed = give_back(work, ACCOUNT, "usd", day, amount)
        move(work, reference, "refund_failed", postings.refund_failed(USD, owed=owed, amount_minor=amount))
        return owed

    return books.do(decide)


def move(work: Work, reference: str, kind: str, lines: postings.Lines, currency: str = "usd") -> None:
    post(
        work,
        account=ACCOUNT,
        psp="sandbox",
        reference=reference,
        kind=kind,
        subject="pi_1",
        currency=currency,
        lines=lines,
    )


def test_days_are_those_of_utc() -> None:
    assert day_of(START_MS) == TODAY
    assert day_of(day_starts_ms(THEN)) == THEN
    assert day_of(day_starts_ms(THEN) - 1) == TOMORROW
    assert day_starts_ms("1970-01-02") == DAY_MS


def test_a_days_captures_mature_together_when_the_day_begins() -> None:
    books = InMemory()
    assert capture(books, 1000, fee=40) == capture(books, 500) == Earned("merchant_pending", THEN)
    [owed] = books.all(Duty)
    assert (owed.id, owed.due_ms, owed.owner) == (duty_id(ACCOUNT, "usd", THEN), day_starts_ms(THEN), "")
    books.turn_to(day_starts_ms(THEN) - 1)
    assert books.balances() == {"psp_clearing": 1500, "merchant_pending": -1460, "fees": -40}
    books.turn_to(day_starts_ms(THEN))
    assert books.balances() == {"psp_clearing": 1500, "merchant_available": -1460, "fees": -40}
    assert books.all(Duty) == []
    matured = books.all(LedgerTransaction)[-1]
    assert (matured.kind, matured.psp, matured.reference, matured.subject) == ("maturity", "", f"usd/{THEN}", "")
    [day] = books.all(Maturity)
    assert (day.amount_minor, day.matured_ms) == (0, day_starts_ms(THEN))


def test_every_day_and_every_currency_has_a_duty_of_its_own() -> None:
    books = InMemory()
    capture(books, 1)
    capture(books, 1, currency="eur")
    capture(books, 1, days=1)
    books.now_ms += DAY_MS
    capture(books, 1, days=1)
    assert [duty.id for duty in books.all(Duty)] == [
        duty_id(ACCOUNT, "usd", THEN), duty_id(ACCOUNT, "eur", THEN), duty_id(ACCOUNT, "usd", TOMORROW)
    ]  # fmt: skip


def test_without_a_delay_money_is_available_at_once() -> None:
    books = InMemory()
    assert capture(books, 1000, days=0) == Earned("merchant_available", TODAY)
    assert books.all(Duty) == books.all(Maturity) == []
    assert refund(books, 1000, TODAY) == "merchant_available"
    assert books.balances() == {"psp_clearing": 1000, "refunds": -1000}


def test_where_the_fee_takes_all_nothing_waits() -> None:
    books = InMemory()
    assert capture(books, 25, fee=25) == Earned("merchant_available", THEN)
    assert books.all(Duty) == []


def test_what_is_refunded_before_its_day_never_becomes_available() -> None:
    books = InMemory()
    day = capture(books, 1000, fee=40).day
    assert refund(books, 400, day) == "merchant_pending"
    books.turn_to(day_starts_ms(day))
    assert books.balances() == {"psp_clearing": 1000, "merchant_available": -560, "fees": -40, "refunds": -400}
    assert refund(books, 600, day) == "merchant_available"
    assert books.balances() == {"psp_clearing": 1000, "merchant_available": 40, "fees": -40, "refunds": -1000}


def test_more_than_a_day_has_leaves_it_below_zero_and_the_debt_becomes_due_with_it() -> None:
    books = InMemory()
    day = capture(books, 1000, fee=40).day
    assert refund(books, 1000, day) == "merchant_pending"
    assert (books.pending(), books.balances()["merchant_pending"]) == (-40, 40)
    books.turn_to(day_starts_ms(day))
    assert books.balances() == {"psp_clearing": 1000, "merchant_available": 40, "fees": -40, "refunds": -1000}


def test_a_day_that_was_taken_back_to_nothing_posts_nothing() -> None:
    books = InMemory()
    day = capture(books, 1000).day
    refund(books, 1000, day)
    posted = len(books.all(Posting))
    books.turn_to(day_starts_ms(day))
    assert (len(books.all(Posting)), books.all(Duty)) == (posted, [])


@pytest.mark.parametrize("late", [False, True])
def test_a_refund_that_failed_goes_to_its_day_or_to_what_is_available(late: bool) -> None:
    books = InMemory()
    day = capture(books, 1000).day
    refund(books, 300, day)
    if late:
        books.turn_to(day_starts_ms(day))
    assert fail(books, 300, day) == ("merchant_available" if late else "merchant_pending")
    books.turn_to(day_starts_ms(day))
    assert books.balances() == {"psp_clearing": 1000, "merchant_available": -1000}


def test_a_duty_that_runs_twice_matures_once() -> None:
    books = InMemory()
    day = capture(books, 1000).day
    [duty] = books.all(Duty)
    books.turn_to(day_starts_ms(day))
    books.do(lambda work: work.add(duty))
    books.do(Mature(duty=duty).decide)
    assert books.balances() == {"psp_clearing": 1000, "merchant_available": -1000}
    assert books.all(Duty) == []


def test_money_for_a_day_that_has_matured_is_available_at_once() -> None:
    """As after a clock that went back: nobody would come for that day a second time."""
    books = InMemory()
    day = capture(books, 1000).day
    books.turn_to(day_starts_ms(day))
    books.now_ms = START_MS
    assert capture(books, 500) == Earned("merchant_available", day)
    assert (books.pending(), books.all(Duty)) == (0, [])
