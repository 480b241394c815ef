"""What the operator does with dead duties: list, show, retry, drop. The same for every kind."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec.structs import asdict

from paydesk.assembly.accounts import account_id
from paydesk.audit import AuditEntry, reading
from paydesk.duties import dead as dead_duties
from paydesk.duties.dead import Drop, Retry
from paydesk.duties.rows import DeadDuty
from paydesk.errors import Refusal
from paydesk.payments.confirm import ASK_PSP
from paydesk.payments.errand import ERRAND
from paydesk.payments.maturity import MATURE
from paydesk.payments.refund import REFUND
from paydesk.payments.rows import Attempt, Errand, Refund
from paydesk.scrubbing import scrubbed
from paydesk.times import rfc3339
from paydesk.web.desk import DoorDesk

LISTED_MAX = 1000
RETRIED_AT_ONCE = 32  # In one commit, so that a long list does not hold the loop.
FOR_EVER_MS = 2**62


async def dead_list(desk: DoorDesk, *, kind: str | None, account: str | None, limit: int) -> dict[str, Any]:
    """Those that died longest ago first, and whether there are more."""
    if not 1 <= limit <= LISTED_MAX:
        raise Refusal("parameter_invalid", f"--limit must be from 1 to {LISTED_MAX}.", param="limit")
    account = await account_id(desk, account) if account else None
    found = await dead_duties.listed(desk.reader, kind=kind, account=account, before_ms=FOR_EVER_MS, limit=limit + 1)
    return {"dead": [_facts(dead) for dead in found[:limit]], "more": len(found) > limit}


async def dead_show(desk: DoorDesk, *, duty_id: str) -> dict[str, Any]:
    """Everything that is known of one; of one that was dropped, who did it, when and why."""
    try:
        return _facts(await dead_duties.find(desk.reader, duty_id))
    except Refusal:
        if dropped := await reading.why(desk.reader, duty_id):
            return _dropped(dropped)
        raise


async def dead_retry(desk: DoorDesk, *, duty_id: str | None, kind: str | None) -> dict[str, Any]:
    """Owe one again, or all of a kind that are dead by now; a `serve` does it at once."""
    if (duty_id is None) == (kind is None):
        raise Refusal("parameter_invalid", "Name one dead duty, or --all with its --kind.", param="id")
    if duty_id is not None:
        dead = await dead_duties.find(desk.reader, duty_id)
        return {"retried": await desk.submit(Retry(dead=((dead.account, dead.id),)))}
    retried, now_ms = 0, desk.world.now_ms()
    while some := await _dead_of_kind(desk, kind, before_ms=now_ms):  # What dies again meanwhile is not among them.
        retried += await desk.submit(Retry(dead=tuple((dead.account, dead.id) for dead in some)))
    return {"retried": retried}


async def dead_drop(desk: DoorDesk, *, duty_id: str, reason: str) -> dict[str, Any]:
    """Take one away for good. A question whose payment is open stays: dropped, nobody would ever learn its outcome; and
    so does money that waits to become available.
    """
    dead = await dead_duties.find(desk.reader, duty_id)
    if (is_open := OPEN.get(dead.kind)) and await is_open(desk, dead):
        raise Refusal(
            "invalid_state", "The outcome of this payment is unknown: money may have moved. Retry it.", param="id"
        )
    if dead.kind == MATURE:
        raise Refusal("invalid_state", "This is pending money that nobody would make available. Retry it.", param="id")
    if not reason.strip():
        raise Refusal("parameter_invalid", "Say why with --reason.", param="reason")
    dropped = await desk.submit(Drop(account=dead.account, id=dead.id))
    desk.log.warning("duty_dropped", duty=dropped.id, died_of=dropped.reason, dropped_because=scrubbed(reason))
    return {"dropped": dropped.id, "reason": scrubbed(reason)}


async def _dead_of_kind(desk: DoorDesk, kind: str | None, *, before_ms: int) -> list[DeadDuty]:
    return await dead_duties.listed(desk.reader, kind=kind, account=None, before_ms=before_ms, limit=RETRIED_AT_ONCE)


async def _attempt_is_open(desk: DoorDesk, dead: DeadDuty) -> bool:
    attempt = await desk.reader.get(Attempt, dead.account, dead.subject)
    return attempt is not None and attempt.status in ("asking", "requires_action")


async def _errand_is_open(desk: DoorDesk, dead: DeadDuty) -> bool:
    errand = await desk.reader.get(Errand, dead.account, dead.subject)
    return errand is not None and errand.status == "asking"


async def _refund_is_open(desk: DoorDesk, dead: DeadDuty) -> bool:
    refund = await desk.reader.get(Refund, dead.account, dead.subject)
    return refund is not None and refund.status in ("asking", "pending")


OPEN: Mapping[str, Callable[[DoorDesk, DeadDuty], Awaitable[bool]]] = {
    ASK_PSP: _attempt_is_open,
    ERRAND: _errand_is_open,
    REFUND: _refund_is_open,
}
"""Kinds of duties that learn what became of money, and whether that is still unknown."""


def _dropped(line: AuditEntry) -> dict[str, Any]:
    return {
        "id": line.object_id,
        "account": line.account,
        "dropped": rfc3339(line.at_ms),
        "dropped_by": line.actor,
        "reason": line.reason,
        "request": line.request_id,
    }


def _facts(dead: DeadDuty) -> dict[str, Any]:
    facts = asdict(dead)
    del facts["lease"], facts["created_ms"], facts["died_ms"]
    return facts | {"owed": rfc3339(dead.created_ms), "died": rfc3339(dead.died_ms)}
