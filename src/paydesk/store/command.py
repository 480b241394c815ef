"""What is submitted: a small frozen record with a pure, synchronous decision."""

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar, Generic, TypeVar

from msgspec import Struct

from paydesk.store.rows import Key
from paydesk.store.work import Work

R = TypeVar("R")


class Rank(IntEnum):
    """Who goes first when more waits than a batch holds, and who is refused when too much waits."""

    APPLY = 0
    """What happened outside (a verdict): never refused."""
    CONFIRM = 1
    CREATE = 2
    BACKGROUND = 3
    """Records of deliveries, leases, pruning: never refused (their makers are bounded), and may wait 20 ms for company.
    """


class Command(Struct, Generic[R], frozen=True, kw_only=True):
    """Decided in memory over the rows it names; run again, with the same time and ids, if a row was missing."""

    RANK: ClassVar[Rank] = Rank.CREATE

    def keys(self) -> Iterable[Key]:
        """The rows it will want: a hint for speed, never a matter of correctness."""
        return ()

    def size_bytes(self) -> int:
        """About how much memory it holds while it waits."""
        return 512

    def decide(self, work: Work) -> R:
        """Read and change rows, then answer. No clock, no dice, no awaiting; a Refusal drops this command's changes
        alone.
        """
        raise NotImplementedError
