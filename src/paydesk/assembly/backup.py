"""`paydesk backup`: a copy of the database at one moment, whole and looked through, while payments go on.

The master key is not in it: it lies outside the database. What a restore has to know, the time, is written into the
copy.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

from paydesk.assembly.installation import Backup
from paydesk.errors import Refusal
from paydesk.store import StorageFault, statements
from paydesk.store.copying import Copying, Stopped, sync
from paydesk.store.rows import table_of, values_of
from paydesk.store.sqlite import load_rows
from paydesk.times import rfc3339
from paydesk.web.desk import DoorDesk

LOOK_SECONDS = 0.2  # Between two lines about how far it is.


async def backup(desk: DoorDesk, *, file: str) -> AsyncGenerator[dict[str, Any]]:
    """Write it to a new file that only we can read; says how far it is, and then what it wrote."""
    target = Path(file)
    part = _begun(desk, target)
    taken_ms = min(desk.world.now_ms(), desk.world.wall_ms())  # Before the copy's moment: rather ask for too much.
    copying = Copying(desk.config.database, part, finish=lambda copy: mark_taken(copy, taken_ms))
    working = asyncio.get_running_loop().run_in_executor(None, copying.run)
    try:
        while not (await asyncio.wait({working}, timeout=LOOK_SECONDS))[0]:
            yield {"pages": copying.pages, "of": copying.of}
            if desk.stopping:
                raise Refusal("storage_unavailable", "Paydesk is stopping. No backup was written.")
        working.result()
        size = _put(part, target)
    except (StorageFault, OSError) as why:
        raise Refusal("storage_unavailable", f"No backup was written: {why}.") from why
    finally:
        copying.stop()
        with suppress(Stopped, StorageFault, OSError):
            await working
        part.unlink(missing_ok=True)
    yield {"done": {"file": str(target), "bytes": size, "taken": rfc3339(taken_ms)}}


def mark_taken(copy: sqlite3.Connection, taken_ms: int) -> None:
    """What a restore asks PSPs from. A database that was restored and has not asked yet has more to ask for."""
    before = backup_of(copy)
    if before and before.asked_ms is None:
        taken_ms = min(taken_ms, before.taken_ms)
    write_backup(copy, Backup(taken_ms=taken_ms))


def backup_of(database: sqlite3.Connection) -> Backup | None:
    """The database's row about the backup that it is, or was made from."""
    found = load_rows(database, Backup, [("this",)])
    return found[0] if found and isinstance(found[0], Backup) else None


def write_backup(database: sqlite3.Connection, row: Backup) -> None:
    """In place of the one that is there."""
    database.execute(f'DELETE FROM "{table_of(Backup).name}"')  # noqa: S608 (the name is our own)
    database.execute(statements.insert(Backup), values_of(row))


def _begun(desk: DoorDesk, target: Path) -> Path:
    """The file that becomes the backup, there and empty, for us alone."""
    own = target.parent.resolve() == desk.config.data.resolve() and target.name.startswith(desk.config.database.name)
    if own or not target.is_absolute():
        raise Refusal("parameter_invalid", f"{target} can't be a backup. Choose another name.", param="file")
    if target.exists():
        raise Refusal("parameter_invalid", f"{target} is there already. Choose another name.", param="file")
    part = target.with_name(f".{target.name}.{desk.world.random(6).hex()}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as why:
        message = f"{target} can't be written ({why.strerror}). Choose a folder that `serve` may write into."
        raise Refusal("parameter_invalid", message, param="file") from why
    return part


def _put(part: Path, target: Path) -> int:
    """Under its name at once or not at all, and never over another file; how many bytes it has."""
    os.link(part, target)
    part.unlink()
    sync(target.parent)
    return target.stat().st_size
