"""What the generator is told, one JSON line each way: prepare some requests, then run them."""

from typing import Literal

from msgspec import Struct


class Setting(Struct, frozen=True, kw_only=True):
    """Where everything is, and the key to sign with. The generator's first line."""

    paydesk: str
    psp: str
    key_id: str
    secret: str


class Order(Struct, frozen=True, kw_only=True):
    """One kind of request, so many times. The generator makes them all, says `ready`, and waits for `go`."""

    what: Literal["ping", "list", "create", "confirm", "status", "charge", "pay"]
    """`confirm` pays intents that an earlier `create` opened. `charge` asks the PSP itself. `pay` opens an intent and,
    with a live stream open, confirms an earlier one: every second so many times.
    """
    count: int
    at_once: int = 1
    pause_seconds: float = 0
    """After each answer; nobody else is under way meanwhile where `at_once` is 1."""
    per_second: int = 0
    """For `pay`: when each begins does not depend on the answers."""
    keep: bool = True
    """For `create`: whether these intents are there for a later `confirm`, `pay` or `status`."""


class Done(Struct, frozen=True, kw_only=True):
    """What came of it."""

    seconds: float
    """From the first request to the last answer."""
    latencies_us: list[int]
    """Of each request, in the order in which they were made."""
    read_us: dict[str, int] = {}
    """For `pay`: when `succeeded` of an intent was read from its stream, in microseconds since 1970."""
