"""One HTTP request and what can become of it: an answer, silence, a close, a reset. Plain ASGI, because the PSP shares
two cores with what is measured.
"""

import asyncio
import socket
import struct
from collections.abc import Sequence

import msgspec
from starlette.types import Receive, Scope, Send

from paydesk_sandbox.psp.answers import Answer

BODY_BYTES_MAX = 64 * 1024
JSON = b"application/json"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: close() sends RST


class BodyTooLarge(Exception):
    """More than BODY_BYTES_MAX."""


class Exchange:
    """A request, and the connection it came by."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: str = scope["query_string"].decode("latin-1")
        self._headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        self._transport: asyncio.Transport = scope["transport"]
        self._receive = receive
        self._send = send

    @property
    def subject(self) -> str:
        """The id in a path such as /charges/ch_…/dispute."""
        return self.path.split("/")[2]

    def header(self, name: bytes) -> str:
        """The first header of this lower-case name, or an empty string."""
        for its_name, value in self._headers:
            if its_name == name:
                return value.decode("latin-1")
        return ""

    async def body(self) -> bytes:
        """The whole body. Raises BodyTooLarge; ends early where the client is gone."""
        body = b""
        while True:
            message = await self._receive()
            body += message.get("body", b"")
            if len(body) > BODY_BYTES_MAX:
                raise BodyTooLarge
            if not message.get("more_body", False):
                return body

    async def answer(
        self, status: int, body: bytes, *, content_type: bytes = JSON, extra: Sequence[tuple[bytes, bytes]] = ()
    ) -> bool:
        """Write an answer. False: the client is gone, nobody will read it."""
        if self._transport.is_closing():
            await self._gone()
            return False
        headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *extra]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
        return True

    async def give(self, answer: Answer) -> bool:
        """Write what the rules answered. False: the client is gone."""
        extra: list[tuple[bytes, bytes]] = []
        if answer.replayed:
            extra.append((b"idempotent-replayed", b"true"))
        if answer.retry_after_seconds is not None:
            extra.append((b"retry-after", b"%d" % answer.retry_after_seconds))
        return await self.answer(answer.status, answer.body, extra=extra)

    async def give_json(self, value: object) -> None:
        await self.answer(200, msgspec.json.encode(value))

    async def hang_up(self) -> None:
        """Close the connection without an answer."""
        self._transport.close()
        await self._gone()

    async def reset(self) -> None:
        """End the connection with an RST."""
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._transport.abort()
        await self._gone()

    async def _gone(self) -> None:
        """uvicorn answers 500 for an app that returns without an answer, unless it has seen the connection end."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
