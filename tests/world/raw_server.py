"""A server on a loopback port that reads HTTP requests and then does what a test says with the bare connection."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Act = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One request that arrived whole, and the connection it came on."""

    def __init__(self, head: bytes, body: bytes, connection: int, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.body = body
        self.connection = connection
        self.writer = writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"ok", head: bytes = b"HTTP/1.1 200 OK\r\n") -> None:
        await self.say(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def header(self, name: str) -> list[str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [value.strip() for line in lines for key, _, value in [line.partition(":")] if key.lower() == name]


class RawServer:
    """`act` is called for each request; when it returns with the connection open, the next request is read."""

    def __init__(self, act: Act) -> None:
        self._act = act
        self.connections = 0
        self.visits: list[Visit] = []
        self.port = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        if task := asyncio.current_task():
            self.tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                visit = Visit(head, b"", number, writer)
                visit.body = await reader.readexactly(int("".join(visit.header("content-length")) or 0))
                self.visits.append(visit)
                await self._act(visit)
        writer.close()


@asynccontextmanager
async def raw_server(act: Act, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    raw = RawServer(act)
    server = await asyncio.start_server(raw.serve, host, 0, ssl=tls)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        for task in raw.tasks:
            task.cancel()
        await asyncio.wait(raw.tasks) if raw.tasks else None
