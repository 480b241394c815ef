"""The listening socket of a sandbox process: uvicorn, with what a fault needs beside it.

A fault must be real to be worth anything: `refuse` gives a true ECONNREFUSED, `reset` a true RST. So the socket stays
bound while nobody listens on it, and every request carries its transport.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Literal, cast

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

KEEP_ALIVE_SECONDS = 75  # longer than clients' pools keep an idle one, so that they never write into a closing one


class _Protocol(HttpToolsProtocol):
    """uvicorn's own, with the transport in the scope."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, object]", self.scope)["transport"] = self.transport


class Door(Server):
    """Serves one app until SIGTERM or SIGINT. `listening` is called once with the address, when it is so."""

    def __init__(
        self,
        make_app: "Callable[[Door], ASGIApp]",
        *,
        host: str,
        port: int,
        listening: Callable[[str], None],
        lifespan: Literal["on", "off"] = "off",
    ) -> None:
        self.closing = asyncio.Event()
        """Set when the process is to end; whoever waits on purpose waits for this too."""
        self._socket = bound_socket(host, port)
        self._listening = listening
        self._open_again: asyncio.TimerHandle | None = None
        super().__init__(_config(make_app(self), lifespan))

    @property
    def address(self) -> str:
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run(sockets=[self._socket.dup()])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._listening(self.address)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.closing.set()
        if self._open_again:
            self._open_again.cancel()
        await super().shutdown(sockets=sockets)

    async def pause(self, delay_ms: int) -> None:
        """Wait, but not beyond the end of the process."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), delay_ms / 1000)

    def refuse(self, for_ms: int) -> None:
        """For this long nobody listens. Idle connections end now, the others after the answer they wait for."""
        for server in self.servers:
            server.close()
        self.servers.clear()
        # On Linux this takes a listening socket back to merely bound: the port stays ours, and connecting is refused.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        loop = asyncio.get_running_loop()
        if self._open_again:
            self._open_again.cancel()
        self._open_again = loop.call_later(for_ms / 1000, lambda: loop.create_task(self._listen_again()))

    async def _listen_again(self) -> None:
        if not self.closing.is_set():
            server = await asyncio.get_running_loop().create_server(
                self._protocol, sock=self._socket.dup(), backlog=self.config.backlog
            )
            self.servers.append(server)

    def _protocol(self) -> asyncio.Protocol:
        return _Protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT are how a sandbox is meant to end, so it ends with 0 (uvicorn raises the signal again)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _config(app: ASGIApp, lifespan: Literal["on", "off"]) -> Config:
    return Config(
        app,
        loop="uvloop",
        http=_Protocol,
        ws="none",
        lifespan=lifespan,
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
        backlog=1024,
    )


def bound_socket(host: str, port: int) -> socket.socket:
    """A TCP socket bound to this address, not listening yet. Port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as scout:
        scout.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        scout.bind((host, port))
        # A port that the kernel chose is given back by shutdown(), one that was asked for stays; so it is asked for.
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, scout.getsockname()[1]))
    return listener
