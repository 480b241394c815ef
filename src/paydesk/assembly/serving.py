"""`serve`: one process with API, frame, webhooks and duties, from opening the data folder to the last commit."""

import gc
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

import uvicorn
from msgspec.structs import replace

from paydesk.assembly import admin, control, files
from paydesk.assembly.asking_first import asked_first
from paydesk.assembly.checks import CannotOpen
from paydesk.assembly.house import House
from paydesk.assembly.listening import Server, announced, bind, port_of, uvicorn_config
from paydesk.assembly.opened import housed, locked, opened
from paydesk.assembly.operator import BEGINNING
from paydesk.config import OFF, Config, check_origin_known
from paydesk.telemetry import Log
from paydesk.web.connections import Connections
from paydesk.web.door import Door

GARBAGE_OBJECTS = 5_000  # New objects before cycles among them are looked for; Python's 700 costs 4 % of a payment.


async def serve(
    config: Config,
    environment: Mapping[str, str],
    log: Log,
    ready: Callable[[str, str | None], None],
    *,
    ask_first: bool = True,
) -> int:
    """Serve until SIGTERM or SIGINT; the exit status. `ready(origin, admin)` is called when requests are answered:
    where they are, and where the admin listener is. With a restored database that is when all PSPs were asked, unless
    `ask_first` is off.
    """
    check_origin_known(config)
    listener = bind(config.host, config.port, "Choose another --port (0 takes a free one).")
    watched = admin.bound(config)
    config = replace(config, port=port_of(listener), admin_port=str(port_of(watched)) if watched else OFF)
    with locked(config, log):
        listeners = [listener, watched] if watched else [listener]
        if not await asked_first(config, environment, log, listeners, ask=ask_first):
            return 0
        async with housed(config, environment, log) as house:
            return await _serve(house, listener, watched, ready)


async def _serve(
    house: House, listener: socket.socket, watched: socket.socket | None, ready: Callable[[str, str | None], None]
) -> int:
    config = house.config
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
