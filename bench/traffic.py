"""Sending: many at once, each as soon as the one before it was answered; or so many a second, whatever the answers."""

import asyncio
import time
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from typing import Any

from bench.connection import Answered, Connection, connect

STREAM_SECONDS = 30.0


class Unexpected(Exception):
    """An answer that is not the one being measured: there is no figure then."""


async def crowd(
    connections: Sequence[Connection], requests: Sequence[bytes], pause_seconds: float
) -> tuple[list[Answered], list[int]]:
    """Every request once, as many at once as there are connections. Answers and latencies (µs) in their order."""
    answers, latencies = [Answered(0, b"")] * len(requests), [0] * len(requests)
    queue = iter(enumerate(requests))

    async def work(connection: Connection, some: Iterator[tuple[int, bytes]]) -> None:
        for place, request in some:
            began = time.perf_counter_ns()
            answers[place] = await connection.exchange(request)
            latencies[place] = (time.perf_counter_ns() - began) // 1000
            check(answers[place])
            if pause_seconds:
                await asyncio.sleep(pause_seconds)

    await together(work(connection, queue) for connection in connections)
    return answers, latencies


async def together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All of them at once; what goes wrong first ends everything."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as several:
        raise several.exceptions[0] from None


class Pool:
    """Connections that are opened when all are busy."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._idle: list[Connection] = []

    async def exchange(self, request: bytes) -> Answered:
        connection = self._idle.pop() if self._idle else await connect(self._origin)
        answered = await connection.exchange(request)
        self._idle.append(connection)
        return answered

    async def follow(self, request: bytes, begun: asyncio.Event) -> int:
        """Read a live stream to its end: when `succeeded` was read, in microseconds since 1970. `begun`: it talks."""
        connection = self._idle.pop() if self._idle else await connect(self._origin)
        read: list[int] = []

        def hear(chunk: bytes) -> None:
            begun.set()
            if b'"status":"succeeded"' in chunk:
                read.append(time.time_ns() // 1000)

        connection.on_chunk = hear
        check(await asyncio.wait_for(connection.exchange(request), STREAM_SECONDS))
        connection.on_chunk = None
        self._idle.append(connection)
        if not read:
            raise Unexpected("a stream ended without `succeeded`")
        return read[0]


def check(answered: Answered) -> None:
    if answered.status != 200:
        raise Unexpected(f"{answered.status} instead of 200: {answered.body[:500].decode(errors='replace')}")
