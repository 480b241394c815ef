"""An event, in the commit of the change it tells of: rendered once, sent as the same bytes on every attempt."""

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from paydesk.events.rows import Event, Feed
from paydesk.store import Duty, Key, Work
from paydesk.times import rfc3339

DISPATCH = "dispatch"

EventType = Literal[
    "payment_intent.created",
    "payment_intent.requires_action",
    "payment_intent.processing",
    "payment_intent.amount_capturable_updated",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "late_payment.created",
    "late_payment.updated",
    "webhook_endpoint.disabled",
    "charge.dispute.created",
    "charge.dispute.closed",
]
EVENT_TYPES: tuple[str, ...] = EventType.__args__  # type: ignore[attr-defined]


class Subject(Struct, frozen=True, kw_only=True):
    """The object an event is about, and where its own count of events stands."""

    account: str
    id: str
    livemode: bool
    sequence: int
    """Of this event."""
    previous_event_id: str | None


class Data(Struct, frozen=True):
    object: msgspec.Raw


class Body(Struct, frozen=True, kw_only=True):
    """What receivers parse; `webhooks/` publishes its schema."""

    id: str
    object: Literal["event"] = "event"
    type: str
    timestamp: str
    livemode: bool
    sequence: int
    previous_event_id: str | None
    data: Data


def keys(account: str) -> Iterable[Key]:
    """The rows that recording an event wants."""
    return ((Feed, (account,)),)


def record(work: Work, event_id: str, event_type: EventType, subject: Subject, snapshot: bytes) -> Event:
    """Record the event and, where an endpoint may want it, owe its dispatch. `snapshot` is the object as rendered in
    this very decision.
    """
    feed = _advanced(work, subject.account)
    body = Body(
        id=event_id,
        type=event_type,
        timestamp=rfc3339(work.now_ms),
        livemode=subject.livemode,
        sequence=subject.sequence,
        previous_event_id=subject.previous_event_id,
        data=Data(msgspec.Raw(snapshot)),
    )
    event = Event(
        account=subject.account,
        id=event_id,
        position=feed.position,
        type=event_type,
        object_id=subject.id,
        sequence=subject.sequence,
        previous_event_id=subject.previous_event_id,
        body=msgspec.json.encode(body),
        created_ms=work.now_ms,
    )
    if feed.wants(event_type) or _previous_is_under_way(work, event):
        duty_id = f"{DISPATCH}:{event.id}"
        work.owe(Duty(account=event.account, id=duty_id, kind=DISPATCH, subject=event.id, note=event.object_id))
    return work.add(event)


def _previous_is_under_way(work: Work, event: Event) -> bool:
    """Then this one is dispatched too, wanted or not: the event after it looks no further back than to this one."""
    previous = event.previous_event_id
    return previous is not None and work.find(Duty, event.account, f"{DISPATCH}:{previous}") is not None


def want(work: Work, account: str, event_types: str) -> None:
    """From this commit on events of these types are dispatched. Called by whatever lets an endpoint ask for more."""
    feed = _feed(work, account)
    types = set(filter(None, f"{feed.wanted},{event_types}".split(",")))
    work.change(feed, wanted="*" if "*" in types else ",".join(sorted(types)))


def _advanced(work: Work, account: str) -> Feed:
    feed = _feed(work, account)
    return work.change(feed, position=feed.position + 1)


def _feed(work: Work, account: str) -> Feed:
    return work.find(Feed, account) or work.add(Feed(account=account))
