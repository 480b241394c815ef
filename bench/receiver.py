"""A merchant's webhook receiver, a process of its own (`python -m bench.receiver`): answers 200 and notes the time.

`GET /received?since=N` gives what came after the first N: intent, attempt, and microseconds since 1970.
"""

import asyncio
import signal
import time
from typing import cast

import httptools
import msgspec
import uvloop
from msgspec import Struct

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Intent(Struct):
    id: str
    latest_attempt: str | None


class Data(Struct):
    object: Intent


class Event(Struct):
    """As much of an event as is looked at."""

    type: str
    data: Data


class Received(Struct):
    """One delivery."""

    intent: str
    attempt: str | None
    received_us: int


class Listening(asyncio.Protocol):
    """One connection of Paydesk's, or of whoever asks what came."""

    def __init__(self, received: list[Received]) -> None:
        self._received = received
        self._parser = httptools.HttpRequestParser(self)
        self._url, self._body = b"", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has the methods, not the base class

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url, self._body = b"", b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._parser.get_method() == b"POST":
            self._take(time.time_ns() // 1000)
        else:
            since = int(self._url.rpartition(b"=")[2])
            shown = msgspec.json.encode(self._received[since:])
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(shown), shown))

    def _take(self, received_us: int) -> None:
        self._transport.write(OK)
        event = msgspec.json.decode(self._body, type=Event)
        intent = event.data.object
        self._received.append(Received(intent.id, intent.latest_attempt, received_us))


async def listen() -> None:
    """Listen on a free port until told to end."""
    received: list[Received] = []
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    server = await loop.create_server(lambda: Listening(received), "127.0.0.1", 0)
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()


if __name__ == "__main__":
    uvloop.run(listen())
