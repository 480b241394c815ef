"""`/v1/payment_intents/{id}/status` and `/stream`: how it goes, told when it changes. Never behind a webhook already
delivered.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager

import msgspec

from paydesk.errors import Refusal
from paydesk.payments.rows import Intent
from paydesk.payments.shapes import render, shopper_view
from paydesk.payments.states import TERMINAL
from paydesk.store.published import Watch
from paydesk.web.call import JSON, Call, Response, Streaming, whole_number
from paydesk.web.shopper import Viewer, anyone

WAIT_SECONDS_MAX = 60
COMMENT_SECONDS = 15.0  # Proxies close what is silent for longer.
VERSION_MAX = 2**53
HELD_OF_INTENT_MAX = 8  # A shopper's tabs and a merchant's server; whoever holds one secret can't take every place.
STILL_HERE = b": still here\n\n"


async def status(call: Call) -> Response:
    """The intent now, or with `wait` as soon as its version is above `after`."""
    viewer = await anyone(call)
    parameters = call.parameters("wait", "after")
    wait = whole_number(parameters, "wait", default=0, low=0, high=WAIT_SECONDS_MAX)
    after = whole_number(parameters, "after", default=viewer.intent.version, low=0, high=VERSION_MAX)
    intent = viewer.intent
    if wait and intent.version <= after and intent.status not in TERMINAL:
        with _held(call, intent):
            intent = await _next_version(call, intent, after, wait)
    etag = f'"{intent.version}"'
    headers = [*JSON, (b"etag", etag.encode())]
    if _matches(call.header(b"if-none-match") or "", etag):
        return Response(status=304, headers=headers)
    return Response(body=_view(viewer, intent), headers=headers)


async def stream(call: Call) -> Streaming:
    """The status as a live stream of server-sent events, one for each version that is seen.

    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    viewer = await anyone(call)
    call.parameters()
    resumed = {"Last-Event-ID": call.header(b"last-event-id") or "0"}
    last = whole_number(resumed, "Last-Event-ID", default=0, low=0, high=VERSION_MAX)
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    return Streaming(headers=headers, chunks=_events(call, viewer, last))


async def _events(call: Call, viewer: Viewer, last: int) -> AsyncGenerator[bytes]:
    """An event for each version that is seen, a comment when nothing happens; ends at a terminal state."""
    desk, key = call.desk, (viewer.intent.account, viewer.intent.id)
    with _held(call, viewer.intent), desk.published.watch((Intent, key)) as watch:
        gone, first = _Gone(call, watch), True
        while not gone.told and not desk.stopping:
            intent = await desk.reader.get(Intent, *key)
            if intent is None:
                return
            if intent.version > last:
                last = intent.version
                yield b"id: %d\nevent: status\ndata: %s\n\n" % (last, _view(viewer, intent))
            elif first:
                yield STILL_HERE  # Nothing is new: the answer begins all the same, and does not look dead.
            first = False
            if intent.status in TERMINAL:
                return
            if not await watch.changed(COMMENT_SECONDS):
                yield STILL_HERE


class _Gone:
    """Whether the caller went away; rings the watch when it does."""

    def __init__(self, call: Call, watch: Watch) -> None:
        self.told = False
        self._call = call
        self._watch = watch
        call.desk.world.spawn(self._listen(), "a held request's caller")

    async def _listen(self) -> None:
        while (await self._call.receive())["type"] != "http.disconnect":
            pass
        self.told = True
        self._watch.ring()


async def _next_version(call: Call, intent: Intent, after: int, wait_seconds: int) -> Intent:
    desk, key = call.desk, (intent.account, intent.id)
    until = desk.world.monotonic() + wait_seconds
    with desk.published.watch((Intent, key)) as watch:
        gone, over = _Gone(call, watch), False
        while not desk.stopping and not gone.told:
            intent = await desk.reader.get(Intent, *key) or intent
            if intent.version > after or over:
                return intent
            over = not await watch.changed(until - desk.world.monotonic())  # One look more: see payments/waiting.py.
    return intent


def _matches(if_none_match: str, etag: str) -> bool:
    """Whether one of the listed tags is ours, weak or not (RFC 9110, section 13.1.2): proxies make them weak."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]


@contextmanager
def _held(call: Call, intent: Intent) -> Generator[None]:
    """One more request that is held open; refused above `streams_max`, and above a few for one intent."""
    desk = call.desk
    if desk.held >= desk.config.streams_max or desk.held_by[intent.id] >= HELD_OF_INTENT_MAX:
        raise Refusal("overloaded", "Too many streams are open. Ask the status instead.", retry_after_seconds=5)
    desk.held += 1
    desk.held_by[intent.id] += 1
    try:
        yield
    finally:
        desk.held -= 1
        desk.held_by[intent.id] -= 1
        if not desk.held_by[intent.id]:
            del desk.held_by[intent.id]


def _view(viewer: Viewer, intent: Intent) -> bytes:
    if viewer.is_merchant:
        return render(intent)
    return msgspec.json.encode(shopper_view(intent, viewer.account.merchant_name))
