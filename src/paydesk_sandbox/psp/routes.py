"""What the files of routes share: how a table of them looks, and this machine's clock."""

import time
from collections.abc import Awaitable, Callable

from paydesk_sandbox.psp.exchange import Exchange

Route = Callable[[Exchange], Awaitable[None]]
Routes = dict[tuple[str, ...], dict[str, Route]]
"""The parts of a path, `*` for an id → method → what is done."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000
