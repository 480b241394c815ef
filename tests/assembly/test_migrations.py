"""The schema: what the migrations make is what the row types say, and what must never change is guarded by the
database.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from paydesk.assembly import migrate
from paydesk.assembly.schema import metadata


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "paydesk.db"
    migrate.migrate(path)
    return path


def test_the_migrations_make_what_the_row_types_say(database: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata()) == []
    engine.dispose()


def test_every_table_is_strict(database: Path) -> None:
    connection = sqlite3.connect(database)
    tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    loose = [name for name, sql in tables if "STRICT" not in sql]
    connection.close()
    assert loose == ["alembic_version"]


def test_the_newest_revision_is_the_one_that_a_start_expects(database: Path) -> None:
    assert ScriptDirectory(str(migrate.HERE)).get_current_head() == migrate.HEAD
    assert migrate.revision_of(database) == migrate.HEAD


def test_a_database_from_the_future_is_refused_with_a_sentence(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(migrate.MigrationError, match="newer Paydesk"):
        migrate.migrate(database)


GUARDED = [
    (
        "INSERT INTO ledger_postings VALUES ('a', 't', '1', 'a/fees/usd', 5, 'usd', 1, 5)",
        "UPDATE ledger_postings SET amount_minor = 6",
        "never changed",
    ),
    (
        "INSERT INTO ledger_postings VALUES ('a', 't', '1', 'a/fees/usd', 5, 'usd', 1, 5)",
        "DELETE FROM ledger_postings",
        "never removed",
    ),
    (
        "INSERT INTO ledger_transactions VALUES ('a', 'p', 'r', 'capture', 't', 's', 1)",
        "UPDATE ledger_transactions SET reference = 'x'",
        "never changed",
    ),
    (
        "INSERT INTO ledger_transactions VALUES ('a', 'p', 'r', 'capture', 't', 's', 1)",
        "DELETE FROM ledger_transactions",
        "never removed",
    ),
    (
        "INSERT INTO events VALUES ('a', 'e', 1, 't', 'o', 1, NULL, x'7b7d', 1)",
        "UPDATE events SET body = x'00'",
        "never changed",
    ),
]


@pytest.mark.parametrize(("row", "tampering", "why"), GUARDED, ids=[tampering for _, tampering, _ in GUARDED])
def test_the_database_itself_refuses_to_rewrite_history(database: Path, row: str, tampering: str, why: str) -> None:
    connection = sqlite3.connect(database)
    connection.execute(row)
    with pytest.raises(sqlite3.IntegrityError, match=why):
        connection.execute(tampering)
    connection.close()


@pytest.mark.parametrize("status", ["succeeded", "canceled"])
def test_a_terminal_status_stays(database: Path, status: str) -> None:
    connection = sqlite3.connect(database)
    connection.execute(
        "INSERT INTO payment_intents (version, account, id, amount_minor, currency, capture_method, status, livemode, "
        "metadata, received_minor, capturable_minor, attempts, method, error, outcome_unknown, event_sequence, "
        "created_ms) VALUES (1, 'a', 'pi', 1, 'usd', 'automatic', ?, 0, '{}', 0, 0, 0, 'null', 'null', 0, 0, 1)",
        (status,),
    )
    connection.execute("UPDATE payment_intents SET description = 'may change', status = status")
    with pytest.raises(sqlite3.IntegrityError, match="terminal status stays"):
        connection.execute("UPDATE payment_intents SET status = 'processing'")
    connection.close()


def test_endpoints_that_are_there_are_counted(tmp_path: Path) -> None:
    """Else an account that has some could have as many again, and deleting one would find no count."""
    path = tmp_path / "older.db"
    command.upgrade(migrate.config_for(path), "0001")
    with closing(sqlite3.connect(path)) as connection:
        for account, name in (("a", "we_1"), ("a", "we_2"), ("b", "we_3")):
            connection.execute(
                "INSERT INTO webhook_endpoints (version, account, id, url, enabled_events, ordering, status, added_by, "
                "secret_sealed, created_ms) VALUES (1, ?, ?, 'https://x.example', '*', 'default', 'enabled', "
                "'merchant', x'00', 1)",
                (account, name),
            )
        connection.commit()
    migrate.migrate(path)
    with closing(sqlite3.connect(path)) as connection:
        counts = connection.execute("SELECT account, number, version FROM endpoint_counts ORDER BY account").fetchall()
    assert counts == [("a", 2, 1), ("b", 1, 1)]
