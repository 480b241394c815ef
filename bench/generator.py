"""The load generator, a process of its own (`python -m bench.generator`): orders on standard input, results out.

Requests are signed and cards sealed before the clock runs, so that this process's CPU is not in the way.
"""

import asyncio
import sys
import time
from collections import deque

import msgspec
import uvloop
from joserfc.jwk import ECKey

from bench.connection import Answered, Connection, connect
from bench.orders import Done, Order, Setting
from bench.requests import Opened, Requests
from bench.traffic import Pool, check, crowd, together

AHEAD_SECONDS = 0.2  # A live stream is opened so long before its payment is confirmed.


class Generator:
    """Keeps connections, and the intents that were opened and not yet paid."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._requests = Requests(setting)
        self._connections: dict[str, list[Connection]] = {}
        self._unpaid: deque[Opened] = deque()
        self._jwk: dict[str, str] = {}

    async def prepare(self, order: Order) -> list[bytes]:
        """Everything that will be sent, in order."""
        match order.what:
            case "ping":
                return [self._requests.ping() for _ in range(order.count)]
            case "list":
                return [self._requests.list() for _ in range(order.count)]
            case "create":
                return [self._requests.create() for _ in range(order.count)]
            case "charge":
                return [self._requests.charge() for _ in range(order.count)]
            case "status":
                intents = [self._unpaid[place % len(self._unpaid)] for place in range(order.count)]
                return [self._requests.status(intent) for intent in intents]
            case "confirm" | "pay":
                return await self._confirms(order.count)

    async def _confirms(self, count: int) -> list[bytes]:
        key_set = await (await self._crowd("confirm", 1))[0].exchange(self._requests.card_keys())
        jwk = msgspec.json.decode(key_set.body)["keys"][0]
        key = ECKey.import_key(jwk)
        return [self._requests.confirm(self._unpaid[place], jwk, key) for place in range(count)]

    async def run(self, order: Order, requests: list[bytes]) -> Done:
        """Send what was prepared."""
        if order.what == "pay":
            return await self._pay(order, requests)
        connections = await self._crowd(order.what, order.at_once)
        began = time.perf_counter()
        answers, latencies = await crowd(connections, requests, order.pause_seconds)
        seconds = time.perf_counter() - began
        self._remember(order, answers)
        return Done(seconds=seconds, latencies_us=latencies)

    async def _crowd(self, what: str, at_once: int) -> list[Connection]:
        origin = self._setting.psp if what == "charge" else self._setting.paydesk
        open_ones = self._connections.setdefault(origin, [])
        while len(open_ones) < at_once:
            open_ones.append(await connect(origin))
        return open_ones[:at_once]

    def _remember(self, order: Order, answers: list[Answered]) -> None:
        if order.what == "create" and order.keep:
            self._unpaid.extend(msgspec.json.decode(answer.body, type=Opened) for answer in answers)
        elif order.what == "confirm":
            for answer in answers:
                check_paid(answer)
                self._unpaid.popleft()

    async def _pay(self, order: Order, confirms: list[bytes]) -> Done:
        pool = Pool(self._setting.paydesk)
        paid = [self._unpaid.popleft() for _ in confirms]
        streams = [self._requests.stream(intent) for intent in paid]
        creates = [self._requests.create() for _ in confirms]
        latencies, read_us = [0] * order.count, dict[str, int]()
        began = asyncio.get_running_loop().time() + AHEAD_SECONDS

        async def pay(place: int) -> None:
            begins = began + place / order.per_second
            await until(begins - AHEAD_SECONDS)
            begun = asyncio.Event()
            following = asyncio.create_task(pool.follow(streams[place], begun))
            await begun.wait()
            await until(begins)
            opened, confirmed = await asyncio.gather(timed(pool, creates[place]), timed(pool, confirms[place]))
            check(opened[0])
            check_paid(confirmed[0])
            latencies[place] = confirmed[1]
            read_us[paid[place].id] = await following

        await together(pay(place) for place in range(order.count))
        seconds = asyncio.get_running_loop().time() - began
        return Done(seconds=seconds, latencies_us=latencies, read_us=read_us)


async def until(moment: float) -> None:
    await asyncio.sleep(max(moment - asyncio.get_running_loop().time(), 0))


async def timed(pool: Pool, request: bytes) -> tuple[Answered, int]:
    began = time.perf_counter_ns()
    return await pool.exchange(request), (time.perf_counter_ns() - began) // 1000


def check_paid(answered: Answered) -> None:
    check(answered)
    assert b'"status":"succeeded"' in answered.body, answered.body


async def obey() -> None:
    """Read a setting, then orders, until standard input ends."""
    generator = Generator(msgspec.json.decode(sys.stdin.readline(), type=Setting))
    while line := sys.stdin.readline():
        order = msgspec.json.decode(line, type=Order)
        requests = await generator.prepare(order)
        print("ready", flush=True)
        sys.stdin.readline()
        done = await generator.run(order, requests)
        print(msgspec.json.encode(done).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(obey())
