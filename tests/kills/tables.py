"""The tables of a database, as a reader from outside sees them."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]
"""A row, a charge or an event."""
Tables = Mapping[str, list[Record]]

READ = (
    "attempts",
    "audit_entries",
    "audit_heads",
    "dead_duties",
    "deliveries",
    "disputes",
    "duties",
    "errands",
    "event_feeds",
    "events",
    "idempotency_keys",
    "ledger_balances",
    "ledger_postings",
    "ledger_transactions",
    "notices",
    "payment_intents",
    "refunds",
    "webhook_endpoints",
)

WAITING = ("mature", "watch_refund")
"""Duties that wait for their day: pending money, and a look whether a refund still stands."""


def read_tables(connection: sqlite3.Connection) -> Tables:
    """Every row of the tables that an audit looks at, in one moment."""
    connection.execute("BEGIN")
    tables = {name: _rows(connection, name) for name in READ}
    connection.execute("COMMIT")
    return tables


def owed(database: Path) -> int:
    """How many duties are to be done without waiting for a day."""
    return number(database, f"SELECT count(*) FROM duties WHERE kind NOT IN {WAITING}")


def hasten(database: Path) -> None:
    """In a stopped database: as if the time of everything that is owed had come."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(f"UPDATE duties SET due_ms = 0 WHERE kind NOT IN {WAITING}")


def number(database: Path, query: str) -> int:
    """What a query counts. Looked at from outside, as a backup would."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchone()[0]


def _rows(connection: sqlite3.Connection, table: str) -> list[Record]:
    cursor = connection.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, values, strict=True)) for values in cursor]
