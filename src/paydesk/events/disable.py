"""An endpoint that fails: since when, and when enough is enough. Decided with the result of each attempt.

Whoever disables it tells the account's other endpoints, and the log: nothing more is sent there, so it can't be told.
"""

import msgspec

from paydesk.events.endpoints import DisabledReason, view
from paydesk.events.record import Subject, record
from paydesk.events.rows import Endpoint
from paydesk.events.schedule import Result
from paydesk.store import Work

FAILING_MS_MAX = 120 * 3_600_000
"""Five days without a success. A whole schedule of attempts takes 75.6 h, so it is more than one event that failed."""


def judge(work: Work, account: str, endpoint_id: str, result: Result, *, livemode: bool) -> Endpoint | None:
    """Note what this attempt says about its endpoint; the endpoint, if that disabled it."""
    endpoint = work.find(Endpoint, account, endpoint_id)
    if endpoint is None or endpoint.status != "enabled":
        return None
    if result.succeeded:
        if endpoint.failing_since_ms is not None:
            work.change(endpoint, failing_since_ms=None)
        return None
    since_ms = work.now_ms if endpoint.failing_since_ms is None else endpoint.failing_since_ms
    if result.gone:
        return _disable(work, endpoint, "gone", since_ms, livemode=livemode)
    if work.now_ms - since_ms >= FAILING_MS_MAX:
        return _disable(work, endpoint, "failing", since_ms, livemode=livemode)
    if endpoint.failing_since_ms is None:
        work.change(endpoint, failing_since_ms=since_ms)
    return None


def begin_anew(work: Work, account: str, endpoint_id: str) -> None:
    """A person retries what was given up there, and so says that it is mended: the five days begin again."""
    endpoint = work.find(Endpoint, account, endpoint_id)
    if endpoint and endpoint.status == "enabled" and endpoint.failing_since_ms is not None:
        work.change(endpoint, failing_since_ms=None)


def _disable(work: Work, endpoint: Endpoint, why: DisabledReason, since_ms: int, *, livemode: bool) -> Endpoint:
    event_id = work.id("evt", endpoint.account)
    disabled = work.change(
        endpoint,
        status="disabled",
        disabled_reason=why,
        failing_since_ms=since_ms,
        event_sequence=endpoint.event_sequence + 1,
        latest_event=event_id,
    )
    subject = Subject(
        account=endpoint.account,
        id=endpoint.id,
        livemode=livemode,
        sequence=disabled.event_sequence,
        previous_event_id=endpoint.latest_event,
    )
    record(work, event_id, "webhook_endpoint.disabled", subject, msgspec.json.encode(view(disabled, livemode=livemode)))
    return disabled
