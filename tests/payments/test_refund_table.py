"""The table of refunds: every status and every verdict, and what each pair does to status, books, intent and events."""

from itertools import product
from typing import Any

import pytest

from paydesk.payments.refund_outcome import STEPS, NotMade, Verdict
from paydesk.psp.base import NotFound, NotSent, NoVerdict, Refunded, RefundFailed, RefundPending
from tests.payments.in_memory import Desk

SUCCEEDED = Refunded(psp_reference="re_psp")
PENDING = RefundPending(psp_reference="re_psp")
FAILED = RefundFailed(psp_reference="re_psp", reason="account_closed")
NOT_MADE = NotMade(reason="not_sent")
NOTHING: tuple[Verdict, ...] = (NotSent(reason="refused"), NotFound(), NoVerdict(reason="timeout"))

WAYS: dict[str, tuple[Verdict, ...]] = {
    "asking": (),
    "pending": (PENDING,),
    "succeeded": (SUCCEEDED,),
    "failed": (FAILED,),
    "not_made": (NOT_MADE,),
}
"""How a refund gets to each status."""

AFTER: dict[tuple[str, str], str] = {
    ("asking", "RefundPending"): "pending",
    ("asking", "Refunded"): "succeeded",
    ("asking", "RefundFailed"): "failed",
    ("asking", "NotMade"): "not_made",
    ("pending", "Refunded"): "succeeded",
    ("pending", "RefundFailed"): "failed",
    ("succeeded", "RefundFailed"): "failed",
    ("not_made", "RefundPending"): "pending",
    ("not_made", "Refunded"): "succeeded",
}
VERDICTS = (SUCCEEDED, PENDING, FAILED, NOT_MADE, *NOTHING)

SHOWN = {
    # status: refunding, refunded, merchant owed (pending and available), fees, refunds, psp_clearing
    "asking": (400, 0, -590, -10, -400, 1000),
    "pending": (400, 0, -590, -10, -400, 1000),
    "succeeded": (0, 400, -590, -10, 0, 600),
    "failed": (0, 0, -990, -10, 0, 1000),
    "not_made": (0, 0, -1000, 0, 0, 1000),
}
"""1000 were captured, 400 of it are refunded, the platform takes 10 for a refund that the PSP took."""


def begun(status: str) -> tuple[Desk, str, str]:
    desk = Desk(refund_fee="10")
    intent = desk.paid(1000)
    refund = desk.refund(intent, 400)
    for verdict in WAYS[status]:
        assert desk.hears(refund, verdict)
    assert desk.refund_row(refund).status == status
    return desk, intent, refund


def shown(desk: Desk, intent: str) -> tuple[int, ...]:
    row = desk.intent(intent)
    owed = desk.balance("merchant_pending") + desk.balance("merchant_available")
    rest = [desk.balance(name) for name in ("fees", "refunds", "psp_clearing")]
    return (row.refunding_minor, row.refunded_minor, owed, *rest)


def name(value: Any) -> str:
    return value if isinstance(value, str) else type(value).__name__


@pytest.mark.parametrize(("status", "verdict"), [*product(WAYS, VERDICTS)], ids=name)
def test_every_status_and_every_verdict(status: str, verdict: Verdict) -> None:
    desk, intent, refund = begun(status)
    before = desk.refund_row(refund)
    desk.hears(refund, verdict)
    row = desk.refund_row(refund)
    assert row.status == AFTER.get((status, name(verdict)), status)
    assert shown(desk, intent) == SHOWN[row.status]
    if (status, name(verdict)) not in AFTER:
        assert row == before
    again = desk.refund_row(refund)
    desk.hears(refund, verdict)
    assert desk.refund_row(refund) == again, "the same verdict twice changes nothing"
    assert shown(desk, intent) == SHOWN[row.status]


def test_the_table_has_no_more_pairs() -> None:
    assert {(status, verdict.__name__) for status, verdict in STEPS} == set(AFTER)


@pytest.mark.parametrize(
    ("verdicts", "events"),
    [
        ([SUCCEEDED], ["refund.updated"]),
        ([PENDING], []),
        ([PENDING, SUCCEEDED, FAILED], ["refund.updated", "refund.failed"]),
        ([FAILED, SUCCEEDED], ["refund.failed"]),
        ([NOT_MADE], ["refund.failed"]),
        ([NOT_MADE, SUCCEEDED, FAILED], ["refund.failed", "refund.updated", "refund.updated", "refund.failed"]),
    ],
)
def test_what_merchants_hear(verdicts: list[Verdict], events: list[str]) -> None:
    desk, _, refund = begun("asking")
    for verdict in verdicts:
        desk.hears(refund, verdict)
    assert desk.events(refund) == ["refund.created", *events]


def test_what_the_psp_made_for_one_refund_is_not_believed_of_another() -> None:
    desk, intent, first = begun("succeeded")
    second = desk.refund(intent, 400)
    assert not desk.hears(second, SUCCEEDED)
    assert desk.refund_row(second).status == "asking"
    assert desk.hears(first, SUCCEEDED)


def test_what_comes_back_after_it_matured_is_available_at_once() -> None:
    desk, _, refund = begun("pending")
    desk.books.turn_to(desk.books.now_ms + 3 * 86_400_000)
    desk.hears(refund, FAILED)
    assert (desk.balance("merchant_pending"), desk.balance("merchant_available")) == (0, -990)
