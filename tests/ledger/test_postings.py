"""The table of postings, drawn: each move, and what it does to each ledger account."""

import inspect

import pytest

from paydesk.ledger import Chart, Line
from paydesk.ledger.chart import PURPOSES, currency_of, owner_of, purpose
from paydesk.payments import postings
from tests.ledger.in_memory import ACCOUNT

USD = Chart(ACCOUNT, "usd")
COLUMNS = ("psp_clearing", "merchant_pending", "merchant_available", "fees", "refunds", "disputes", "late_payments")

DRAWN = """
move                 owed       amount  fee | clearing  pending  available  fees  refunds  disputes   late
capture              pending      1000   40 |    +1000     -960          .   -40        .         .      .
capture              available    1000   40 |    +1000        .       -960   -40        .         .      .
capture              pending      1000    0 |    +1000    -1000          .     .        .         .      .
capture              pending        25   25 |      +25        .          .   -25        .         .      .
maturity             .             960    . |        .     +960       -960     .        .         .      .
maturity             .             -40    . |        .      -40        +40     .        .         .      .
refund_begun         pending      1000    0 |        .    +1000          .     .    -1000         .      .
refund_begun         available     300   10 |        .        .       +310   -10     -300         .      .
refund               .             300    . |     -300        .          .     .     +300         .      .
refund_failed        pending       300    0 |        .     -300          .     .     +300         .      .
refund_failed        available     300   10 |        .        .       -310   +10     +300         .      .
refund_reversed      .             300    . |     +300        .       -300     .        .         .      .
dispute_opened       pending      1000   15 |        .    +1015          .   -15        .     -1000      .
dispute_opened       available    1000    0 |        .        .      +1000     .        .     -1000      .
dispute_lost         .            1000    . |    -1000        .          .     .        .     +1000      .
dispute_won          .            1000    . |        .        .      -1000     .        .     +1000      .
late_payment         .             700    . |     +700        .          .     .        .         .   -700
late_payment_kept    pending       700   40 |        .     -660          .   -40        .         .   +700
late_payment_kept    available     700    0 |        .        .       -700     .        .         .   +700
late_payment_refund  .             700    . |     -700        .          .     .        .         .   +700
late_payment_returned .            700    . |     +700        .          .     .        .         .   -700
"""
ROWS = [line for line in DRAWN.splitlines()[2:] if line]


def lines_of(move: str, owed: str, amount: str, fee: str) -> list[Line]:
    """The move's lines; it is given of all this what it asks for."""
    given = {"psp": "sandbox", "owed": f"merchant_{owed}", "amount_minor": int(amount)}
    given |= {} if fee == "." else {"fee_minor": int(fee)}
    make = getattr(postings, move)
    assert postings.MOVES[move] is make
    wanted = inspect.signature(make).parameters
    return make(USD, **{name: value for name, value in given.items() if name in wanted})


@pytest.mark.parametrize("row", ROWS)
def test_what_each_move_does_to_each_ledger_account(row: str) -> None:
    asked, _, drawn = row.partition("|")
    lines = lines_of(*asked.split())
    expected = {name: int(cell) for name, cell in zip(COLUMNS, drawn.split(), strict=True) if cell != "."}
    assert {purpose(line.ledger_account): line.amount_minor for line in lines} == expected
    assert len(lines) == len(expected), "a ledger account moves once"
    assert sum(line.amount_minor for line in lines) == 0
    assert {currency_of(line.ledger_account) for line in lines} == {"usd"}
    assert {owner_of(line.ledger_account) for line in lines} == {ACCOUNT}


def test_every_move_is_drawn() -> None:
    assert {row.split()[0] for row in ROWS} == set(postings.MOVES)


def test_a_capture_touches_no_more_than_it_says() -> None:
    touched = postings.touched(USD, "sandbox")
    for owed in ("pending", "available"):
        assert {line.ledger_account for line in lines_of("capture", owed, "1000", "40")} <= set(touched)


def test_the_chart_names_every_purpose_once_and_says_what_it_is() -> None:
    names = [
        USD.psp_clearing("sandbox"), USD.merchant_pending, USD.merchant_available, USD.fees, USD.refunds, USD.disputes,
        USD.late_payments,
    ]  # fmt: skip
    assert [purpose(name) for name in names] == list(COLUMNS)
    assert set(COLUMNS) < set(PURPOSES)
    assert {"wallets", "sellers", "payouts", "gift_balance"} <= set(PURPOSES), "names that are decided already"
    assert all(one.says.endswith(".") for one in PURPOSES.values())
    assert [name for name, one in PURPOSES.items() if one.normal == "debit"] == ["psp_clearing"]
