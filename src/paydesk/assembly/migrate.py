"""Bringing the database up to date with Alembic, which is imported only where there is something to do."""

import sqlite3
from contextlib import closing
from pathlib import Path

from paydesk.errors import Sentence

HEAD = "0009"
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
    except sqlite3.OperationalError as why:
        if "no such table" in str(why):
            return None
        raise
    finally:
        connection.close()
    return row[0] if row else None


def is_ours(database: Path) -> bool:
    """Whether a file without a revision may be made one of ours: it is empty, or a first migration was broken off."""
    tables = tables_of(database)
    return not tables or "alembic_version" in tables


def tables_of(database: Path) -> list[str]:
    """The names of its tables."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def migrate(database: Path) -> None:
    """Run the migrations that are missing: all of them, or none where one fails."""
    at = revision_of(database)
    if at == HEAD:
        return
    if at is not None and at not in {file.name.partition("_")[0] for file in (HERE / "versions").glob("*.py")}:
        raise MigrationError(
            f"A newer Paydesk wrote {database} (revision {at}; this one knows up to {HEAD}). Start that one, or "
            "restore a backup from before it."
        )
    from alembic import command  # noqa: PLC0415 (a third of a second that a start on a migrated database saves)

    try:
        command.upgrade(config_for(database), "head")
    except Exception as why:
        raise MigrationError(
            f"The database {database} could not be brought to revision {HEAD}: {why}. "
            "It is as it was; start the Paydesk that wrote it, and report this."
        ) from why


def config_for(database: Path):
    """Alembic's configuration for one database file."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{database.absolute()}".replace("%", "%%"))
    return config
