"""`serve`: one process with API, frame, webhooks and duties, from opening the data folder to the last commit."""

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from msgspec.structs import replace

from paydesk.assembly import admin, control, files
from paydesk.assembly.checks import CHECK_SECONDS, CannotOpen, check_database, check_folder
from paydesk.assembly.house import House
from paydesk.assembly.listening import announced, bind, port_of, uvicorn_config
from paydesk.assembly.opening import DataLock, find_sealer, prepare
from paydesk.assembly.operator import BEGINNING
from paydesk.config import OFF, Config, check_origin_known
from paydesk.store.later import ListsLater
from paydesk.store.sqlite import SqliteReader, SqliteSession
from paydesk.telemetry import Log
from paydesk.web.connections import Connections
from paydesk.web.door import Door
from paydesk.world.http import HttpOut
from paydesk.world.real import RealWorld

GARBAGE_OBJECTS = 5_000  # New objects before cycles among them are looked for; Python's 700 costs 4 % of a payment.


class SqliteStores:
    """The one file of a shop."""

    def __init__(self, database: Path) -> None:
        self.session = SqliteSession(database)
        self.reader = SqliteReader(database)
        self.lists = ListsLater(database)

    def close(self) -> None:
        """The writer last: whoever closes last puts the write-ahead log into the file, and a reader may not."""
        self.reader.close()
        self.session.close()


@asynccontextmanager
async def opened(
    config: Config, environment: Mapping[str, str], log: Log, *, commits_only: bool = False
) -> AsyncGenerator[House]:
    """The data folder opened and the house at work; drained and closed afterwards."""
    with closing(DataLock(config.data)):
        _check(config, log)
        world = real_world(config, log)
        sealer = find_sealer(config, environment, world)
        prepare(config, sealer, world)
        stores = SqliteStores(config.database)
        house = House(world=world, config=config, sealer=sealer, stores=stores, log=log)
        await house.start(commits_only=commits_only)
        try:
            yield house
        finally:
            await house.stop()
            await world.close()
            stores.close()


def _check(config: Config, log: Log) -> None:
    check_folder(config)
    looked = check_database(config)
    log.info("opening", database=str(config.database), checked=looked)
    if looked == "too slow":
        log.warning("database_not_wholly_checked", seconds=CHECK_SECONDS)


def real_world(config: Config, log: Log) -> RealWorld:
    """This machine; webhooks never reach our own listener."""
    own = [(config.host, config.port)]
    if config.admin_listens_on is not None:
        own.append((config.admin_host, config.admin_listens_on))
    http = HttpOut(config.networks, own=lambda: own, anywhere_max=2 * config.asking_max)
    return RealWorld(http, failed=lambda name, why: log.error("task_failed", task=name, exc_info=why))


class Server(uvicorn.Server):
    """Tells the house of a stop before it waits for what is being answered, so that streams and held requests end."""

    def __init__(self, config: uvicorn.Config, house: House) -> None:
        super().__init__(config)
        self._house = house

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """A stop is how `serve` is meant to end; uvicorn's own raises the signal again, which would end the process
        before the house has drained.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._house.stop_holding()
        await super().shutdown(sockets)


async def serve(
    config: Config, environment: Mapping[str, str], log: Log, ready: Callable[[str, str | None], None]
) -> int:
    """Serve until SIGTERM or SIGINT; the exit status. `ready(origin, admin)` is called when requests are answered:
    where they are, and where the admin listener is.
    """
    check_origin_known(config)
    listener = bind(config.host, config.port, "Choose another --port (0 takes a free one).")
    watched = admin.bound(config)
    config = replace(config, port=port_of(listener), admin_port=str(port_of(watched)) if watched else OFF)
    async with opened(config, environment, log) as house:
        room = Connections(files.connections_max(config, files.raise_limit()), config.connections_per_address_max)
        server = Server(uvicorn_config(house, Door(house), room), house)
        commands = await control.listen(house, config.data)
        _calm_collector()
        async with admin.served(house, watched) as where:
            house.world.spawn(announced(server, lambda: ready(config.origin, where)), "announce")
            house.world.spawn(_stop_when_broken(house, server), "watch the database")
            await server.serve([listener])
        commands.close()
        control.socket_path(config.data).unlink(missing_ok=True)
        return 1 if house.broken and house.broken.done() else 0


def _calm_collector() -> None:
    """What is there by now stays, and is not looked at again. Of the rest little is in cycles: look for them seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, 10, 10)


async def _stop_when_broken(house: House, server: uvicorn.Server) -> None:
    """A database that failed in COMMIT ends the process: what is stored, only the next start can tell."""
    assert house.broken is not None
    await house.broken
    server.should_exit = True


async def told(
    config: Config, environment: Mapping[str, str], log: Log, request: control.Request, *, new_data: bool = True
) -> AsyncGenerator[dict[str, Any]]:
    """The lines of the operator's request, through a running `serve` or, where none runs, with the data folder opened
    for it; with `new_data` also one that has nothing in it yet.

    Then nothing that is due is done: the settings of this command are not those that webhooks and PSPs are asked with.
    """
    if (lines := await control.follow(config.data, request)) is not None:
        async with aclosing(lines):
            async for line in lines:
                yield line
        return
    if not new_data and not config.database.exists():
        raise CannotOpen(
            f"There is no {config.database}. Name the data folder with --data; `serve` and `merchants create` make one."
        )
    async with (
        opened(config, environment, log, commits_only=True) as house,
        aclosing(control.tell(house, request)) as lines,
    ):
        async for line in lines:
            yield line


async def with_house(
    config: Config, environment: Mapping[str, str], log: Log, request: control.Request
) -> dict[str, Any]:
    """The one line that such a request is answered with."""
    new_data = request.what in BEGINNING
    async with aclosing(told(config, environment, log, request, new_data=new_data)) as lines:
        return await anext(lines)
