"""A house in this process whose clock is turned: the server's own rooms, the sandbox's rules, receivers in memory.

With nothing to do it is at once as late as the next timer, so three days of retries take a second.
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from msgspec import Struct

from paydesk.assembly.house import House
from paydesk.assembly.migrate import migrate
from paydesk.assembly.opening import prepare
from paydesk.assembly.operator import Request, act, merchants_create, webhooks_add
from paydesk.config import Config
from paydesk.sealing.sealer import Sealer
from paydesk.store.lists import Lists
from paydesk.store.sqlite import SqliteReader, SqliteSession
from paydesk.telemetry import Log
from paydesk.web.door import Door
from paydesk.world import Answer, NoAnswer, NotSent, Outgoing
from paydesk_client import PaydeskAuth, verify_webhook
from paydesk_sandbox.psp.rules import Call, Psp, Terms
from tests.stage.stage import SHOP
from tests.vault.seal_card import seal_card

START_MS = 1_800_000_000_000
PSP = "http://psp.example"
BANK = "https://bank.example"
PAYDESK = "http://paydesk.example"

PSP_TASK = "the PSP"

Sent = Answer | NoAnswer | NotSent


class Arrived(Struct, frozen=True, kw_only=True):
    """One attempt to deliver, as the receiver saw it."""

    at_ms: int
    event: dict[str, Any]
    headers: dict[str, str]
    body: bytes
    answered: int

    @property
    def type(self) -> str:
        return self.event["type"]


class TurnedReceiver:
    """A merchant's receiver; `answers` are its next answers by event type, 200 when there are none."""

    def __init__(self, world: "TurnedWorld", url: str) -> None:
        self.url = url
        self.secret = ""
        self.arrived: list[Arrived] = []
        self.answers: dict[str, list[Answer | int]] = {}
        self._world = world

    def take(self, request: Outgoing) -> Sent:
        headers = dict(request.headers)
        event = verify_webhook(request.body, headers, self.secret, now=self._world.wall_ms() / 1000)
        waiting = self.answers.get(event["type"], [])
        answer = waiting.pop(0) if waiting else 200
        given = answer if isinstance(answer, Answer) else Answer(status=answer, headers={}, body=b"")
        self.arrived.append(
            Arrived(at_ms=self._world.now_ms(), event=event, headers=headers, body=request.body, answered=given.status)
        )
        return given

    def of(self, event_type: str) -> list[Arrived]:
        return [one for one in self.arrived if one.type == event_type]

    @property
    def taken(self) -> list[str]:
        """The types of the events that were taken, in their order."""
        return [one.type for one in self.arrived if one.answered == 200]


class TurnedWorld:
    """The loop's clock, this machine's dice, a PSP and receivers in memory."""

    def __init__(self, *, prunes: bool) -> None:
        self.psp = Psp(salt=b"turned", terms=Terms(origin=BANK))
        self._prunes = prunes
        self.receivers: dict[str, TurnedReceiver] = {}
        self.away: bool | str = False
        """Whether the PSP refuses connections: all of them, or those for requests of this method."""
        self.acted = asyncio.Event()
        """Rung whenever the PSP did something: it may have something to tell."""
        self.failed: list[tuple[str, BaseException]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def now_ms(self) -> int:
        return START_MS + round(self.monotonic() * 1000)

    def wall_ms(self) -> int:
        return self.now_ms()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def random(self, size: int) -> bytes:
        return os.urandom(size)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        if name == "pruning" and not self._prunes:
            work.close()
            work = asyncio.sleep(0)
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def send(self, request: Outgoing) -> Sent:
        if not request.url.startswith(PSP):
            return self.receivers[request.url].take(request)
        if self.away in (True, request.method):
            return NotSent("refused")
        answered: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self.spawn(self._answer(request, answered), PSP_TASK)
        try:
            async with asyncio.timeout(request.total_timeout_seconds):
                return await answered
        except TimeoutError:
            return NoAnswer("timeout")

    async def _answer(self, request: Outgoing, answered: asyncio.Future[Sent]) -> None:
        """What the PSP does, whether or not anybody still waits for its answer."""
        answer = await self._act(request)
        if not answered.done():
            answered.set_result(answer)

    async def _act(self, request: Outgoing) -> Sent:
        path, _, query = request.url.removeprefix(PSP).partition("?")
        headers = dict(request.headers)
        call = Call(
            method=request.method,
            path=path,
            query=query,
            authorisation=headers["authorization"],
            idempotency_key=headers.get("idempotency-key", ""),
            body=request.body,
        )
        self.psp.due(self.now_ms())
        handling = self.psp.meet(call, self.now_ms())
        await asyncio.sleep(handling.act_after_ms / 1000)
        answer = self.psp.act(call, handling, self.now_ms())
        self.acted.set()
        await asyncio.sleep(handling.end_after_ms / 1000)
        return Answer(status=answer.status, headers={}, body=answer.body) if answer else NoAnswer("closed")

    def die(self) -> None:
        """Everything of the house stops where it stands; what reached the PSP goes on there."""
        for task in self._tasks:
            if task.get_name() != PSP_TASK:
                task.cancel()

    async def end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (why := task.exception()):
            self.failed.append((task.get_name(), why))


class TurnedStores:
    def __init__(self, database: Path) -> None:
        self.session = SqliteSession(database, commit_in_thread=False)
        self.reader = SqliteReader(database)
        self.lists = Lists(database)  # Not asked here: it reads in threads, which a turned clock does not wait for.

    def close(self) -> None:
        self.session.close()
        self.reader.close()


class Turned:
    """The house at work, with one merchant."""

    def __init__(self, house: House, world: TurnedWorld, log: BytesIO, stores: TurnedStores) -> None:
        self.house = house
        self.stores = stores
        self.world = world
        self.log = log
        self.facts: dict[str, str] = {}
        self._door = Door(house)

    async def receiver(self, name: str, *, ordering: str = "default") -> TurnedReceiver:
        """A receiver for all events, added by the operator or, for its `ordering`, over the API."""
        receiver = TurnedReceiver(self.world, f"https://{name}.example/hooks")
        self.world.receivers[receiver.url] = receiver
        if ordering == "default":
            added = await webhooks_add(self.house, merchant=self.facts["account_id"], url=receiver.url, events=["*"])
        else:
            body = {"url": receiver.url, "ordering": ordering}
            added = (await self.send("POST", "/v1/webhook_endpoints", json=body)).json()
        receiver.secret = added["secret"]
        return receiver

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A signed request, at the right time."""
        auth = PaydeskAuth(self.facts["key_id"], self.facts["secret"], clock=lambda: self.world.wall_ms() / 1000)
        async with self.http(auth=auth) as client:
            return await client.request(method, path, **more)

    async def open(self, key: str = "order-1", amount: int = 4200, **more: Any) -> dict[str, Any]:
        body = {"amount": amount, "currency": "usd"} | more
        answer = await self.send("POST", "/v1/payment_intents", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def card_key(self) -> dict[str, str]:
        async with self.http() as client:
            return (await client.get("/checkout/keys")).json()["keys"][0]

    async def pay(self, intent: dict[str, Any], number: str, jwk: dict[str, str] | None = None) -> httpx.Response:
        """As the frame does, with the newest card key or an older one."""
        return await self.confirm(intent, await self.seal(intent, number, jwk))

    async def seal(self, intent: dict[str, Any], number: str, jwk: dict[str, str] | None = None) -> str:
        inside = {"v": 1, "number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123", "intent": intent["id"]}
        inside |= {"origin": SHOP, "iat": self.world.now_ms() // 1000, "jti": os.urandom(12).hex()}
        return seal_card(jwk or await self.card_key(), inside)

    async def confirm(self, intent: dict[str, Any], jwe: str) -> httpx.Response:
        async with self.http(headers={"authorization": f"Bearer {intent['client_secret']}"}) as client:
            return await client.post(f"/checkout/{intent['id']}/confirm", json={"card": jwe})

    async def stream(self, intent: dict[str, Any], seconds: float) -> list[tuple[float, bytes]]:
        """What a stream sends in so many seconds, with the second in which it came; then its caller leaves."""
        began, told = self.world.monotonic(), list[tuple[float, bytes]]()
        path = f"/v1/payment_intents/{intent['id']}/stream"
        headers = [(b"authorization", f"Bearer {intent['client_secret']}".encode())]
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}

        async def receive() -> dict[str, str]:
            await asyncio.sleep(seconds)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message.get("body"):
                told.append((self.world.monotonic() - began, message["body"]))

        await self._door(scope | {"headers": headers, "client": ("127.0.0.1", 1)}, receive, send)
        return told

    async def read(self, intent: dict[str, Any]) -> dict[str, Any]:
        return (await self.send("GET", f"/v1/payment_intents/{intent['id']}")).json()

    def faults(self) -> list[str]:
        """The errors that were logged since the last look: those that a test means to make."""
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        self.log.seek(0)
        self.log.truncate()
        return [line["event"] for line in lines]

    async def operate(self, what: str, **arguments: Any) -> dict[str, Any]:
        """What the command of that name gets for an answer."""
        return await act(self.house, Request(what, arguments))

    def captured(self) -> list[int]:
        """What the PSP's books say was taken."""
        charges = [entry.charge for entry in self.world.psp.books.entries.values()]
        return [charge.amount_captured for charge in charges if charge.status == "captured"]

    async def restart(self) -> None:
        """A death and a new start: nothing that was under way here is finished, and what is owed is taken over."""
        self.world.die()
        self.stores.close()
        config, sealer = self.house.config, self.house.sealer
        prepare(config, sealer, self.world)
        self.stores = TurnedStores(config.database)
        self.house = House(
            world=self.world, config=config, sealer=sealer, stores=self.stores, log=Log("error", self.log)
        )
        self._door = Door(self.house)
        await self.house.start()

    async def end(self) -> None:
        await self.house.stop()
        await self.world.end()
        self.stores.close()

    def http(self, **more: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self._door), base_url=PAYDESK, timeout=None, **more)


@cache
def migrated() -> bytes:
    """A database that the migrations made; each house begins with a copy of it."""
    with TemporaryDirectory() as folder:
        migrate(Path(folder, "paydesk.db"))
        return Path(folder, "paydesk.db").read_bytes()


@asynccontextmanager
async def turned(
    folder: Path, *, prunes: bool = False, terms: Mapping[str, Any] | None = None, **settings: Any
) -> AsyncGenerator[Turned]:
    """A house at work in `folder`; whatever it logged as an error fails the test. Pruning takes a look every ten
    seconds, which is many looks in three days: it is for those who ask for it. `terms` are the merchant's,
    such as its fee.
    """
    folder.mkdir()
    world, log = TurnedWorld(prunes=prunes), BytesIO()
    config = Config(**{"data": folder, "rate_limits": False, "port": 443} | settings)
    sealer = Sealer(os.urandom(32))
    config.database.write_bytes(migrated())
    prepare(config, sealer, world)
    stores = TurnedStores(config.database)
    house = House(world=world, config=config, sealer=sealer, stores=stores, log=Log("error", log))
    await house.start()
    playing = Turned(house, world, log, stores)
    playing.facts = await merchants_create(
        house,
        name="Tea House",
        origins=[SHOP],
        psp_url=PSP,
        psp_key="psp-key-of-tea",
        **({"fee": "0"} | dict(terms or {})),
    )
    try:
        yield playing
    finally:
        await playing.end()
    assert world.failed == []
    assert log.getvalue() == b""
