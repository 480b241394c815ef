"""Which verdict means something in which state of an attempt: one table.

A pair that is not in it changes nothing, so the same verdict twice, or an older one after a newer, does no harm.
"""

from paydesk.payments.late import late
from paydesk.payments.settle import (
    Step,
    abandoned,
    authorised,
    captured,
    challenged,
    declined,
    let_go,
    not_sent,
    released,
)
from paydesk.psp.base import Authorised, Canceled, Captured, ChallengeWanted, Declined, NotSent

STEPS: dict[tuple[str, type], Step] = {
    ("asking", Captured): captured,
    ("asking", Authorised): authorised,
    ("asking", ChallengeWanted): challenged,
    ("asking", Declined): declined,
    ("asking", Canceled): abandoned,
    ("asking", NotSent): not_sent,
    ("requires_action", Captured): captured,
    ("requires_action", Authorised): authorised,
    ("requires_action", Declined): declined,
    ("requires_action", Canceled): abandoned,
    # No (requires_action, NotSent): the PSP has it; a question that was not sent says nothing about it.
    ("authorised", Captured): captured,
    ("authorised", Canceled): released,
    # An attempt that counted as over has the money after all: taken, or held.
    ("declined", Captured): late,
    ("declined", Authorised): let_go,
    ("not_sent", Captured): late,
    ("not_sent", Authorised): let_go,
    ("canceled", Captured): late,
    ("canceled", Authorised): let_go,
    ("abandoned", Captured): late,
    ("abandoned", Authorised): let_go,
    # Nothing of a captured attempt: what comes after is a refund or a dispute, with an object of its own.
}
