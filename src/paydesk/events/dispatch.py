"""Dispatching an event: which endpoints it goes to, and never before the event that came ahead of it."""

import asyncio
from collections.abc import Iterable

from msgspec.structs import replace

from paydesk.duties.lease import finish
from paydesk.events import endpoints
from paydesk.events.deliver import EventDesk, attempt, record_result
from paydesk.events.record import DISPATCH
from paydesk.events.rows import Delivery, Endpoint, Event
from paydesk.store import Command, Duty, Key, Rank, Work

LOOK_AGAIN_SECONDS = 5.0  # While an earlier event is under way elsewhere; its commit wakes us sooner.


class FinishDispatch(Command[None], frozen=True):
    """Every endpoint had its first attempt, or none wants the event."""

    RANK = Rank.BACKGROUND

    duty: Duty

    def keys(self) -> Iterable[Key]:
        return ((Duty, (self.duty.account, self.duty.id)),)

    def decide(self, work: Work) -> None:
        finish(work, self.duty)


async def dispatch(desk: EventDesk, duty: Duty, carried: object) -> None:
    """Choose the endpoints by a read after the commit (a stale cache would lose events) and make each first attempt."""
    event = await desk.reader.get(Event, duty.account, duty.subject)
    if event is None:
        raise AssertionError(f"{duty.id} has no event")
    wanting = [
        endpoint
        for endpoint in await endpoints.of_account(desk.reader, event.account)
        if endpoint.status == "enabled" and endpoint.wants(event.type)
    ]
    if len(wanting) == 1 and await _previous_is_over(desk, event):
        return await _first_attempt(desk, duty, event, wanting[0], ends_dispatch=True)
    sending = [
        desk.world.spawn(_first_attempt(desk, duty, event, endpoint, ends_dispatch=False), f"{duty.id}:{endpoint.id}")
        for endpoint in wanting
    ]
    if sending:
        await asyncio.wait(sending)  # All of them: one that fails must not leave another behind without its lease.
    for attempted in sending:
        attempted.result()
    await _until_previous_is_over(desk, event)
    return await desk.submit(FinishDispatch(duty=duty))


async def _first_attempt(desk: EventDesk, duty: Duty, event: Event, endpoint: Endpoint, *, ends_dispatch: bool) -> None:
    if not ends_dispatch:
        await _after_previous(desk, event, endpoint)
    resumed = duty.lease > 1  # Then this endpoint may have had its attempt.
    if resumed and await desk.reader.get(Delivery, event.account, event.id, endpoint.id):
        if ends_dispatch:
            await desk.submit(FinishDispatch(duty=duty))
        return
    command = await attempt(desk, duty, event, endpoint, None)
    await record_result(desk, replace(command, ends_dispatch=ends_dispatch))


async def _after_previous(desk: EventDesk, event: Event, endpoint: Endpoint) -> None:
    """Wait until the object's last event before this one that goes to this endpoint had its first attempt there.

    What goes to other endpoints alone is not waited for: their receivers may take their time.
    """
    if await _previous_is_over(desk, event) or (previous := await _previous_wanted(desk, event, endpoint)) is None:
        return
    duty_key = (event.account, f"{DISPATCH}:{previous}")
    delivery_key = (event.account, previous, endpoint.id)
    with desk.published.watch((Duty, duty_key), (Delivery, delivery_key)) as watch:
        while await desk.reader.get(Duty, *duty_key) and not await desk.reader.get(Delivery, *delivery_key):
            await watch.changed(LOOK_AGAIN_SECONDS)


async def _previous_wanted(desk: EventDesk, event: Event, endpoint: Endpoint) -> str | None:
    earlier: Event | None = event
    while earlier and earlier.previous_event_id:
        earlier = await desk.reader.get(Event, event.account, earlier.previous_event_id)
        if earlier and endpoint.wants(earlier.type):
            return earlier.id
    return None


async def _previous_is_over(desk: EventDesk, event: Event) -> bool:
    """Whether the object's previous event, and so every earlier one, had all its first attempts."""
    previous = event.previous_event_id
    return previous is None or await desk.reader.get(Duty, event.account, f"{DISPATCH}:{previous}") is None


async def _until_previous_is_over(desk: EventDesk, event: Event) -> None:
    """Dispatches of one object end in order, so that one look tells whether anything earlier is under way."""
    with desk.published.watch((Duty, (event.account, f"{DISPATCH}:{event.previous_event_id}"))) as watch:
        while not await _previous_is_over(desk, event):
            await watch.changed(LOOK_AGAIN_SECONDS)
