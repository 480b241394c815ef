"""The outside, as seen from inside: clock, randomness, HTTP out, tasks. One World per process, handed to everything.

Two worlds exist: `real.RealWorld` (this machine) and the simulator's (virtual clock, seeded dice, the sandbox's rules
in memory).
Nothing else in Paydesk may ask for the time, for randomness or for a task; ruff refuses it.

Read: this file, then `real.py`, `http.py` (the only importer of aiohttp) and `egress.py` (addresses that a merchant may
not make us call).
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal, Protocol

from msgspec import Struct

Reach = Literal["anywhere", "operator", "merchant"]
"""Who gave the address: the operator's PSP setting (`anywhere`), an endpoint that the operator added (private space
only inside
PAYDESK_EGRESS_ALLOW), or a merchant over the API (never private space)."""


class Outgoing(Struct, frozen=True, kw_only=True):
    """An HTTP request that leaves this process. Redirects are never followed."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    reach: Reach = "merchant"
    connect_timeout_seconds: float = 5.0
    total_timeout_seconds: float = 15.0
    answer_bytes_max: int = 16 * 1024
    """What is read of the answer's body; the rest is thrown away and `Answer.truncated` says so."""


class Answer(Struct, frozen=True, kw_only=True):
    """The other side answered; what it said is for the caller to judge."""

    status: int
    headers: dict[str, str]
    """Names in lower case; of a repeated header the last value."""
    body: bytes
    truncated: bool = False


class NotSent(Struct, frozen=True):
    """No byte of the request reached the other side (refused, DNS, TLS, address not allowed): it may be sent again."""

    reason: str


class NoAnswer(Struct, frozen=True):
    """Bytes were sent and no whole answer came (time-out, reset, unreadable): whether it was acted upon is unknown."""

    reason: str


class World(Protocol):
    """Clock, randomness, HTTP out and tasks of one process."""

    def now_ms(self) -> int:
        """Wall clock, milliseconds since 1970 UTC. Never goes back within a process, and never stands still."""
        ...

    def wall_ms(self) -> int:
        """The wall clock as it stands, which may go back. For what others hold against their own clocks."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that only goes forward; for durations."""
        ...

    def random(self, size: int) -> bytes:
        """`size` bytes nobody can guess."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run `work` beside everything else; kept alive until it ends; what it raises is logged."""
        ...

    async def send(self, request: Outgoing) -> Answer | NotSent | NoAnswer:
        """Send a request; never raises for what the network does."""
        ...
