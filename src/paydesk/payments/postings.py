"""Which move of money makes which postings: one pure table. Amounts are signed, debit positive, and sum to zero."""

from paydesk.ledger import Chart, Line
from paydesk.money import Fee


def captured(chart: Chart, *, psp: str, amount_minor: int, fee: Fee) -> list[Line]:
    """A captured payment: the PSP holds the money, the merchant has earned it less the platform's fee."""
    kept = fee.of(amount_minor)
    lines = [
        Line(chart.psp_clearing(psp), amount_minor),
        Line(chart.merchant_pending, -(amount_minor - kept)),
        Line(chart.fees, -kept),
    ]
    return [line for line in lines if line.amount_minor]


def touched(chart: Chart, psp: str) -> list[str]:
    """The ledger accounts that a capture may move: a hint for the committer."""
    return [chart.psp_clearing(psp), chart.merchant_pending, chart.fees]
