"""A payment's events: the change and its event exist together or not at all."""

from typing import Any

from paydesk.events.record import EventType, Subject, record
from paydesk.payments.rows import Intent
from paydesk.payments.shapes import render
from paydesk.store import Work


def change_and_tell(work: Work, intent: Intent, event_type: EventType, **new: Any) -> Intent:
    """Change the intent and record the event that tells of it, with the intent as it is now."""
    event_id = work.id("evt", intent.account)
    changed = work.change(intent, event_sequence=intent.event_sequence + 1, latest_event=event_id, **new)
    _record(work, event_id, event_type, changed, intent.latest_event)
    return changed


def add_and_tell(work: Work, intent: Intent) -> Intent:
    """Put in a new intent, whose `latest_event` is already named, and record that event."""
    assert intent.latest_event is not None
    added = work.add(intent)
    _record(work, intent.latest_event, "payment_intent.created", added, None)
    return added


def _record(work: Work, event_id: str, event_type: EventType, intent: Intent, previous: str | None) -> None:
    subject = Subject(
        account=intent.account,
        id=intent.id,
        livemode=bool(intent.livemode),
        sequence=intent.event_sequence,
        previous_event_id=previous,
    )
    record(work, event_id, event_type, subject, render(intent))
