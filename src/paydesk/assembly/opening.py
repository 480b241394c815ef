"""Opening a data folder: its lock, the master key, the database brought up to date, the duties of a dead process taken
over.
"""

import fcntl
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from paydesk.assembly.checks import CannotOpen, check_triggers, unreadable
from paydesk.assembly.installation import Installation
from paydesk.assembly.migrate import migrate
from paydesk.config import Config
from paydesk.sealing import key_check, master_key
from paydesk.sealing.sealer import KEY_BYTES, NONCE_BYTES, Sealer
from paydesk.store import statements
from paydesk.store.rows import Row, values_of
from paydesk.store.sqlite import connect, load_rows
from paydesk.world import World


class DataInUse(CannotOpen):
    """Another process has the data folder open."""


class DataLock:
    """The lock of a data folder: one process at a time has the database open. Ends with the process."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as why:
            raise CannotOpen(
                f"{folder} can't be used as a data folder ({why.strerror}). Give it to the user who runs paydesk, or "
                "use another --data."
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise DataInUse(f"{folder} is open in another process. Stop that one, or use another --data.") from None

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._file)


def find_sealer(config: Config, environment: Mapping[str, str], world: World) -> Sealer:
    """The master key, made only for a database that does not exist yet."""
    key = master_key.find(environment, config.key_file)
    if key is None:
        if config.database.exists():
            raise CannotOpen(
                f"{config.database} is there, but not its master key. Put it back at {config.key_file} or into "
                "PAYDESK_MASTER_KEY; without it nothing that is sealed can be opened."
            )
        key = world.random(KEY_BYTES)
        config.key_file.parent.mkdir(parents=True, exist_ok=True)
        master_key.make(config.key_file, key)
    return Sealer(key)


def prepare(config: Config, sealer: Sealer, world: World) -> None:
    """Migrate, see that the master key is the database's own, and take over what a dead process had begun."""
    try:
        config.database.touch(0o600)
        migrate(config.database)
        with closing(connect(config.database, read_only=False)) as database:
            check_triggers(database, config.database)
            _check_key(database, config, sealer, world)
            _take_over(database, world.now_ms())
    except sqlite3.DatabaseError as why:
        raise unreadable(config.database, str(why)) from why


def _check_key(database: sqlite3.Connection, config: Config, sealer: Sealer, world: World) -> None:
    found: list[Row] = load_rows(database, Installation, [("this",)])
    if not found:
        made = Installation(key_check=key_check.key_check(sealer, world.random(NONCE_BYTES)), created_ms=world.now_ms())
        database.execute(statements.insert(Installation), values_of(made))
    elif isinstance(found[0], Installation) and not key_check.check(sealer, found[0].key_check):
        raise CannotOpen(
            f"The master key is not that of {config.database}. Put the right one at {config.key_file} or into "
            "PAYDESK_MASTER_KEY."
        )


def _take_over(database: sqlite3.Connection, now_ms: int) -> None:
    """The lock proves that whoever held a lease is dead: raise every lease, and let the duty be due now."""
    database.execute(
        "UPDATE duties SET owner = '', lease = lease + 1, version = version + 1, due_ms = ? WHERE owner <> ''",
        (now_ms,),
    )
