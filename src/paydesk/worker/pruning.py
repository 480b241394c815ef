"""What is swept away when its time is over: nonces, kept answers, uses of card payloads, notices that are done with,
markers of batches. In small steps.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from paydesk.desk import Desk
from paydesk.errors import Refusal
from paydesk.payments.refund_outcome import OPEN
from paydesk.payments.rows import CardUse, Intent, Notice, Refund
from paydesk.payments.states import TERMINAL
from paydesk.requests.floor import raise_floor
from paydesk.requests.once import KEEP_MS
from paydesk.requests.rows import Kept, Nonce, NonceFloor
from paydesk.store import Command, Key, Rank, Row, StorageFault, Work, table_of
from paydesk.store.rows import Marker, key_of

PAUSE_SECONDS = 10.0
STEP = 128  # Rows in one command: about a millisecond of the loop.
NONCE_MS = 660_000  # The window on both sides, and a minute.
MARKER_MS = 3_600_000  # No COMMIT is unknown for an hour.


class Sweep(Struct, frozen=True, kw_only=True):
    """A table, the column that says when a row's time is over, and how long after that it is kept."""

    kind: type[Row]
    by: str
    keep_ms: int

    @property
    def statement(self) -> str:
        """The rows whose time is over, the oldest first."""
        table = table_of(self.kind)
        columns = ", ".join(f'"{column}"' for column in table.columns)
        return f'SELECT {columns} FROM "{table.name}" WHERE "{self.by}" < ? ORDER BY "{self.by}" LIMIT ?'  # noqa: S608


SWEEPS = (
    Sweep(kind=Nonce, by="signed_ms", keep_ms=NONCE_MS),
    Sweep(kind=CardUse, by="expires_ms", keep_ms=0),
    Sweep(kind=Marker, by="created_ms", keep_ms=MARKER_MS),
    Sweep(kind=Kept, by="expires_ms", keep_ms=0),
    Sweep(kind=Notice, by="forget_ms", keep_ms=0),
)


class Forget(Command[None], frozen=True):
    """Take rows away whose time is over. Nonces raise the floor, so that a clock set back opens no replay."""

    RANK = Rank.BACKGROUND

    rows: Sequence[Row]

    def keys(self) -> Iterable[Key]:
        yield NonceFloor, ("floor",)
        for row in self.rows:
            yield key_of(row)
            if isinstance(row, Kept):
                yield Refund if row.object_id.startswith("re_") else Intent, (row.account, row.object_id)

    def decide(self, work: Work) -> None:
        for row in self.rows:
            kind, key = key_of(row)
            if work.find(kind, *key) != row:  # Another process was here first.
                continue
            if isinstance(row, Kept) and _still_open(work, row):
                work.change(row, expires_ms=work.now_ms + KEEP_MS)
            else:
                work.remove(row)
        newest = max((row.signed_ms for row in self.rows if isinstance(row, Nonce)), default=0)
        if newest:
            raise_floor(work, newest)


async def prune_for_ever(desk: Desk) -> None:
    """Sweep every table, then pause."""
    while True:
        for sweep in SWEEPS:
            try:
                await prune(desk, sweep)
            except (Refusal, StorageFault) as why:
                desk.log.warning("pruning_put_off", table=table_of(sweep.kind).name, reason=str(why))
            except Exception as why:  # A bug in one sweep: the others go on, and so does this one after the pause.
                desk.log.error("pruning_failed", table=table_of(sweep.kind).name, exc_info=why)
        await asyncio.sleep(PAUSE_SECONDS)


async def prune(desk: Desk, sweep: Sweep) -> int:
    """Sweep one table until nothing is left whose time is over; how many rows that were."""
    swept = 0
    while True:
        # By the earlier clock: nonces bear their clients' time, and ours may have been ahead.
        before_ms = min(desk.world.now_ms(), desk.world.wall_ms()) - sweep.keep_ms
        rows: list[Any] = await desk.reader.query(sweep.kind, sweep.statement, (before_ms, STEP))
        if rows:
            await desk.submit(Forget(rows=rows))
        swept += len(rows)
        if len(rows) < STEP:
            return swept


def _still_open(work: Work, kept: Kept) -> bool:
    """An answer is kept for 24 hours, and until its object is terminal."""
    if kept.object_id.startswith("re_"):  # Forgotten too early, the same request would refund a second time.
        refund = work.find(Refund, kept.account, kept.object_id)
        return refund is not None and refund.status in OPEN
    intent = work.find(Intent, kept.account, kept.object_id)
    return intent is not None and intent.status not in TERMINAL
