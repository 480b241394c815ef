"""Deliberate bugs, each patched in and caught within a few seeds: the simulation bites."""

from pathlib import Path

import pytest

from paydesk.events import deliver, dispatch
from paydesk.payments import ask, confirm, states
from paydesk.payments.states import Move, Status
from paydesk.psp.base import Declined, NotFound, NotSent, NoVerdict, Verdict
from paydesk.psp.sandbox import SandboxPsp
from paydesk.requests import once as requests_once
from paydesk.requests.once import Claim, Once, Reply
from paydesk.store import Committer, Duty, Work
from paydesk_simulator import weather
from paydesk_simulator.run import simulate
from tests.simulation.bites import catch
from tests.simulation.bugs import BUGS, Patch, slow_look_ups

SEEDS_MAX = 60
PAYMENTS = 30

Patch = Callable[[pytest.MonkeyPatch], None]


def answer_before_commit(patch: pytest.MonkeyPatch) -> None:
    decide_one = Committer._decide_one

    def early(committer: Committer, rows: Any, waiting: Any) -> object:
        answer = decide_one(committer, rows, waiting)
        waiting.answer(answer)
        return answer

    patch.setattr(Committer, "_decide_one", early)


def a_time_out_is_a_decline(patch: pytest.MonkeyPatch) -> None:
    authorise = SandboxPsp.authorise

    async def hasty(psp: SandboxPsp, question: Any, card: Any) -> Verdict:
        verdict = await authorise(psp, question, card)
        if isinstance(verdict, NoVerdict):
            return Declined(psp_reference="none", decline_code="processing_error")
        return verdict

    patch.setattr(SandboxPsp, "authorise", hasty)


def a_nonce_is_burnt_per_process(patch: pytest.MonkeyPatch) -> None:
    decide = Once.decide

    def forgetful(once: Once, work: Work) -> Reply:
        claim = replace(once.claim, nonce=once.claim.nonce + work.process)
        return decide(Once(claim=claim, inner=once.inner), work)

    patch.setattr(Once, "decide", forgetful)


def not_found_is_believed_at_once(patch: pytest.MonkeyPatch) -> None:
    def credulous(verdict: Verdict, *, definitive: bool) -> Verdict:
        if isinstance(verdict, NotFound):
            return NotSent(reason="the PSP never received it")
        return NoVerdict(reason=verdict.reason) if isinstance(verdict, NotSent) else verdict

    patch.setattr(ask, "looked_up", credulous)


def a_look_up_that_was_not_sent_is_a_verdict(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ask, "looked_up", lambda verdict, *, definitive: verdict)


def a_slow_not_found_counts(patch: pytest.MonkeyPatch) -> None:
    """What the simulation found: a charge that landed after the look-up was asked and before it was answered."""
    counts_ms = ask.not_found_counts_ms
    slow_look_ups(patch)

    def by_the_answer(duty: Any, psp: Any, now_ms: int) -> int:
        return counted if now_ms < (counted := counts_ms(duty, psp, now_ms)) else 0

    patch.setattr(ask, "not_found_counts_ms", by_the_answer)


def slow_look_ups(patch: pytest.MonkeyPatch) -> None:
    """Weather in which little else happens."""
    patch.setattr(weather, "MOST", dict.fromkeys(MOST, 0.0) | {"psp lands after all": 1.0, "look-up late": 1.0})


def two_attempts_at_a_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(confirm, "_check_payable", lambda intent, attempts_max: None)
    patch.setitem(states._MOVES, (Status.PROCESSING, Move.CONFIRM), Status.PROCESSING)


def answers_are_not_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reply, "keeps", property(lambda reply: False))


def an_event_overtakes_another(patch: pytest.MonkeyPatch) -> None:
    async def over(desk: object, event: object) -> bool:
        return True

    patch.setattr(dispatch, "_previous_is_over", over)


def a_delivery_is_put_off_to_the_past(patch: pytest.MonkeyPatch) -> None:
    held_back_until = deliver._held_back_until

    async def late(desk: Any, event: Any, endpoint: Any, now_ms: int) -> int | None:
        until_ms = await held_back_until(desk, event, endpoint, now_ms)
        return now_ms - 6000 if until_ms and now_ms % 3 == 0 else until_ms

    patch.setattr(deliver, "_held_back_until", late)


def a_success_is_not_dispatched(patch: pytest.MonkeyPatch) -> None:
    owe = Work.owe

    def forgetful(work: Work, duty: Duty, *, after_ms: int = 0) -> Duty:
        return duty if duty.kind == "dispatch" and work.now_ms % 7 == 0 else owe(work, duty, after_ms=after_ms)

    patch.setattr(Work, "owe", forgetful)


def some_events_can_not_be_dispatched(patch: pytest.MonkeyPatch) -> None:
    of_account = dispatch.endpoints.of_account

    async def picky(reader: Any, account: str) -> Any:
        found = await of_account(reader, account)
        return [replace(one, enabled_events=None) for one in found] if "x" in account else found

    patch.setattr(dispatch.endpoints, "of_account", picky)


def a_deed_is_not_written_down(patch: pytest.MonkeyPatch) -> None:
    write_down = requests_once._write_down

    def forgetful(work: Work, claim: Claim, reply: Reply) -> None:
        if work.now_ms % 7:
            write_down(work, claim, reply)

    patch.setattr(requests_once, "_write_down", forgetful)


BUGS: dict[Patch, str] = {
    answer_before_commit: "acknowledged as|was shown as",
    a_time_out_is_a_decline: r"is declined, the PSP has",
    a_nonce_is_burnt_per_process: "should be refused",
    not_found_is_believed_at_once: r"is not_sent, the PSP has",
    a_look_up_that_was_not_sent_is_a_verdict: r"is not_sent, the PSP has",
    a_slow_not_found_counts: "was captured 2 times",
    two_attempts_at_a_time: "was captured 2 times",
    answers_are_not_kept: "and then pi_|was opened as",
    an_event_overtakes_another: "out of order",
    a_delivery_is_put_off_to_the_past: "was put off to",
    a_success_is_not_dispatched: "at https://receiver",
    some_events_can_not_be_dispatched: "was parked: ",
    a_deed_is_not_written_down: "opened and written down are not the same",
}
"""The bug → what the simulation says of it, among other things."""


def violations(migrated: Path) -> Iterator[str]:
    for seed in range(SEEDS_MAX):
        yield from (f"{seed}: {violation}" for violation in simulate(migrated, seed, payments=PAYMENTS).violations)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_bug_is_caught(migrated: Path, bug: Patch) -> None:
    assert catch(migrated, bug, seeds_max=SEEDS_MAX, payments=PAYMENTS).seeds


@pytest.mark.parametrize("seed", [19, 22, 30])
def test_slow_look_ups_charge_nobody_twice(migrated: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    slow_look_ups(monkeypatch)
    assert not simulate(migrated, seed, payments=PAYMENTS).violations
