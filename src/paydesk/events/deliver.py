"""One attempt to deliver an event to an endpoint, and what follows from it."""

from collections.abc import Iterable
from typing import Protocol

import msgspec
from msgspec.structs import replace

from paydesk.desk import Desk
from paydesk.duties.dead import bury
from paydesk.duties.lease import finish, held, put_off
from paydesk.duties.rows import DeadDuty
from paydesk.events import endpoints, signing
from paydesk.events.disable import begin_anew, judge
from paydesk.events.rows import Delivery, Endpoint, Event
from paydesk.events.schedule import HOLD_MS, Result, next_delay_ms, result_of
from paydesk.scrubbing import scrubbed
from paydesk.sealing.sealer import Sealer
from paydesk.store import Command, Duty, Key, Rank, Work, table_of
from paydesk.times import rfc3339_or_none
from paydesk.world import Outgoing
from paydesk.world.turns import Turns

DELIVER = "deliver"
# Under way at once. Who waits for a place has made no attempt; a dead receiver takes its own places and no others'.
AT_ENDPOINT_MAX = 16
OF_ACCOUNT_MAX = 64
AT_ALL_MAX = 512  # As many as there are connections.
LOOK_AGAIN_MS = 1000  # After the time of the event in front; its success lets this one go sooner.

_COLUMNS = ", ".join(f'"{column}"' for column in table_of(Delivery).columns)
_PAIR = 'FROM "deliveries" WHERE "account" = ? AND "endpoint" = ? AND "object_id" = ? AND "status" = \'pending\''
# The earliest event of this object that this endpoint has yet to take, before a given one and first tried after a time.
BLOCKING = f'SELECT {_COLUMNS} {_PAIR} AND "sequence" < ? AND "first_attempt_ms" > ? ORDER BY "sequence" LIMIT 1'
# The next event of this object that waits for this endpoint, after a given one.
WAITING = f'SELECT {_COLUMNS} {_PAIR} AND "sequence" > ? ORDER BY "sequence" LIMIT 1'


class EventDesk(Desk, Protocol):
    """A desk that can open what is sealed, and knows who is outside."""

    @property
    def sealer(self) -> Sealer: ...
    @property
    def turns(self) -> Turns: ...


class RecordDelivery(Command[Endpoint | None], frozen=True):
    """The result of an attempt, in one row per event and endpoint. Replies the endpoint, if that disabled it."""

    RANK = Rank.BACKGROUND

    duty: Duty
    """The dispatch (first attempt) or the delivery's own duty (all later ones)."""
    delivery: Delivery
    """The row as it shall be; its version is what was read, 1 for a new one."""
    ends_dispatch: bool = False
    """The last endpoint of a dispatch: its duty is done with this."""
    result: Result | None = None
    """Of the attempt; None where none was made."""
    failing: bool = False
    """Whether the endpoint failed before, or does now: else there is nothing to note on it."""
    livemode: bool = False
    """Whether the event was of live mode; known where it failed."""
    releases: str | None = None
    """The event that was held back behind this one and may go now."""
    unlisted: bool = False
    """Given up, and not for people to retry: the endpoint was deleted."""

    def keys(self) -> Iterable[Key]:
        delivery = self.delivery
        yield Duty, (self.duty.account, self.duty.id)
        yield Delivery, (delivery.account, delivery.event, delivery.endpoint)
        if self.failing:
            yield Endpoint, (delivery.account, delivery.endpoint)

    def decide(self, work: Work) -> Endpoint | None:
        row = work.find(Delivery, self.delivery.account, self.delivery.event, self.delivery.endpoint)
        if row is None:
            self._first(work)
        else:
            self._again(work, row)
            if row.status == "dead":
                begin_anew(work, row.account, row.endpoint)
        if self.releases:
            _release(work, self.delivery, self.releases)
        if self.result is None or not self.failing:
            return None
        return judge(work, self.delivery.account, self.delivery.endpoint, self.result, livemode=self.livemode)

    def _first(self, work: Work) -> None:
        held(work, self.duty)
        work.add(self.delivery)
        if self.delivery.next_attempt_ms is not None:
            work.owe(duty_of(self.delivery), after_ms=max(self.delivery.next_attempt_ms - work.now_ms, 1))
        self._list_if_dead(work)
        if self.ends_dispatch:
            finish(work, self.duty)

    def _again(self, work: Work, row: Delivery) -> None:
        if self.duty.kind != DELIVER:  # A dispatch resumed after a crash: this endpoint had its first attempt.
            if self.ends_dispatch:
                finish(work, self.duty)
            return
        held(work, self.duty)
        work.change(row, **_results(self.delivery))
        if self.delivery.next_attempt_ms is None:
            finish(work, self.duty)
        else:
            put_off(work, self.duty, due_ms=self.delivery.next_attempt_ms)
        self._list_if_dead(work)

    def _list_if_dead(self, work: Work) -> None:
        delivery, duty = self.delivery, duty_of(self.delivery)
        if delivery.status != "dead" or self.unlisted:
            return
        dead = DeadDuty(
            account=duty.account,
            id=duty.id,
            kind=duty.kind,
            subject=duty.subject,
            note=duty.note,
            tries=delivery.attempts,
            failures=0,
            reason=scrubbed(delivery.error or "given up"),
            lease=self.duty.lease if self.duty.kind == DELIVER else 0,
            created_ms=delivery.first_attempt_ms,
            died_ms=work.now_ms,
        )
        bury(work, dead)


def duty_of(delivery: Delivery) -> Duty:
    """The duty that tries this delivery again."""
    return Duty(
        account=delivery.account,
        id=f"{DELIVER}:{delivery.event}:{delivery.endpoint}",
        kind=DELIVER,
        subject=delivery.event,
        note=delivery.endpoint,
    )


async def deliver(desk: EventDesk, duty: Duty, carried: object) -> None:
    """A later attempt is due."""
    event = await desk.reader.get(Event, duty.account, duty.subject)
    delivery = await desk.reader.get(Delivery, duty.account, duty.subject, duty.note)
    if event is None or delivery is None:
        raise AssertionError(f"{duty.id} has no event or no delivery")
    endpoint = await desk.reader.get(Endpoint, duty.account, duty.note)
    if endpoint is None or endpoint.status != "enabled":
        given_up = replace(delivery, status="dead", next_attempt_ms=None, error="the endpoint is gone or disabled")
        await desk.submit(RecordDelivery(duty=duty, delivery=given_up, unlisted=endpoint is None))
        return
    if delivery.status == "dead":  # Retried by a person: the whole schedule begins anew.
        delivery = replace(delivery, status="pending", attempts=0)
    await record_result(desk, await attempt(desk, duty, event, endpoint, delivery))


async def record_result(desk: EventDesk, command: RecordDelivery) -> None:
    """Commit it. What disables an endpoint is also in the log: this endpoint can't be told, and others need not be."""
    if disabled := await desk.submit(command):
        desk.log.warning(
            "endpoint_disabled",
            account=disabled.account,
            endpoint=disabled.id,
            reason=disabled.disabled_reason,
            failing_since=rfc3339_or_none(disabled.failing_since_ms),
        )


def parked(work: Work, dead: DeadDuty) -> None:
    """A delivery whose duty was parked is given up, so that it holds nothing back."""
    row = work.find(Delivery, dead.account, dead.subject, dead.note)
    if row and row.status == "pending":
        work.change(row, status="dead", next_attempt_ms=None, error="a fault of ours; it waits for a retry")


async def attempt(
    desk: EventDesk, duty: Duty, event: Event, endpoint: Endpoint, before: Delivery | None
) -> RecordDelivery:
    """Send the event, unless an earlier one of its object holds it back; returns what is to be recorded."""
    now_ms = desk.world.now_ms()
    recorded = before is not None  # Nothing waits behind a first attempt that goes well.
    before = before or _never_tried(event, endpoint, now_ms)
    if until_ms := await _held_back_until(desk, event, endpoint, now_ms):
        waiting = replace(before, status="pending", next_attempt_ms=until_ms, error="held back behind an earlier event")
        return RecordDelivery(duty=duty, delivery=waiting)
    async with desk.turns.take((endpoint.id, AT_ENDPOINT_MAX), (event.account, OF_ACCOUNT_MAX), ("", AT_ALL_MAX)):
        now_ms = desk.world.now_ms()
        result = await _send(desk, event, endpoint, now_ms)
    desk.metrics.deliveries.labels("succeeded" if result.succeeded else "failed").inc()
    after = _after(desk, before, result, now_ms)
    releases = await _next_waiting(desk, after) if recorded and after.status != "pending" else None
    if not result.succeeded:
        _log_failure(desk, after)
    return RecordDelivery(
        duty=duty,
        delivery=after,
        result=result,
        failing=not result.succeeded or endpoint.failing_since_ms is not None,
        livemode=not result.succeeded and msgspec.json.decode(event.body, type=_Mode).livemode,
        releases=releases,
    )


class _Mode(msgspec.Struct):
    """Of an event's body, the mode."""

    livemode: bool


def _log_failure(desk: EventDesk, after: Delivery) -> None:
    """Its URL may hold a token of the receiver's, and is not shown."""
    desk.log.warning(
        "delivery_failed",
        account=after.account,
        endpoint=after.endpoint,
        webhook_id=after.event,
        type=after.type,
        attempt=after.attempts,
        error=after.error,
        next_attempt=rfc3339_or_none(after.next_attempt_ms),
    )


async def _send(desk: EventDesk, event: Event, endpoint: Endpoint, now_ms: int) -> Result:
    secrets = endpoints.secrets(desk.sealer, endpoint, now_ms)
    request = Outgoing(
        method="POST",
        url=endpoint.url,
        headers=signing.headers(event.id, desk.world.wall_ms() // 1000, event.body, secrets),
        body=event.body,
        reach="operator" if endpoint.added_by == "operator" else "merchant",
        total_timeout_seconds=desk.config.delivery_timeout_seconds,
    )
    return result_of(await desk.world.send(request), desk.world.wall_ms())


async def _held_back_until(desk: Desk, event: Event, endpoint: Endpoint, now_ms: int) -> int | None:
    """When to look again, if an earlier event of this object has yet to reach this endpoint and still has time."""
    if event.sequence == 1:
        return None
    strict = endpoint.ordering == "strict"
    pair = (event.account, endpoint.id, event.object_id, event.sequence)
    earlier = await desk.reader.query(Delivery, BLOCKING, (*pair, 0 if strict else now_ms - HOLD_MS))
    if not earlier:
        return None
    # Never in the past: while the earlier one is under way its time is over, and this one would come again at once.
    until_ms = max(earlier[0].next_attempt_ms or 0, now_ms) + LOOK_AGAIN_MS
    return until_ms if strict else min(until_ms, earlier[0].first_attempt_ms + HOLD_MS)


async def _next_waiting(desk: Desk, delivery: Delivery) -> str | None:
    pair = (delivery.account, delivery.endpoint, delivery.object_id, delivery.sequence)
    later = await desk.reader.query(Delivery, WAITING, pair)
    return later[0].event if later else None


def _never_tried(event: Event, endpoint: Endpoint, now_ms: int) -> Delivery:
    return Delivery(
        account=event.account,
        event=event.id,
        endpoint=endpoint.id,
        object_id=event.object_id,
        sequence=event.sequence,
        type=event.type,
        status="pending",
        attempts=0,
        response_status=None,
        error=None,
        first_attempt_ms=now_ms,
        last_attempt_ms=now_ms,
        next_attempt_ms=None,
        duration_ms=0,
    )


def _after(desk: Desk, before: Delivery, result: Result, began_ms: int) -> Delivery:
    now_ms = desk.world.now_ms()
    attempts = before.attempts + 1
    chance = int.from_bytes(desk.world.random(4), "big") / 2**32
    delay_ms = None if result.succeeded or result.gone else next_delay_ms(attempts, result.retry_after_seconds, chance)
    status = "succeeded" if result.succeeded else "dead" if delay_ms is None else "pending"
    return replace(
        before,
        status=status,
        attempts=attempts,
        response_status=result.response_status,
        error=result.error,
        last_attempt_ms=began_ms,
        next_attempt_ms=None if delay_ms is None else now_ms + delay_ms,
        duration_ms=now_ms - began_ms,
    )


def _results(delivery: Delivery) -> dict[str, object]:
    return {
        "status": delivery.status,
        "attempts": delivery.attempts,
        "response_status": delivery.response_status,
        "error": delivery.error,
        "last_attempt_ms": delivery.last_attempt_ms,
        "next_attempt_ms": delivery.next_attempt_ms,
        "duration_ms": delivery.duration_ms,
    }


def _release(work: Work, delivery: Delivery, event: str) -> None:
    """Let the event that waited behind this delivery go at once."""
    duty_id = f"{DELIVER}:{event}:{delivery.endpoint}"
    duty = work.find(Duty, delivery.account, duty_id)
    if duty and not duty.owner and duty.due_ms > work.now_ms:
        work.change(duty, due_ms=work.now_ms)
