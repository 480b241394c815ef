"""What a start looks at before it believes a data folder. Every refusal is one sentence: what is wrong, what to do."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from threading import Timer
from typing import Literal

from paydesk.assembly.migrate import is_ours, revision_of
from paydesk.config import Config
from paydesk.errors import Sentence
from paydesk.store.sqlite import connect

SQLITE_MIN = (3, 37, 0)  # STRICT tables.
SMALL_BYTES = 256 * 1024 * 1024
"""`quick_check` reads the whole file, at about 1 ms per MB from memory: up to here at every start, above it only where
the last end was not a clean one. (A backup checks all of its copy, whatever its size.)
"""
CHECK_SECONDS = 30.0  # After an unclean end a shop must not stay closed for longer than that.

Looked = Literal["whole", "too large", "too slow"]

TRIGGERS = (
    "audit_entries_no_delete",
    "audit_entries_no_update",
    "audit_heads_no_delete",
    "audit_heads_rise",
    "disputes_closed",
    "events_no_update",
    "ledger_postings_no_delete",
    "ledger_postings_no_update",
    "ledger_transactions_no_delete",
    "ledger_transactions_no_update",
    "payment_intents_terminal",
    "timeline_no_delete",
    "timeline_no_update",
)
"""What the database itself refuses; a rebuilt table loses them. A test keeps this equal to what the migrations make."""


class CannotOpen(Sentence):
    """The data folder can't be used; the sentence says why and what to do."""


def check_folder(config: Config) -> None:
    """The program, the folder and its files, before anything is opened."""
    if sqlite3.sqlite_version_info < SQLITE_MIN:
        raise CannotOpen(
            f"This Python has SQLite {sqlite3.sqlite_version}, and Paydesk needs 3.37 or newer. Use a newer Python."
        )
    mode = config.data.stat().st_mode
    if mode & stat.S_IWOTH:
        raise CannotOpen(
            f"{config.data} can be written by everybody on this machine (mode {stat.S_IMODE(mode):04o}). "
            f"Run: chmod 700 {config.data}"
        )
    if not os.access(config.data, os.R_OK | os.W_OK | os.X_OK):
        raise CannotOpen(f"{config.data} can't be read and written by us. Give it to the user who runs paydesk.")
    _check_files(config.database)


def check_database(config: Config) -> Looked:
    """Is the file sound, ours, and of a version that we know? Looked at before any connection that writes."""
    database = config.database
    if not database.exists() or not database.stat().st_size:
        return "whole"
    try:
        if revision_of(database) is None and not is_ours(database):
            raise CannotOpen(f"{database} is a SQLite database, but not one of Paydesk's. Use another --data.")
        unclean = _size(wal_of(database)) > 0
        if database.stat().st_size > SMALL_BYTES and not unclean:
            return "too large"
        return quick_check(database, seconds=CHECK_SECONDS)
    except sqlite3.DatabaseError as why:
        raise unreadable(database, str(why)) from why


def quick_check(database: Path, *, seconds: float | None = None, immutable: bool = False) -> Looked:
    """SQLite's own look at every page, or at as much as it gets done in time. CannotOpen where something is damaged.

    `immutable` for a file that nobody writes: no log beside it is looked for, and none made.
    """
    with closing(connect(database, read_only=True, immutable=immutable)) as opened:
        timer = Timer(seconds, opened.interrupt) if seconds is not None else None
        if timer:
            timer.start()
        try:
            found: str = opened.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.OperationalError as why:
            if why.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                return "too slow"
            raise
        finally:
            if timer:
                timer.cancel()
                timer.join()
    if found != "ok":
        raise unreadable(database, " ".join(found.split()))
    return "whole"


def check_triggers(database: sqlite3.Connection, path: Path) -> None:
    """Whatever code asks for it, history is not rewritten: by these."""
    there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    missing = [name for name in TRIGGERS if name not in there]
    if missing:
        raise CannotOpen(
            f"{path} has lost what guards it (triggers: {', '.join(missing)}): somebody rebuilt a table. "
            f"Restore a backup; what was done to the log of deeds says: paydesk audit verify --file {path}"
        )


def unreadable(database: Path, why: str) -> CannotOpen:
    """The one sentence for a file that is damaged."""
    return CannotOpen(
        f"{database} can't be read: {why}. Restore a backup: paydesk restore FILE --data {database.parent} --replace"
    )


def wal_of(database: Path) -> Path:
    """The write-ahead log: gone after a clean end, and a part of the database until then."""
    return database.with_name(database.name + "-wal")


def _check_files(database: Path) -> None:
    if not database.exists():
        if _size(wal_of(database)):
            raise CannotOpen(
                f"{wal_of(database)} is there, and its database is not. Put {database.name} back beside it; what was "
                "committed last is in the log alone."
            )
        return
    mode = database.stat().st_mode
    if not stat.S_ISREG(mode):
        raise CannotOpen(f"{database} is not a file. Use another --data.")
    if mode & 0o077:
        raise CannotOpen(
            f"{database} can be read or written by others (mode {stat.S_IMODE(mode):04o}). Run: chmod 600 {database}"
        )
    if not os.access(database, os.R_OK | os.W_OK):
        raise CannotOpen(f"{database} can't be read and written by us. Give it to the user who runs paydesk.")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
