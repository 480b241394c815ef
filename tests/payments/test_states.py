"""The table of moves, both sides: what each pair gives, and that no other pair gives anything."""

import pytest

from paydesk.errors import Refusal
from paydesk.payments.states import MEANS, TERMINAL, Move, Status, allowed, move, table

# The moves stand in the order of the enum: attach, confirm, challenge, authorise, capture, decline, abandon, not_sent,
# cancel, expire.
DRAWN = """
requires_payment_method confirmation processing -      -       succeeded -      -      -      canceled canceled
requires_confirmation   confirmation processing -      -       succeeded -      -      -      canceled canceled
requires_action         -            -          -      capture succeeded method method -      canceled -
processing              -            -          action capture succeeded method method method -        -
requires_capture        -            -          -      -       succeeded -      -      -      canceled canceled
succeeded               -            -          -      -       -         -      -      -      -        -
canceled                -            -          -      -       -         -      -      -      -        -
"""
SHORT = {
    "confirmation": Status.REQUIRES_CONFIRMATION,
    "capture": Status.REQUIRES_CAPTURE,
    "method": Status.REQUIRES_PAYMENT_METHOD,
    "action": Status.REQUIRES_ACTION,
    "processing": Status.PROCESSING,
    "succeeded": Status.SUCCEEDED,
    "canceled": Status.CANCELED,
}
PAIRS = [
    (Status(before), how, None if word == "-" else SHORT[word])
    for before, *words in (line.split() for line in DRAWN.strip().splitlines())
    for how, word in zip(Move, words, strict=True)
]


def test_every_pair_is_drawn() -> None:
    assert {(before, how) for before, how, _ in PAIRS} == {(before, how) for before in Status for how in Move}


@pytest.mark.parametrize(("before", "how", "then"), PAIRS)
def test_a_pair(before: Status, how: Move, then: Status | None) -> None:
    assert allowed(before.value, how) == (then is not None)
    if then:
        assert move(before.value, how) is then
    else:
        with pytest.raises(Refusal, match=before.value) as refused:
            move(before.value, how)
        assert refused.value.code == "invalid_state"


def test_terminal_statuses_lead_nowhere_and_all_others_somewhere() -> None:
    assert {status for status, moves in table() if not moves} == TERMINAL


def test_what_the_docs_draw_is_the_table() -> None:
    drawn = {(before, how): then for before, moves in table() for how, then in moves}
    assert drawn == {(before, how): then for before, how, then in PAIRS if then}
    assert set(MEANS) == set(Move)
