"""Into the books with what an object of a payment is about: a refund, a dispute, a late payment. Each move once."""

from collections.abc import Sequence
from typing import Protocol

from paydesk.ledger import Chart, Line, post
from paydesk.store import Work


class Booked(Protocol):
    """What a move of money is about."""

    @property
    def account(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def intent(self) -> str: ...
    @property
    def psp(self) -> str: ...
    @property
    def psp_reference(self) -> str | None: ...
    @property
    def currency(self) -> str: ...


def chart_of(about: Booked) -> Chart:
    """The ledger accounts that it moves money between."""
    return Chart(about.account, about.currency)


def book(work: Work, about: Booked, kind: str, lines: Sequence[Line]) -> None:
    """Post the lines under the PSP's name for it, or ours where the PSP has none. Posting a move twice is a bug."""
    posted = post(
        work,
        account=about.account,
        psp=about.psp,
        reference=about.psp_reference or about.id,
        kind=kind,
        subject=about.intent,
        currency=about.currency,
        lines=lines,
    )
    assert posted is not None, f"{kind} of {about.id} was posted before"
