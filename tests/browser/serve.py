"""ASGI apps on free ports of this machine: the server stays, each test puts its own app behind it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import uvicorn


class Stage:
    """A server whose app changes from test to test, so that no test waits for a server's start and end."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self._app: Any = None

    @contextmanager
    def plays(self, app: Any) -> Iterator[None]:
        """This app answers within the `with`, and the one before it afterwards."""
        before, self._app = self._app, app
        try:
            yield
        finally:
            self._app = before

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Between two tests there is nothing here: what a closed page still asks for is not the next test's."""
        if self._app:
            await self._app(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 410, "headers": []})
            await send({"type": "http.response.body"})


@contextmanager
def serving(*, ports: int = 1) -> Iterator[Stage]:
    """Connections queue at the sockets until the server takes them: nobody waits for its start."""
    with ExitStack() as stack:
        doors = [stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128)) for _ in range(ports)]
        stage = Stage([door.getsockname()[1] for door in doors])
        config = uvicorn.Config(stage, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": doors})
        thread.start()
        try:
            yield stage
        finally:
            server.should_exit = True
            thread.join()
