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
    _record(work, event_type, changed, intent.latest_event, render(changed))
    return changed


def tell_created(work: Work, intent: Intent, rendered: bytes) -> None:
    """Record the first event of a new intent, which names it as its `latest_event`."""
    _record(work, "payment_intent.created", intent, None, rendered)


def _record(work: Work, event_type: EventType, intent: Intent, previous: str | None, rendered: bytes) -> None:
    """The event that the intent names as its latest, with the intent as `rendered`."""
    assert intent.latest_event is not None
    subject = Subject(
        account=intent.account,
        id=intent.id,
        livemode=bool(intent.livemode),
        sequence=intent.event_sequence,
        previous_event_id=previous,
    )
    record(work, intent.latest_event, event_type, subject, rendered)
