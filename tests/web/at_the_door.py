"""The door called as uvicorn calls it, by a caller that can go away."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from paydesk.assembly.house import House
from paydesk.web.door import Door


class Asking:
    """One request under way; `leave` is the caller hanging up."""

    def __init__(self, house: House, path: str, *, method: str = "GET", **headers: str) -> None:
        raw, _, query = path.encode().partition(b"?")
        self.sent: list[MutableMapping[str, Any]] = []
        self._gone = asyncio.Event()
        self._asked = False
        scope = {
            "type": "http",
            "method": method,
            "path": raw.decode(),
            "raw_path": raw,
            "root_path": "",
            "query_string": query,
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
        self.task = asyncio.create_task(Door(house)(scope, self._receive, self._send))

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    async def answer(self) -> None:
        """Wait until it is answered; what takes longer than a second was held."""
        await asyncio.wait_for(asyncio.shield(self.task), 1)

    def leave(self) -> None:
        self._gone.set()

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        gone = asyncio.create_task(self._gone.wait())
        await asyncio.wait({gone, self.task}, return_when="FIRST_COMPLETED")
        gone.cancel()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)
