"""Deliberate bugs, each patched in, and what the simulation says of it. No switch for them is in the server."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from paydesk.events import deliver, dispatch
from paydesk.payments import (
    ask,
    cancel,
    confirm,
    expire,
    refund_outcome,
    reply,
    states,
    steps,
    tell,
)
from paydesk.payments.shapes import render
from paydesk.payments.states import Move, Status
from paydesk.psp import sandbox
from paydesk.psp.base import (
    Canceled,
    Captured,
    Declined,
    NotFound,
    NotSent,
    NoVerdict,
    Question,
    Verdict,
)
from paydesk.psp.sandbox import SandboxPsp
from paydesk.requests import once as requests_once
from paydesk.requests.once import Claim, Once, Reply
from paydesk.store import Committer, Duty, Work
from paydesk_simulator import weather
from paydesk_simulator.weather import MOST
from tests.simulation import bugs_of_money as money

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
    patch.setattr(
        weather,
        "MOST",
        dict.fromkeys(MOST, 0.0) | {"psp lands after all": 1.0, "look-up late": 1.0, "notice lost": 1.0},
    )


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
        return now_ms - 60_000 if until_ms and now_ms % 3 == 0 else until_ms

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


def a_cancel_asks_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cancel, "HELD", ())


def what_succeeded_can_be_canceled(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(states._MOVES, (Status.SUCCEEDED, Move.CANCEL), Status.CANCELED)


def what_is_being_paid_expires(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(states._MOVES, (Status.PROCESSING, Move.EXPIRE), Status.CANCELED)


def any_signature_holds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sandbox.hmac, "compare_digest", lambda one, other: True)


def an_answer_is_never_kept(patch: pytest.MonkeyPatch) -> None:
    """The key of a capture, a cancel, a refund is claimed for ever."""
    for room in (reply, refund_outcome):
        patch.setattr(room, "finish_claim", lambda work, account, key, *, status, body: None)


def events_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    announce = tell.announce

    def forgetful(work: Work, event_type: Any, told: Any, previous: Any, rendered: bytes) -> None:
        announce(work, event_type, told, None if work.now_ms % 5 == 0 else previous, rendered)

    patch.setattr(tell, "announce", forgetful)


def a_capture_without_an_answer_is_one(patch: pytest.MonkeyPatch) -> None:
    capture = SandboxPsp.capture

    async def hopeful(psp: SandboxPsp, question: Any, amount_minor: int, number: int) -> Any:
        verdict = await capture(psp, question, amount_minor, number)
        if isinstance(verdict, NoVerdict):
            reference = question.psp_reference
            return Captured(psp_reference=reference, amount_minor=amount_minor, currency=question.currency)
        return verdict

    patch.setattr(SandboxPsp, "capture", hopeful)


def a_cancel_without_an_answer_is_one(patch: pytest.MonkeyPatch) -> None:
    let_go = SandboxPsp.cancel

    async def hopeful(psp: SandboxPsp, question: Any, number: int) -> Any:
        verdict = await let_go(psp, question, number)
        return Canceled(psp_reference=question.psp_reference) if isinstance(verdict, NoVerdict) else verdict

    patch.setattr(SandboxPsp, "cancel", hopeful)


def nothing_expires(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(expire, "_expire", lambda work, intent: work.change(intent, expires_ms=work.now_ms + 86_400_000))


def an_early_end_is_not_heard(patch: pytest.MonkeyPatch) -> None:
    """What the PSP let go of stays to be captured."""
    patch.delitem(steps.STEPS, ("authorised", Canceled))


def a_deed_is_not_written_down(patch: pytest.MonkeyPatch) -> None:
    write_down = requests_once._write_down

    def forgetful(work: Work, claim: Claim, reply: Reply) -> None:
        if work.now_ms % 7:
            write_down(work, claim, reply)

    patch.setattr(requests_once, "_write_down", forgetful)


def a_charge_is_sent_again_under_a_new_key(patch: pytest.MonkeyPatch) -> None:
    """Where the first had no answer."""
    authorise, asked = SandboxPsp.authorise, count()

    async def stubborn(psp: SandboxPsp, question: Any, card: Any) -> Verdict:
        verdict = await authorise(psp, question, card)
        return await authorise(psp, question, card) if isinstance(verdict, NoVerdict) else verdict

    patch.setattr(SandboxPsp, "authorise", stubborn)
    patch.setattr(Question, "key", lambda question, what, number: f"{question.reference}:{what}:{next(asked)}")


def events_tell_what_was_before(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tell, "render", lambda intent: render(replace(intent, status=Status.PROCESSING)))


BUGS: dict[Patch, str] = {
    answer_before_commit: "acknowledged as|was shown as",
    a_time_out_is_a_decline: r"is declined, the PSP has",
    a_nonce_is_burnt_per_process: "should be refused",
    not_found_is_believed_at_once: r"is not_sent, the PSP has",
    a_look_up_that_was_not_sent_is_a_verdict: r"is not_sent, the PSP has",
    a_slow_not_found_counts: "was captured 2 times|is not_sent, the PSP has",
    two_attempts_at_a_time: "was captured 2 times",
    answers_are_not_kept: "and then pi_|was opened as",
    an_event_overtakes_another: "out of order",
    a_delivery_is_put_off_to_the_past: "was put off to",
    a_success_is_not_dispatched: "at https://receiver",
    some_events_can_not_be_dispatched: "was parked: ",
    money.a_refund_is_sent_again_at_once: r"the PSP has \['(succeeded|pending|failed)', '",
    money.refunds_under_way_do_not_count: "gives back",
    a_cancel_asks_nobody: r"the PSP has \['(authorised|challenge|captured)'\]",
    money.one_more_is_posted_than_captured: "and should be|posted but not captured",
    what_succeeded_can_be_canceled: "was succeeded, and|a terminal status stays",
    what_is_being_paid_expires: "is canceled|canceled, and then|was canceled",
    any_signature_holds: "is forged, and was taken",
    money.disputes_never_end: "at the bank, and needs_response here",
    an_answer_is_never_kept: "still runs",
    money.what_a_failed_refund_took_is_gone: "posted are",
    events_are_not_counted: "has the events",
    a_capture_without_an_answer_is_one: r"is captured, the PSP has|took \d+, the PSP",
    a_cancel_without_an_answer_is_one: r"is (canceled|abandoned), the PSP has|before the PSP let go of it",
    nothing_expires: "is requires_capture",
    money.what_is_late_is_nobodys: r"the PSP has \['captured'\]",
    a_deed_is_not_written_down: "opened and written down are not the same",
    a_charge_is_sent_again_under_a_new_key: r"was captured 2 times|the PSP has \['(captured|authorised)', '",
    money.what_the_door_read_is_decided: "gives back|counts",
    money.a_dispute_is_opened_each_time: "was posted before",
    money.a_late_hold_is_kept: r"the PSP has \['authorised'\]",
    money.late_payments_are_all_kept: "and its merchant wants",
    money.a_refund_costs_twice: "/fees/.* should be",
    money.money_is_available_on_its_day: "matures on",
    events_tell_what_was_before: "was told of as processing",
    an_early_end_is_not_heard: "is requires_capture|is still asking|is still owed",
}
"""The bug → what the simulation says of it, among other things."""

SLOW = (
    a_slow_not_found_counts,
    money.a_refund_is_sent_again_at_once,
    a_cancel_asks_nobody,
    nothing_expires,
    answer_before_commit,
)
"""Those that live through more seeds than a test has time for: `make bugs` alone tries them."""
