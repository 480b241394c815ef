"""`paydesk restore`: a backup put in the place of the database, after a look whether it is one.

The next `serve` on it asks every PSP about what happened since (`restored.py`).
"""

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from paydesk.assembly.backup import backup_of, write_backup
from paydesk.assembly.checks import CannotOpen, check_triggers, quick_check, wal_of
from paydesk.assembly.installation import Backup, Installation
from paydesk.assembly.migrate import migrate, revision_of
from paydesk.assembly.opening import DataLock
from paydesk.config import Config
from paydesk.sealing import key_check, master_key
from paydesk.sealing.sealer import Sealer
from paydesk.store import StorageFault
from paydesk.store.copying import Copying, sync
from paydesk.store.rows import Marker, table_of
from paydesk.store.sqlite import connect, load_rows
from paydesk.times import rfc3339


class Restored(Struct, frozen=True, kw_only=True):
    """What was done."""

    database: str
    taken: str
    """When the backup was taken: PSPs will be asked about everything since."""
    kept_aside: str
    """Where the database that was there is now; empty where there was none."""
    master_key: str
    """`fits`, or where it has to be put before a start."""


def restore(
    config: Config,
    environment: Mapping[str, str],
    file: Path,
    *,
    over: bool,
    now_ms: int,
    told: Callable[[int, int], None] = lambda pages, of: None,
) -> Restored:
    """Put the backup in place, whole or not at all. `over` moves the database that is there aside."""
    with closing(DataLock(config.data)):
        _check_backup(file)
        if config.database.exists() and not over:
            raise CannotOpen(
                f"{config.database} is there. Give --replace to keep it aside and put the backup in its place, or "
                "another --data."
            )
        part = _being_restored(config.database)
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            Copying(file, part, told=told).run()
            migrate(part)
            taken_ms = _mark_restored(part, now_ms)
            key = _check_key(config, environment, part)
            sync(part)
        except StorageFault as why:
            part.unlink()
            raise CannotOpen(f"{file} could not be restored: {why}.") from why
        except BaseException:
            part.unlink()
            raise
        part.rename(_ready(config.database))
        aside = put_in_place(config.database)
    return Restored(
        database=str(config.database),
        taken=rfc3339(taken_ms),
        kept_aside=str(aside or ""),
        master_key=key,
    )


def put_in_place(database: Path) -> Path | None:
    """A restored database that is ready takes its place; where the old one is then, if there was one.

    A start does it too, where a restore was broken off here. The old log must be gone before the new file is there: it
    would be written into it.
    """
    ready = _ready(database)
    if not ready.exists():
        return None
    aside = database.with_name(f"paydesk-before-restore-{int(ready.stat().st_mtime * 1000)}.db")
    for old, kept in ((database, aside), (wal_of(database), wal_of(aside))):
        if old.exists():
            old.rename(kept)
    database.with_name(database.name + "-shm").unlink(missing_ok=True)
    sync(database.parent)
    ready.rename(database)
    sync(database.parent)
    return aside if aside.exists() else None


def _being_restored(database: Path) -> Path:
    """Where a restore works: broken off before it was ready, it is worth nothing."""
    return database.with_name(f"{database.name}.restoring")


def _ready(database: Path) -> Path:
    return database.with_name(f"{database.name}.restored")


def _check_backup(file: Path) -> None:
    if not file.is_file():
        raise CannotOpen(f"{file} is not a file. Name a backup that `paydesk backup` wrote.")
    try:
        if revision_of(file) is None:
            raise CannotOpen(f"{file} is not a database of Paydesk's. Name a backup that `paydesk backup` wrote.")
        quick_check(file)
    except (sqlite3.DatabaseError, StorageFault) as why:
        raise CannotOpen(f"{file} can't be read: {why}. Take another backup.") from why


def _mark_restored(database: Path, now_ms: int) -> int:
    """From now on it is a restored one, whose PSPs have to be asked; since when."""
    with closing(connect(database, read_only=False)) as opened:
        check_triggers(opened, database)
        found = backup_of(opened)
        whole = found is not None and found.restored_ms is None
        row = (
            replace(found, restored_ms=now_ms)
            if found and whole
            else Backup(taken_ms=_newest_commit_ms(opened), restored_ms=now_ms)
        )
        write_backup(opened, row)
        opened.execute("PRAGMA journal_mode = DELETE").fetchone()
        return row.taken_ms


def _newest_commit_ms(database: sqlite3.Connection) -> int:
    """When a plain copy of a database, which no backup command took, ends."""
    newest = database.execute(f'SELECT max("created_ms") FROM "{table_of(Marker).name}"').fetchone()[0]  # noqa: S608
    return newest if newest is not None else _installation(database).created_ms


def _check_key(config: Config, environment: Mapping[str, str], database: Path) -> str:
    key = master_key.find(environment, config.key_file)
    if key is None:
        return f"not there: put it at {config.key_file} or into PAYDESK_MASTER_KEY before you start"
    with closing(connect(database, read_only=True, immutable=True)) as opened:
        if not key_check.check(Sealer(key), _installation(opened).key_check):
            raise CannotOpen(
                f"The master key is not that of this backup. Put the right one at {config.key_file} or into "
                "PAYDESK_MASTER_KEY."
            )
    return "fits"


def _installation(database: sqlite3.Connection) -> Installation:
    (found,) = load_rows(database, Installation, [("this",)])
    assert isinstance(found, Installation)
    return found
