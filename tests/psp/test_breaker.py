"""The breaker: opens after failures in a row, lets one through after a pause, and comes back step by step."""

from hypothesis import given
from hypothesis import strategies as st

from paydesk.psp.breaker import FAILURES, PASSES, PAUSE_SECONDS, PAUSE_SECONDS_MAX, Breaker, Breakers


def ask(breaker: Breaker, now: float, *, answered: bool) -> None:
    with breaker.question(lambda: now) as question:
        question.answered = answered


def broken(now: float = 100.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        ask(breaker, now, answered=False)
    return breaker


def admitted(breaker: Breaker, now: float, many: int = 200) -> int:
    return sum(breaker.admit(now) == 0 for _ in range(many))


def test_failures_that_are_not_in_a_row_open_nothing() -> None:
    breaker = Breaker()
    for _ in range(5 * FAILURES):
        for _ in range(FAILURES - 1):
            ask(breaker, 1.0, answered=False)
        ask(breaker, 1.0, answered=True)
    assert not breaker.open
    assert admitted(breaker, 1.0) == 200


def test_after_failures_in_a_row_nothing_new_begins_until_the_pause_is_over_and_then_one() -> None:
    breaker = broken()
    assert breaker.open
    assert admitted(breaker, 100.0) == 0
    assert 0 < breaker.admit(101.0) <= PAUSE_SECONDS
    assert admitted(breaker, 100.0 + PAUSE_SECONDS) == 1


def test_each_attempt_that_fails_makes_the_pause_longer_up_to_a_limit() -> None:
    breaker, now, pauses = broken(), 100.0, []
    for _ in range(8):
        wait = breaker.admit(now)
        pauses.append(wait)
        now += wait
        assert breaker.admit(now) == 0
        ask(breaker, now, answered=False)
    assert pauses == sorted(pauses)
    assert pauses[-1] <= PAUSE_SECONDS_MAX


def test_what_is_asked_anyway_heals_it_too() -> None:
    breaker = broken()
    ask(breaker, 100.5, answered=True)
    assert not breaker.open


def test_it_comes_back_step_by_step() -> None:
    breaker, let_through = broken(), []
    ask(breaker, 101.0, answered=True)
    while (many := admitted(breaker, 101.0)) < 200:
        let_through.append(many)
        ask(breaker, 101.0, answered=True)
    assert let_through == [1, 2, 4, 8, 16, 32]
    assert PASSES == 64


def test_one_failure_while_it_comes_back_opens_it_again() -> None:
    breaker = broken()
    ask(breaker, 101.0, answered=True)
    ask(breaker, 101.0, answered=True)
    ask(breaker, 101.5, answered=False)
    assert breaker.open
    assert admitted(breaker, 101.5) == 0


def test_who_was_let_through_and_began_nothing_blocks_nobody_for_long() -> None:
    breaker = broken()
    ask(breaker, 101.0, answered=True)
    assert admitted(breaker, 101.0) == 1
    assert breaker.admit(103.0) == 0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 30)), max_size=60))
def test_whatever_happened_it_heals_when_the_psp_answers(history: list[tuple[bool, float]]) -> None:
    breaker, now = Breaker(), 0.0
    for answered, pause in history:
        now += pause
        breaker.admit(now)
        ask(breaker, now, answered=answered)
    for _ in range(8):
        now += PAUSE_SECONDS_MAX
        assert breaker.admit(now) == 0
        ask(breaker, now, answered=True)
    assert admitted(breaker, now) == 200


def test_each_psp_has_its_own() -> None:
    breakers = Breakers()
    for _ in range(FAILURES):
        ask(breakers.of("sandbox", "http://a"), 1.0, answered=False)
    assert breakers.of("sandbox", "http://a").open
    assert not breakers.of("sandbox", "http://b").open
    assert breakers.open() == 1
