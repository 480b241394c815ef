"""The one way into the journal: what it writes, and what it refuses as a bug."""

import pytest

from paydesk.ledger import Balance, Chart, LedgerTransaction, Line, Posting, post
from paydesk.ledger.post import BadLines, Misplaced, Unbalanced
from paydesk.store import Work
from tests.ledger.in_memory import ACCOUNT, InMemory

USD, EUR = Chart(ACCOUNT, "usd"), Chart(ACCOUNT, "eur")


def move(
    work: Work, *lines: tuple[str, int], reference: str = "ch_1", currency: str = "usd"
) -> LedgerTransaction | None:
    return post(
        work,
        account=ACCOUNT,
        psp="sandbox",
        reference=reference,
        kind="capture",
        subject="pi_1",
        currency=currency,
        lines=[Line(name, amount) for name, amount in lines],
    )


def test_each_ledger_account_counts_its_postings_and_says_its_balance_after_each() -> None:
    books = InMemory()
    for number, (amount, fee) in enumerate(((1000, 40), (500, 20), (7, 1))):
        lines = ((USD.psp_clearing("sandbox"), amount), (USD.merchant_pending, fee - amount), (USD.fees, -fee))
        books.do(lambda work, lines=lines, number=number: move(work, *lines, reference=f"ch_{number}"))
    log = [
        (one.sequence, one.amount_minor, one.balance_minor)
        for one in books.all(Posting)
        if one.ledger_account == USD.merchant_pending
    ]
    assert log == [(1, -960, -960), (2, -480, -1440), (3, -6, -1446)]
    pending = next(one for one in books.all(Balance) if one.ledger_account == USD.merchant_pending)
    assert (pending.amount_minor, pending.sequence, pending.version) == (-1446, 3, 3)


def test_a_ledger_account_that_stands_twice_in_a_transaction_counts_both() -> None:
    books = InMemory()
    books.do(lambda work: move(work, (USD.fees, -5), (USD.merchant_pending, 15), (USD.fees, -10)))
    log = [(one.sequence, one.balance_minor) for one in books.all(Posting) if one.ledger_account == USD.fees]
    assert log == [(1, -5), (2, -15)]


def test_the_same_move_is_posted_once() -> None:
    books = InMemory()
    lines = ((USD.psp_clearing("sandbox"), 10), (USD.merchant_pending, -10))
    assert books.do(lambda work: move(work, *lines)) is not None
    assert books.do(lambda work: move(work, *lines)) is None
    assert books.balances() == {"psp_clearing": 10, "merchant_pending": -10}
    assert [balance.sequence for balance in books.all(Balance)] == [1, 1]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], Unbalanced),
        ([(USD.fees, 5)], Unbalanced),
        ([(USD.fees, 5), (USD.refunds, -4)], Unbalanced),
        ([(USD.fees, 5), (USD.refunds, -5), (USD.disputes, 0)], Unbalanced),
        ([(USD.fees, 5), (EUR.refunds, -5)], Misplaced),
        ([(EUR.fees, 5), (EUR.refunds, -5)], Misplaced),
        ([(USD.fees, 5), (Chart("acct_other000", "usd").refunds, -5)], Misplaced),
        ([(USD.fees, 5), (f"{ACCOUNT}/pocket/usd", -5)], Misplaced),
        ([(USD.fees, 5), (f"{ACCOUNT}/refunds/USD", -5)], Misplaced),
    ],
)
def test_lines_that_can_not_be_are_a_bug_and_leave_nothing(lines: list[tuple[str, int]], why: type[BadLines]) -> None:
    books = InMemory()
    with pytest.raises(why):
        books.do(lambda work: move(work, *lines))
    assert books.all(Posting) == books.all(Balance) == books.all(LedgerTransaction) == []
