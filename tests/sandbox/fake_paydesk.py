"""As much of Paydesk as the shop sees: intents, and a loader that a test can press the button of."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

LOADER = """
window.Paydesk = {
  mount(target, options) {
    const button = document.createElement("button");
    button.textContent = "Pay now";
    button.onclick = () => options.onResult({intent: options.clientSecret.split("_secret_")[0], status: "succeeded"});
    document.querySelector(target).append(button);
  },
};
"""


class FakePaydesk:
    """Remembers what it was asked. `down` answers 400 and gives no loader."""

    def __init__(self) -> None:
        self.down = False
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/payment_intents", self.create, methods=["POST"]),
                Route("/checkout.js", self.loader),
            ]
        )

    async def create(self, request: Request) -> Response:
        if self.down:
            error = {"type": "invalid_request_error", "code": "limit_reached", "message": "Not now.", "param": None}
            return JSONResponse({"error": error}, 409)
        self.asked.append(json.loads(await request.body()))
        key = request.headers["idempotency-key"]
        self.keys.append(key)
        intent = f"pi_{key.removeprefix('ord_')}"
        return JSONResponse({"id": intent, "client_secret": f"{intent}_secret_abc", **self.asked[-1]})

    async def loader(self, request: Request) -> Response:
        if self.down:
            return PlainTextResponse("gone", 404)
        return PlainTextResponse(LOADER, media_type="text/javascript")


@contextmanager
def serving(app: Starlette) -> Iterator[int]:
    """The app in a thread; gives its port. Whoever connects early waits in the socket's queue."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
