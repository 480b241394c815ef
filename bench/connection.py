"""One kept HTTP connection, as little as a load generator needs: bytes out, status and body in."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools


class Answered(NamedTuple):
    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """Exchanges one request after the other. `on_chunk` hears of a body's parts as they come."""

    def __init__(self) -> None:
        self.on_chunk: Callable[[bytes], None] | None = None
        self._parts: list[bytes] = []
        self._answered: asyncio.Future[Answered] | None = None
        self._begin()

    async def exchange(self, request: bytes) -> Answered:
        """Send the request as it stands and read its whole answer."""
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answered

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has the methods, not the base class

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_exception(ConnectionError("the connection ended before the answer"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)
        if self.on_chunk:
            self.on_chunk(body)

    def on_message_complete(self) -> None:
        answered = Answered(self._parser.get_status_code(), b"".join(self._parts))
        self._begin()
        if self._answered and not self._answered.done():
            self._answered.set_result(answered)

    def _begin(self) -> None:
        self._parts = []
        self._parser = httptools.HttpResponseParser(self)


async def connect(origin: str) -> Connection:
    """A connection to `http://host:port`."""
    host, _, port = urlsplit(origin).netloc.partition(":")
    _, connection = await asyncio.get_running_loop().create_connection(Connection, host, int(port))
    return connection
