"""Which move of money makes which postings: one pure table. Amounts are signed, debit positive, and sum to zero.

`owed` says where what is owed to the merchant stands, as `maturity.py` finds out: pending or available. What is taken
from a merchant leaves it at once and is reserved (refunds, disputes) until the PSP has done its part; so at any time
available + pending + reserved + fees + late payments = what the PSP holds for the merchant.
"""

from collections.abc import Mapping, Sequence

from paydesk.ledger import Chart, Line, Owed

Lines = list[Line]


def capture(chart: Chart, *, psp: str, owed: Owed, amount_minor: int, fee_minor: int) -> Lines:
    """The PSP took the money: the merchant has earned it, less the platform's fee."""
    return _lines(
        (chart.psp_clearing(psp), amount_minor),
        (chart.owed(owed), fee_minor - amount_minor),
        (chart.fees, -fee_minor),
    )


def maturity(chart: Chart, *, amount_minor: int) -> Lines:
    """A day's pending money becomes available; what was taken back beyond it, too."""
    return _lines((chart.merchant_pending, amount_minor), (chart.merchant_available, -amount_minor))


def refund_begun(chart: Chart, *, owed: Owed, amount_minor: int, fee_minor: int) -> Lines:
    """A refund is to be asked for: the merchant has the amount no more."""
    return _lines(
        (chart.owed(owed), amount_minor + fee_minor), (chart.fees, -fee_minor), (chart.refunds, -amount_minor)
    )


def refund(chart: Chart, *, psp: str, amount_minor: int) -> Lines:
    """The PSP gave it back."""
    return _lines((chart.refunds, amount_minor), (chart.psp_clearing(psp), -amount_minor))


def refund_failed(chart: Chart, *, owed: Owed, amount_minor: int, fee_minor: int = 0) -> Lines:
    """The PSP never gave it back: the merchant has it again; with `fee_minor` the fee as well."""
    return _lines(
        (chart.refunds, amount_minor), (chart.fees, fee_minor), (chart.owed(owed), -(amount_minor + fee_minor))
    )


def refund_reversed(chart: Chart, *, psp: str, amount_minor: int) -> Lines:
    """What the PSP gave back came back to it."""
    return _lines((chart.psp_clearing(psp), amount_minor), (chart.merchant_available, -amount_minor))


def dispute_opened(chart: Chart, *, owed: Owed, amount_minor: int, fee_minor: int) -> Lines:
    """A bank wants it back: the merchant has the amount no more."""
    return _lines(
        (chart.owed(owed), amount_minor + fee_minor), (chart.fees, -fee_minor), (chart.disputes, -amount_minor)
    )


def dispute_lost(chart: Chart, *, psp: str, amount_minor: int) -> Lines:
    """The bank got it."""
    return _lines((chart.disputes, amount_minor), (chart.psp_clearing(psp), -amount_minor))


def dispute_won(chart: Chart, *, amount_minor: int) -> Lines:
    """The bank did not get it: the merchant has it again."""
    return _lines((chart.disputes, amount_minor), (chart.merchant_available, -amount_minor))


def late_payment(chart: Chart, *, psp: str, amount_minor: int) -> Lines:
    """The PSP took money for a payment that was over: nobody's, until it is decided whose."""
    return _lines((chart.psp_clearing(psp), amount_minor), (chart.late_payments, -amount_minor))


def late_payment_kept(chart: Chart, *, owed: Owed, amount_minor: int, fee_minor: int) -> Lines:
    """It is the merchant's after all."""
    return _lines(
        (chart.late_payments, amount_minor), (chart.owed(owed), fee_minor - amount_minor), (chart.fees, -fee_minor)
    )


def late_payment_returned(chart: Chart, *, psp: str, amount_minor: int) -> Lines:
    """It had gone back, and came back to the PSP: somebody has to decide again."""
    return late_payment(chart, psp=psp, amount_minor=amount_minor)


def late_payment_refund(chart: Chart, *, psp: str, amount_minor: int) -> Lines:
    """It went back to where it came from."""
    return _lines((chart.late_payments, amount_minor), (chart.psp_clearing(psp), -amount_minor))


MOVES: Mapping[str, object] = {
    "capture": capture,
    "maturity": maturity,
    "refund_begun": refund_begun,
    "refund": refund,
    "refund_failed": refund_failed,
    "refund_reversed": refund_reversed,
    "dispute_opened": dispute_opened,
    "dispute_lost": dispute_lost,
    "dispute_won": dispute_won,
    "late_payment": late_payment,
    "late_payment_kept": late_payment_kept,
    "late_payment_refund": late_payment_refund,
    "late_payment_returned": late_payment_returned,
}
"""Every kind of transaction that there is, and its postings."""


def touched(chart: Chart, psp: str) -> Sequence[str]:
    """The ledger accounts that a capture may move: a hint for the committer."""
    return [chart.psp_clearing(psp), chart.merchant_pending, chart.merchant_available, chart.fees]


def _lines(*moved: tuple[str, int]) -> Lines:
    """Without those that move nothing."""
    return [Line(name, amount_minor) for name, amount_minor in moved if amount_minor]
