"""No statement of the payment path scans a table: SQLite is asked how it would run each of them."""

import importlib
import re
import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from paydesk.store import Row, statements
from tests.store.sitter import create_tables

WITH_ROWS = ("store", "audit", "duties", "requests", "merchants", "ledger", "events", "payments")
ROOMS = tuple(f"paydesk.{room}.rows" for room in WITH_ROWS)
NAMED = (
    "paydesk.audit.reading",
    "paydesk.duties.runner",
    "paydesk.duties.dead",
    "paydesk.duties.backlog",
    "paydesk.events.deliver",
    "paydesk.events.endpoints",
    "paydesk.ledger.balance",
    "paydesk.payments.unknown",
)
STATEMENT = re.compile(r"(SELECT|DELETE|UPDATE|INSERT|WITH)\s")
HARMLESS = re.compile(
    r"SEARCH \w+ USING .*"
    r"|SCAN (k|\d+ CONSTANT ROWS|\d+-ROW VALUES CLAUSE|CONSTANT ROW)"
    r"|(CO-ROUTINE|MATERIALIZE) k|COMPOUND QUERY|LEFT-MOST SUBQUERY|UNION ALL"
)
"""`k` are the keys of a load, as VALUES. Sorting in a temporary b-tree is not harmless: an index is in order."""


def kinds() -> list[type[Row]]:
    """Every row type with a table that the rooms own."""
    for room in ROOMS:
        importlib.import_module(room)

    def below(kind: type[Row]) -> Generator[type[Row]]:
        for one in kind.__subclasses__():
            if hasattr(one, "TABLE") and one.__module__ in ROOMS:
                yield one
            yield from below(one)

    return sorted(set(below(Row)), key=lambda kind: kind.TABLE)


def of_tables() -> dict[str, str]:
    """The four statements of each table, loads of every size."""
    found: dict[str, str] = {}
    for kind in kinds():
        found |= {f"{kind.TABLE} load {size}": statements.load(kind, size) for size in statements.LOAD_SIZES}
        found[f"{kind.TABLE} insert"] = statements.insert(kind)
        found[f"{kind.TABLE} delete"] = statements.delete(kind)
        if "version" in statements.insert(kind):
            found[f"{kind.TABLE} update"] = statements.update(kind)
    return found


def named() -> dict[str, str]:
    """The statements that stand by themselves in a module."""
    modules = {name: vars(importlib.import_module(name)) for name in NAMED}
    return {
        f"{module} {name}": value
        for module, values in modules.items()
        for name, value in values.items()
        if isinstance(value, str) and name.isupper() and STATEMENT.match(value)
    }


def plan(database: sqlite3.Connection, statement: str) -> list[str]:
    parameters = [None] * statement.count("?")
    return [detail for *_, detail in database.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]


def harms(steps: list[str]) -> list[str]:
    return [step for step in steps if not HARMLESS.fullmatch(step)]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Generator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("plans") / "plans.db"
    create_tables(path, tuple(kinds()))
    with closing(sqlite3.connect(path)) as opened:
        yield opened


def test_every_room_has_rows_and_every_named_module_a_statement() -> None:
    assert {kind.__module__ for kind in kinds()} == set(ROOMS)
    assert len(kinds()) >= 18
    assert {name.split()[0] for name in named()} == set(NAMED)


@pytest.mark.parametrize("name", of_tables())
def test_a_tables_statements_find_their_rows_by_key(database: sqlite3.Connection, name: str) -> None:
    steps = plan(database, of_tables()[name])
    assert not harms(steps)
    assert name.endswith(" insert") or [step for step in steps if step.startswith("SEARCH")]


@pytest.mark.parametrize("name", named())
def test_a_named_statement_walks_along_an_index(database: sqlite3.Connection, name: str) -> None:
    steps = plan(database, named()[name])
    assert steps
    assert not harms(steps)


@pytest.mark.parametrize("name", ["ASKED_AGAIN", "OLDEST_ASKED_AGAIN"])
def test_unknown_outcomes_are_found_by_an_index_over_them_alone(database: sqlite3.Connection, name: str) -> None:
    """It holds no payment that goes well, and no payment is looked at."""
    (step,) = plan(database, named()[f"paydesk.payments.unknown {name}"])
    assert re.search(r"INDEX duties_some_kind_created_ms_account_id \(kind=\?\)", step), step


@pytest.mark.parametrize(
    "statement",
    [
        'SELECT "id" FROM "duties" WHERE "subject" = ?',
        'SELECT "id" FROM "duties" ORDER BY "account", "id"',
        'SELECT "id" FROM "duties" WHERE "due_ms" > ? ORDER BY "id"',
        'DELETE FROM "nonces" WHERE "nonce" = ?',
        'SELECT count(*) FROM "deliveries"',
        'SELECT t."id" FROM "events" t WHERE (t."account", t."id") IN (VALUES (?, ?), (?, ?))',
    ],
)
def test_a_scan_or_a_sort_would_be_seen(database: sqlite3.Connection, statement: str) -> None:
    assert harms(plan(database, statement))


def test_tables_are_strict_and_narrow_ones_have_no_rowid(database: sqlite3.Connection) -> None:
    listed = {name: (no_rowid, strict) for _, name, _, _, no_rowid, strict in database.execute("PRAGMA table_list")}
    assert {kind.TABLE: listed[kind.TABLE] for kind in kinds()} == {
        kind.TABLE: (0 if kind.WIDE else 1, 1) for kind in kinds()
    }


def test_an_empty_database_file_is_not_made_by_a_reader(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        statements_reader(tmp_path / "none.db")


def statements_reader(path: Path) -> None:
    from paydesk.store.sqlite import SqliteReader

    SqliteReader(path)
