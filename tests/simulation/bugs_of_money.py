"""Deliberate bugs about money and the books: `bugs.py` has the others, and the table of all."""

from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from paydesk.merchants import Account
from paydesk.payments import dispute, maturity, postings, refund, refund_ask, refund_outcome, steps
from paydesk.payments.refund import BeginRefund
from paydesk.payments.rows import DisputeReference
from paydesk.psp.base import Authorised, Captured, RefundQuestion
from paydesk.requests.once import Reply
from paydesk.store import Work
from paydesk.store.rows import key_of
from paydesk_simulator import weather
from paydesk_simulator.weather import MOST


def refunds_under_way_do_not_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(refund, "refundable_minor", lambda intent: intent.received_minor - intent.refunded_minor)


def one_more_is_posted_than_captured(patch: pytest.MonkeyPatch) -> None:
    capture = postings.capture

    def generous(chart: Any, *, amount_minor: int, **more: Any) -> Any:
        return capture(chart, amount_minor=amount_minor + 1, **more)

    patch.setattr(postings, "capture", generous)


def what_a_failed_refund_took_is_gone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(refund_outcome.refund_books, "undone", lambda work, row, day: None)


def what_the_door_read_is_decided(patch: pytest.MonkeyPatch) -> None:
    """And written over what came meanwhile: no version is compared. (`version` in the WHERE alone guards against other
    processes: with one committer nothing would come of its absence.)
    """
    decide = BeginRefund.decide

    def stale(command: BeginRefund, work: Work) -> Reply:
        with work.nested() as inner:
            now = inner.get(type(command.intent), command.intent.account, command.intent.id)
            inner._changes[key_of(now)] = replace(command.intent, version=now.version)
            return decide(command, inner)

    patch.setattr(BeginRefund, "decide", stale)


def a_dispute_is_opened_each_time(patch: pytest.MonkeyPatch) -> None:
    """Whatever is heard of it, it is taken for a new one."""
    find, add = Work.find, Work.add

    def blind(work: Work, kind: Any, *key: str) -> Any:
        return None if kind is DisputeReference else find(work, kind, *key)

    def tolerant(work: Work, row: Any) -> Any:
        there = isinstance(row, DisputeReference) and find(work, DisputeReference, *key_of(row)[1])
        return row if there else add(work, row)

    patch.setattr(Work, "find", blind)
    patch.setattr(Work, "add", tolerant)


def late_payments_are_all_kept(patch: pytest.MonkeyPatch) -> None:
    """Whatever their merchant wants."""
    look = Work.look

    def greedy(work: Work, kind: Any, *key: str) -> Any:
        found = look(work, kind, *key)
        return replace(found, late_payments="keep") if isinstance(found, Account) else found

    patch.setattr(Work, "look", greedy)


def a_refund_costs_twice(patch: pytest.MonkeyPatch) -> None:
    record = refund.record

    def dear(*about: Any, fee_minor: int = 0, **more: Any) -> Any:
        return record(*about, fee_minor=2 * fee_minor, **more)

    patch.setattr(refund, "record", dear)


def money_is_available_on_its_day(patch: pytest.MonkeyPatch) -> None:
    """Without the delay that was agreed."""
    patch.setattr(maturity, "DAY_MS", 0)


def a_refund_is_sent_again_at_once(patch: pytest.MonkeyPatch) -> None:
    """Under a new key each time, as soon as a look-up does not find it."""
    asked = count()

    async def impatient(desk: Any, psp: Any, refund: Any, question: Any) -> Any:
        return await psp.look_up_refund(question)

    patch.setattr(refund_ask, "_looked_up", impatient)
    patch.setattr(RefundQuestion, "key", property(lambda question: f"{question.reference}:refund:{next(asked)}"))


def disputes_never_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dispute, "_close", lambda work, row, status, cause: None)


def what_is_late_is_nobodys(patch: pytest.MonkeyPatch) -> None:
    """Money that an attempt took after it counted as over is not written down."""
    for status in ("not_sent", "declined", "canceled", "abandoned"):
        patch.delitem(steps.STEPS, (status, Captured))


def a_late_hold_is_kept(patch: pytest.MonkeyPatch) -> None:
    """What an attempt holds after it counted as over is not let go of. In weather in which little else happens."""
    patch.setattr(weather, "MOST", dict.fromkeys(MOST, 0.0) | {"psp lands too late": 1.0})
    for status in ("not_sent", "declined", "canceled", "abandoned"):
        patch.delitem(steps.STEPS, (status, Authorised))
