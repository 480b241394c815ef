"""A copy of the whole database as it is at one moment, into a file of its own, while others go on reading and writing.

In a thread, on a connection of its own that reads: beside COMMIT the only work on the database that goes to one. It is
a few C calls that hold no GIL (sqlite3 copies 4 MiB in each, and looks through the copy in one), so the loop is not
kept waiting as it would be by a thread that fetches rows. All steps read from one moment; the write-ahead log can't
begin anew meanwhile, and grows by what is committed during the copy.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from paydesk.store.faults import StorageFault
from paydesk.store.sqlite import connect, storage_faults

STEP_PAGES = 1024  # 4 MiB, a few milliseconds.


class Stopped(Exception):
    """The copying was given up before it was whole."""


class Copying:
    """What the thread does, step by step, and how far it is: read by whoever waits."""

    def __init__(
        self,
        source: Path,
        target: Path,
        *,
        finish: Callable[[sqlite3.Connection], None] = lambda copy: None,
        told: Callable[[int, int], None] = lambda pages, of: None,
    ) -> None:
        """`finish` writes into the copy before it is looked through; `told` hears of each step, in the thread."""
        self._source = source
        self._target = target
        self._finish = finish
        self._told = told
        self._stopped = False
        self._looking: sqlite3.Connection | None = None
        self.pages = 0
        self.of = 0

    def stop(self) -> None:
        """Give up at the next step."""
        self._stopped = True
        if self._looking:
            self._looking.interrupt()

    def run(self) -> None:
        """Copy, see that the copy is sound, and put it on the disk. Raises StorageFault or Stopped: what is in the
        target is worth nothing then.
        """
        with storage_faults:
            self._copy()
            self._look_through()
        sync(self._target)

    def _copy(self) -> None:
        with (
            closing(connect(self._source, read_only=True)) as source,
            closing(sqlite3.connect(self._target, isolation_level=None)) as target,
        ):
            source.execute("BEGIN")  # Else a commit of others would make the next step begin from the start.
            source.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            target.execute("PRAGMA synchronous = OFF")  # Synced once, as a whole.
            source.backup(target, pages=STEP_PAGES, progress=self._progress)
            target.execute("PRAGMA journal_mode = DELETE").fetchone()  # One file, without a log beside it.
            self._finish(target)

    def _progress(self, status: int, remaining: int, pages: int) -> None:
        self.pages, self.of = pages - remaining, pages
        self._told(self.pages, self.of)
        if self._stopped:
            raise Stopped

    def _look_through(self) -> None:
        with closing(connect(self._target, read_only=True, immutable=True)) as copy:
            self._looking = copy
            try:
                found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
            except sqlite3.OperationalError:
                if self._stopped:
                    raise Stopped from None
                raise
            finally:
                self._looking = None
        if found != "ok":
            raise StorageFault(f"the copy is damaged: {found}")


def sync(path: Path) -> None:
    """What was written to this file, or to the names in this folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
