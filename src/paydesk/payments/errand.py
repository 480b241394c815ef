"""Errands: a capture or a cancel is recorded, the PSP is asked, its answer applied. One at a time per intent."""

from collections.abc import Iterable

from msgspec import Struct

from paydesk.duties.rows import DeadDuty
from paydesk.errors import Refusal
from paydesk.payments.rows import Attempt, Errand, Intent
from paydesk.store import Duty, Key, Work

ERRAND = "errand"


class Recorded(Struct, frozen=True, kw_only=True):
    """The errand, and the duty that runs it."""

    errand: Errand
    duty: Duty


def errand_id(errand: str) -> str:
    """The duty that runs this errand."""
    return f"{ERRAND}:{errand}"


def owe_errand(
    work: Work, attempt: Attempt, *, kind: str, why: str = "", amount_minor: int = 0, idempotency_key: str = ""
) -> Recorded:
    """Record it on an attempt whose `errands` was just raised, and owe it."""
    errand = work.add(
        Errand(
            account=attempt.account,
            id=work.id("op", attempt.account),
            kind=kind,
            why=why,
            intent=attempt.intent,
            attempt=attempt.id,
            number=attempt.errands,
            amount_minor=amount_minor,
            status="asking",
            idempotency_key=idempotency_key,
            created_ms=work.now_ms,
        )
    )
    duty = work.owe(Duty(account=errand.account, id=errand_id(errand.id), kind=ERRAND, subject=errand.id))
    return Recorded(errand=errand, duty=duty)


def record(
    work: Work, intent: Intent, *, kind: str, why: str = "", amount_minor: int = 0, idempotency_key: str = ""
) -> Recorded:
    """The same for the intent's latest attempt; the caller writes the errand's id on the intent."""
    assert intent.latest_attempt is not None
    attempt = work.get(Attempt, intent.account, intent.latest_attempt)
    attempt = work.change(attempt, errands=attempt.errands + 1)
    return owe_errand(work, attempt, kind=kind, why=why, amount_minor=amount_minor, idempotency_key=idempotency_key)


def check_free(intent: Intent) -> None:
    """Refuse what would run beside an errand, or beside an outcome that is still open."""
    if intent.errand:
        raise Refusal("operation_in_progress", "The PSP is being asked about this payment.", retry_after_seconds=2)


def keys(errand: Errand) -> Iterable[Key]:
    """The rows that an errand is about: a hint for the committer."""
    yield Errand, (errand.account, errand.id)
    yield Attempt, (errand.account, errand.attempt)
    yield Intent, (errand.account, errand.intent)
    for kind in (Duty, DeadDuty):
        yield kind, (errand.account, errand_id(errand.id))
