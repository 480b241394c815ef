"""Sockets that listen, and uvicorn's settings for whoever answers there."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn

from paydesk.assembly.house import House
from paydesk.assembly.opening import CannotOpen
from paydesk.store.ids import letters
from paydesk.web.connections import Connections
from paydesk.web.door import Door
from paydesk.web.protocol import limited

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75  # Longer than clients' pools keep a connection, so that they close it first.
GRACE_SECONDS = 10  # For requests that are being answered when a stop is asked for.


def bind(host: str, port: int, advice: str) -> socket.socket:
    """A listening socket, taken before anything else, so that a port in use is said at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (socket.gaierror, UnicodeError) as why:  # A name with an empty label is no text to Python.
        listener.close()
        raise CannotOpen(f"Can't listen on {host!r}: no address is known by that name.") from why
    except OSError as why:
        listener.close()
        raise CannotOpen(f"Can't listen on {host}:{port}: {os.strerror(why.errno or 0)}. {advice}") from why
    listener.listen(BACKLOG)
    return listener


def port_of(listener: socket.socket) -> int:
    return listener.getsockname()[1]


def uvicorn_config(house: House, door: Door, room: Connections) -> uvicorn.Config:
    """Our own protocol with its limits, and nothing of uvicorn's that would speak for us."""
    config = house.config
    protocol = limited(
        header_bytes_max=config.header_bytes_max,
        header_timeout_seconds=config.header_timeout_seconds,
        body_bytes_max=config.body_bytes_max,
        body_timeout_seconds=config.body_timeout_seconds,
        room=room,
        make_request_id=lambda: f"req_{letters(house.world.random(15))}",
        log=house.log.info,
    )
    return uvicorn.Config(
        door,
        http=protocol,
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


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


async def announced(server: uvicorn.Server, ready: Callable[[], None]) -> None:
    """Call `ready` when the server answers."""
    while not server.started:  # noqa: ASYNC110 (uvicorn tells by this attribute alone)
        await asyncio.sleep(0.005)
    ready()
