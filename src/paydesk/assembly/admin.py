"""The admin listener: a second server in the same process, for whoever watches over Paydesk."""

import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from paydesk.assembly.house import House
from paydesk.assembly.listening import bind, port_of, uvicorn_config
from paydesk.config import Config
from paydesk.web.admin import ROUTES
from paydesk.web.connections import Connections
from paydesk.web.door import Door

CONNECTIONS_MAX = 64  # Of scrapers and probes; whoever leaves them open takes none of the shoppers'.


class AdminServer(uvicorn.Server):
    """Begins and ends with the public one: signals are not its business."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def bound(config: Config) -> socket.socket | None:
    """Its socket; None where it is switched off."""
    if (port := config.admin_listens_on) is None:
        return None
    advice = "It is the admin listener's. Choose another --admin-port (0 takes a free one, off is none)."
    return bind(config.admin_host, port, advice)


@asynccontextmanager
async def served(house: House, listener: socket.socket | None) -> AsyncGenerator[str | None]:
    """Answer there for as long as the block runs; where that is."""
    if listener is None:
        yield None
        return
    door = Door(house, ROUTES, per_address=False)  # What comes through a proxy on this machine has the same address.
    server = AdminServer(uvicorn_config(house, door, Connections(CONNECTIONS_MAX, CONNECTIONS_MAX)))
    serving = house.world.spawn(server.serve([listener]), "admin")
    try:
        yield f"http://{_bracketed(house.config.admin_host)}:{port_of(listener)}"
    finally:
        server.should_exit = True
        await serving


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
