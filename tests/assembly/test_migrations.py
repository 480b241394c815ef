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
from paydesk.ledger import Maturity
from paydesk.ledger.verify import recount
from paydesk.store import Duty
from paydesk.store.snapshot import snapshot


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


@pytest.mark.parametrize("status", ["won", "lost"])
def test_a_closed_dispute_stays_closed(database: Path, status: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "INSERT INTO disputes (version, account, id, intent, attempt, psp, psp_reference, amount_minor, currency, "
            "fee_minor, reason, status, livemode, event_sequence, latest_event, created_ms) "
            "VALUES (1, 'a', 'dp', 'pi', 'at', 'p', 'r', 1, 'usd', 0, 'x', ?, 0, 1, 'evt', 1)",
            (status,),
        )
        connection.execute("UPDATE disputes SET version = 2, status = status")
        for other in {"won", "lost", "needs_response"} - {status}:
            with pytest.raises(sqlite3.IntegrityError, match="a closed one stays as it is"):
                connection.execute("UPDATE disputes SET status = ?", (other,))


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


def test_webhooks_that_were_given_up_are_listed_among_the_dead(tmp_path: Path) -> None:
    """Those of endpoints that are still there: the others nobody can retry."""
    path = tmp_path / "older.db"
    command.upgrade(migrate.config_for(path), "0001b")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO webhook_endpoints (version, account, id, url, enabled_events, ordering, status, added_by, "
            "secret_sealed, created_ms) VALUES (1, 'a', 'we_1', 'https://x.example', '*', 'default', 'enabled', "
            "'merchant', x'00', 1)"
        )
        for event, endpoint, status in (
            ("evt_1", "we_1", "dead"),
            ("evt_2", "we_1", "pending"),
            ("evt_3", "we_2", "dead"),
        ):
            connection.execute(
                "INSERT INTO deliveries (version, account, event, endpoint, object_id, sequence, type, status, "
                "attempts, error, first_attempt_ms, last_attempt_ms, duration_ms) VALUES (1, 'a', ?, ?, 'pi', 1, "
                "'t', ?, 11, 'the receiver answered 500', 5, 7, 1)",
                (event, endpoint, status),
            )
        connection.commit()
    migrate.migrate(path)
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT id, kind, subject, note, tries, reason, created_ms, died_ms FROM dead_duties"
        )
        assert found.fetchall() == [
            ("deliver:evt_1:we_1", "deliver", "evt_1", "we_1", 11, "the receiver answered 500", 5, 7)
        ]


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


OLD_BOOKS = """
INSERT INTO ledger_transactions (account, psp, reference, kind, id, subject, created_ms) VALUES
    ('acct_a', 'sandbox', 'ch_1', 'capture', 'txn_1', 'pi_1', 1700000000000),
    ('acct_a', 'sandbox', 'ch_2', 'capture', 'txn_2', 'pi_2', 1700000001000),
    ('acct_b', 'sandbox', 'ch_3', 'capture', 'txn_3', 'pi_3', 1700000002000);
INSERT INTO ledger_postings (account, transaction_id, line, ledger_account, amount_minor, currency) VALUES
    ('acct_a', 'txn_1', '1', 'acct_a/psp_clearing/sandbox/usd', 1000, 'usd'),
    ('acct_a', 'txn_1', '2', 'acct_a/merchant_pending/usd', -960, 'usd'),
    ('acct_a', 'txn_1', '3', 'acct_a/fees/usd', -40, 'usd'),
    ('acct_a', 'txn_2', '1', 'acct_a/psp_clearing/sandbox/usd', 500, 'usd'),
    ('acct_a', 'txn_2', '2', 'acct_a/merchant_pending/usd', -500, 'usd'),
    ('acct_b', 'txn_3', '1', 'acct_b/psp_clearing/sandbox/usd', 25, 'usd'),
    ('acct_b', 'txn_3', '2', 'acct_b/fees/usd', -25, 'usd');
INSERT INTO ledger_balances (version, account, ledger_account, currency, amount_minor) VALUES
    (2, 'acct_a', 'acct_a/psp_clearing/sandbox/usd', 'usd', 1500),
    (2, 'acct_a', 'acct_a/merchant_pending/usd', 'usd', -1460),
    (1, 'acct_a', 'acct_a/fees/usd', 'usd', -40),
    (1, 'acct_b', 'acct_b/psp_clearing/sandbox/usd', 'usd', 25),
    (1, 'acct_b', 'acct_b/fees/usd', 'usd', -25);
"""


def test_books_that_are_there_get_their_change_log_and_a_day(tmp_path: Path) -> None:
    path = tmp_path / "older.db"
    command.upgrade(migrate.config_for(path), "0003")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD_BOOKS)
    migrate.migrate(path)
    with snapshot(path) as books:
        for _ in recount(books):
            pass
        assert [(day.account, day.day, day.amount_minor) for day in books.rows(Maturity, "account")] == [
            ("acct_a", "2023-11-16", 1460)
        ]
        [duty] = books.rows(Duty, "account")
    assert (duty.id, duty.kind, duty.subject) == ("mature:acct_a/usd/2023-11-16", "mature", "usd/2023-11-16")
    assert duty.due_ms == 1_700_092_800_000
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute("UPDATE ledger_postings SET sequence = 1")
