"""Every change of an intent passes here: the change, its line in the timeline and its event exist together or not at
all.
"""

from typing import Any, Protocol

import msgspec

from paydesk.events.record import EventType, Subject, record
from paydesk.payments.rows import Intent, TimelineEntry
from paydesk.payments.shapes import render
from paydesk.store import Work

NO_FACTS: dict[str, Any] = {}


class Told(Protocol):
    """An object whose events merchants get: an intent, a refund, a late payment."""

    @property
    def account(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def livemode(self) -> int: ...
    @property
    def event_sequence(self) -> int: ...
    @property
    def latest_event(self) -> str | None: ...


def change(
    work: Work,
    intent: Intent,
    what: str,
    cause: str,
    *,
    event: EventType | None = None,
    about: str = "",
    facts: dict[str, Any] = NO_FACTS,
    **new: Any,
) -> Intent:
    """Change the intent and say so: `what` happened, whose doing it was, what it was about, what is worth knowing.

    With an event, the merchant hears of it with the intent as it is now.
    """
    if event is None:
        changed = work.change(intent, **new)
    else:
        event_id = work.id("evt", intent.account)
        changed = work.change(intent, event_sequence=intent.event_sequence + 1, latest_event=event_id, **new)
        announce(work, event, changed, intent.latest_event, render(changed))
    _note(work, changed, what, cause, about=about, facts=facts)
    return changed


def tell_created(work: Work, intent: Intent, rendered: bytes, cause: str) -> None:
    """Record the first event of a new intent, which names it as its `latest_event`, and its first line."""
    announce(work, "payment_intent.created", intent, None, rendered)
    _note(work, intent, "created", cause, facts={"amount": intent.amount_minor, "currency": intent.currency})


def _note(work: Work, intent: Intent, what: str, cause: str, *, about: str = "", facts: dict[str, Any]) -> None:
    work.add(
        TimelineEntry(
            account=intent.account,
            intent=intent.id,
            entry=f"{intent.version:08d}",
            at_ms=work.now_ms,
            what=what,
            cause=cause,
            status=intent.status,
            about=about,
            facts=msgspec.json.encode(facts).decode() if facts else "{}",
        )
    )


def announce(work: Work, event_type: EventType, told: Told, previous: str | None, rendered: bytes) -> None:
    """Record the event that the object names as its latest, with the object as `rendered`."""
    assert told.latest_event is not None
    subject = Subject(
        account=told.account,
        id=told.id,
        livemode=bool(told.livemode),
        sequence=told.event_sequence,
        previous_event_id=previous,
    )
    record(work, told.latest_event, event_type, subject, rendered)
