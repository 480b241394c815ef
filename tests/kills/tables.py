"""The tables of a database, as a reader from outside sees them."""

import sqlite3
from collections.abc import Mapping
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
    "duties",
    "event_feeds",
    "events",
    "idempotency_keys",
    "ledger_balances",
    "ledger_postings",
    "ledger_transactions",
    "payment_intents",
    "webhook_endpoints",
)


def read_tables(connection: sqlite3.Connection) -> Tables:
    """Every row of the tables that an audit looks at, in one moment."""
    connection.execute("BEGIN")
    tables = {name: _rows(connection, name) for name in READ}
    connection.execute("COMMIT")
    return tables


def _rows(connection: sqlite3.Connection, table: str) -> list[Record]:
    cursor = connection.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, values, strict=True)) for values in cursor]
