"""An answer's head and the first bytes of its body in one write: uvloop hands each write to the kernel at once, and
of a small answer that is a tenth of the CPU.

Written against uvicorn's `RequestResponseCycle`, which writes the head at `http.response.start`.
"""

from asyncio import AbstractEventLoop, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class Together:
    """The transport as one cycle sees it: the head waits for the next write, no longer than this turn of the loop."""

    __slots__ = ("_begun", "_cycle", "_held", "_loop", "_transport")

    def __init__(self, cycle: RequestResponseCycle, loop: AbstractEventLoop) -> None:
        self._cycle = cycle
        self._loop = loop
        self._transport: Transport = cycle.transport
        self._held = b""
        self._begun = False

    def write(self, data: bytes) -> None:
        if self._cycle.response_started and not self._begun:  # Before that comes a 100 Continue at most.
            self._begun = True
            self._held = data
            self._loop.call_soon(self.flush)
        else:
            held, self._held = self._held, b""
            self._transport.write(held + data)

    def flush(self) -> None:
        if self._held:
            self.write(b"")

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
