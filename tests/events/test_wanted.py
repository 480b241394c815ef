"""An event that no endpoint ever asked for is recorded and not dispatched; nothing that one asked for is left out."""

import pytest

from paydesk.events import Event
from paydesk.events.endpoints import AddEndpoint
from paydesk.events.record import DISPATCH, EventType, Subject, record
from paydesk.events.rows import EndpointCount, Feed
from paydesk.store import Duty, Stamp, Work
from paydesk.store.work import WorkingSet

ACCOUNT = "acct_b6jxhdg7"


class Shop:
    """One account's rows in memory, without a database."""

    def __init__(self) -> None:
        self.rows = WorkingSet()
        self.rows.learn(
            [
                (Feed, (ACCOUNT,)),
                (EndpointCount, (ACCOUNT,)),
                *((Duty, (ACCOUNT, f"{DISPATCH}:evt_{n}")) for n in range(9)),
            ],
            [],
        )
        self.count = 0

    def ask_for(self, event_types: str) -> None:
        """Add an endpoint."""
        self.count += 1
        command = AddEndpoint(
            account=ACCOUNT,
            endpoint_url="https://shop.example/webhooks",
            enabled_events=event_types,
            ordering="default",
            description=None,
            added_by="merchant",
            secret_sealed=b"sealed",
            sealed_for=f"we_{self.count}",
        )
        work = self.work()
        command.decide(work)
        work.keep()

    def happens(self, event_type: EventType, sequence: int = 1) -> bool:
        """Record an event of the one object there is; whether it is dispatched."""
        previous = f"evt_{sequence - 1}" if sequence > 1 else None
        subject = Subject(account=ACCOUNT, id="pi_1", livemode=False, sequence=sequence, previous_event_id=previous)
        work = self.work()
        event = record(work, f"evt_{sequence}", event_type, subject, b"{}")
        work.keep()
        return self.rows.current.get((Duty, (ACCOUNT, f"{DISPATCH}:{event.id}"))) is not None

    def is_dispatched(self, sequence: int) -> None:
        self.rows.current[Duty, (ACCOUNT, f"{DISPATCH}:evt_{sequence}")] = None

    def work(self) -> Work:
        return Work(self.rows, Stamp(now_ms=1_700_000_000_000, random62=1, process="here"))


def test_without_an_endpoint_events_are_recorded_and_nothing_is_dispatched() -> None:
    shop = Shop()
    assert not shop.happens("payment_intent.created")
    event = shop.rows.current[Event, (ACCOUNT, "evt_1")]
    assert isinstance(event, Event)
    assert event.position == 1


@pytest.mark.parametrize("event_types", ["*", "payment_intent.succeeded,payment_intent.created"])
def test_what_an_endpoint_asks_for_is_dispatched_from_then_on(event_types: str) -> None:
    shop = Shop()
    assert not shop.happens("payment_intent.created")
    shop.ask_for(event_types)
    assert shop.happens("payment_intent.succeeded", 2)
    feed = shop.rows.current[Feed, (ACCOUNT,)]
    assert isinstance(feed, Feed)
    assert feed.position == 2, "an endpoint does not count in the feed"


def test_what_several_endpoints_ask_for_adds_up() -> None:
    shop = Shop()
    shop.ask_for("payment_intent.succeeded")
    shop.ask_for("payment_intent.payment_failed")
    assert shop.happens("payment_intent.succeeded")
    assert not shop.happens("payment_intent.processing", 3)
    assert shop.happens("payment_intent.payment_failed", 5)
    shop.ask_for("*")
    shop.ask_for("payment_intent.succeeded")
    assert shop.happens("payment_intent.processing", 7)


def test_a_type_is_not_taken_for_a_part_of_another() -> None:
    assert not Feed(account=ACCOUNT, wanted="payment_intent.created").wants("payment_intent")
    assert not Feed(account=ACCOUNT).wants("payment_intent.created")


def test_behind_an_event_that_is_under_way_the_next_one_is_dispatched_too() -> None:
    """Else the event after it would not see that the first one is under way, and overtake it."""
    shop = Shop()
    shop.ask_for("payment_intent.created,payment_intent.succeeded")
    assert shop.happens("payment_intent.created", 1)
    assert shop.happens("payment_intent.processing", 2)
    shop.is_dispatched(2)
    assert not shop.happens("payment_intent.processing", 3)
