"""The desk: what rooms upstairs are handed. Assembled once per process (`assembly`), so that no room holds module
state.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from paydesk.config import Config
from paydesk.store import Command, Published, Row
from paydesk.telemetry import Log, Metrics
from paydesk.world import World

R = TypeVar("R")
RowType = TypeVar("RowType", bound=Row)


class Reader(Protocol):
    """Committed rows by key, and a duty's named statements."""

    async def get(self, kind: type[RowType], *key: str) -> RowType | None: ...
    async def get_all(self, kind: type[RowType], keys: Iterable[tuple[str, ...]]) -> list[RowType]: ...
    async def query(self, kind: type[RowType], statement: str, parameters: Sequence[Any]) -> list[RowType]: ...
    async def texts(self, statement: str, parameters: Sequence[Any]) -> list[str]: ...
    async def number(self, statement: str, parameters: Sequence[Any]) -> int | None: ...


class Desk(Protocol):
    """World, settings and the way to the committer. Rooms that need more say so with a protocol of their own."""

    @property
    def world(self) -> World: ...
    @property
    def config(self) -> Config: ...
    @property
    def log(self) -> Log: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def published(self) -> Published: ...
    @property
    def reader(self) -> Reader: ...
    async def submit(self, command: Command[R], carry: object = None) -> R:
        """Decide and commit; `carry` (a card) reaches the duty that the reply names, in memory alone."""
        ...
