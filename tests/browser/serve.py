"""An ASGI app on free ports of this machine, in a thread, for as long as a `with` lasts."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import uvicorn


@contextmanager
def serving(app: Any, *, ports: int = 1) -> Iterator[list[int]]:
    """Gives the ports. Connections queue at the sockets until the server takes them: nobody waits for its start."""
    with ExitStack() as stack:
        doors = [stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128)) for _ in range(ports)]
        config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": doors})
        thread.start()
        try:
            yield [door.getsockname()[1] for door in doors]
        finally:
            server.should_exit = True
            thread.join()
