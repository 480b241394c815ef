"""Bringing the database up to date with Alembic, which is imported only where there is something to do."""

import sqlite3
from pathlib import Path

from paydesk.errors import Sentence

HEAD = "0007"
"""The newest revision; a test keeps it equal to what `migrations/versions` says."""

HERE = Path(__file__).parent / "migrations"


class MigrationError(Sentence):
    """The database can't be brought up to date; the sentence says why and what to do."""


def revision_of(database: Path) -> str | None:
    """The revision that a database file is at; None for a new one."""
    if not database.exists():
        return None
    connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    finally:
        connection.close()
    return row[0] if row else None


def migrate(database: Path) -> None:
    """Run the migrations that are missing."""
    if revision_of(database) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 (a third of a second that a start on a migrated database saves)

    try:
        command.upgrade(config_for(database), "head")
    except Exception as why:
        raise MigrationError(
            f"The database {database} could not be brought to revision {HEAD}: {why}. "
            "If a newer Paydesk wrote it, start that one; else restore a backup."
        ) from why


def config_for(database: Path):
    """Alembic's configuration for one database file."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{database.absolute()}".replace("%", "%%"))
    return config
