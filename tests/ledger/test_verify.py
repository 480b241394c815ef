"""The recount: silent about books that are right, and about each way in which they can be wrong it names the row."""

import asyncio
import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from shutil import copyfile

import pytest

from paydesk.ledger import Balance, LedgerTransaction
from paydesk.ledger.export import COLUMNS, exported
from paydesk.ledger.verify import Found, Off, recount
from paydesk.store.snapshot import Snapshot, snapshot
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.stage.shopper import VISA

DAY = 86_400.0

CAPTURES = "SELECT id FROM ledger_transactions WHERE kind = 'capture' ORDER BY id"
FIRST, SECOND = f"({CAPTURES} LIMIT 1)", f"({CAPTURES} LIMIT 1 OFFSET 1)"
PENDING = "ledger_account LIKE '%/merchant_pending/usd'"
CLEARING = "ledger_account LIKE '%/psp_clearing/sandbox/usd'"

DAMAGES = [
    # A posting, its place and its sums.
    (f"UPDATE ledger_postings SET amount_minor = amount_minor + 1 WHERE transaction_id = {SECOND} AND line = '2'",
     "ledger_postings", "line 2", "says a balance of"),
    (f"UPDATE ledger_postings SET balance_minor = balance_minor - 1 WHERE transaction_id = {FIRST} AND line = '1'",
     "ledger_postings", "line 1", "says a balance of 4199; its ledger account is at 4200"),
    (f"UPDATE ledger_postings SET sequence = 7 WHERE transaction_id = {SECOND} AND line = '1'",
     "ledger_postings", "", "is number 7 of"),
    (f"UPDATE ledger_postings SET sequence = 1 WHERE {CLEARING}", "ledger_postings", "", "is number 1 of"),
    (f"DELETE FROM ledger_postings WHERE transaction_id = {FIRST} AND line = '1'",
     "ledger_postings", "line 1", "is number 2 of"),
    ("DELETE FROM ledger_postings WHERE ledger_account LIKE '%/eur'", "ledger_balances", "/eur", "has no postings"),
    (f"UPDATE ledger_postings SET currency = 'eur' WHERE transaction_id = {FIRST} AND line = '1'",
     "ledger_postings", "line 1", "is in eur"),
    (f"UPDATE ledger_postings SET amount_minor = 0, balance_minor = 0 WHERE {CLEARING} AND sequence = 1",
     "ledger_postings", "line 1", "moves nothing"),
    (f"UPDATE ledger_postings SET ledger_account = account || '/pocket/usd' WHERE {CLEARING}; "
     f"UPDATE ledger_balances SET ledger_account = account || '/pocket/usd' WHERE {CLEARING}",
     "ledger_postings", "", "is no ledger account of"),
    (f"UPDATE ledger_postings SET ledger_account = 'acct_other/fees/usd' WHERE {CLEARING}; "
     f"UPDATE ledger_balances SET ledger_account = 'acct_other/fees/usd' WHERE {CLEARING}",
     "ledger_postings", "", "is no ledger account of"),
    (f"UPDATE ledger_postings SET ledger_account = 'nothing' WHERE {CLEARING}; "
     f"UPDATE ledger_balances SET ledger_account = 'nothing' WHERE {CLEARING}",
     "ledger_postings", "", "is no ledger account of"),
    (f"UPDATE ledger_postings SET ledger_account = replace(ledger_account, '/usd', '/chf') WHERE {CLEARING}",
     "ledger_postings", "", "is in usd; its ledger account"),
    # A balance.
    (f"UPDATE ledger_balances SET amount_minor = 1 WHERE {CLEARING}",
     "ledger_balances", "psp_clearing", "is 1; its postings sum to"),
    (f"UPDATE ledger_balances SET sequence = 99 WHERE {CLEARING}",
     "ledger_balances", "psp_clearing", "counts 99 postings; there are 3"),
    (f"UPDATE ledger_balances SET currency = 'eur' WHERE {CLEARING}",
     "ledger_balances", "psp_clearing", "is in eur; its postings are in usd"),
    (f"DELETE FROM ledger_balances WHERE {CLEARING}", "ledger_postings", "line 1", "has no balance"),
    ("INSERT INTO ledger_balances (version, account, ledger_account, currency, amount_minor, sequence) "
     "VALUES (1, 'acct_other', 'acct_other/fees/usd', 'usd', 5, 1)",
     "ledger_balances", "acct_other", "has no postings"),
    # A transaction.
    (f"DELETE FROM ledger_transactions WHERE id = {SECOND}", "ledger_postings", "line 1", "no such transaction"),
    ("INSERT INTO ledger_transactions (account, psp, reference, kind, id, subject, created_ms) "
     "SELECT account, psp, 'zz_x', kind, id || 'x', subject, created_ms FROM ledger_transactions LIMIT 1",
     "ledger_transactions", "zz_x", "has no postings"),
    ("INSERT INTO ledger_transactions (account, psp, reference, kind, id, subject, created_ms) "
     f"SELECT account, psp, 'zz_x', kind, id, subject, created_ms FROM ledger_transactions WHERE id = {FIRST}",
     "ledger_transactions", "zz_x", "has no postings"),
    (f"UPDATE ledger_postings SET line = '9' WHERE transaction_id = {FIRST} AND line = '3'",
     "ledger_transactions", "capture", "are numbered 1, 2, 9"),
    # All sums beside a transaction's own were made to fit.
    (f"UPDATE ledger_postings SET amount_minor = amount_minor + 1 WHERE {CLEARING} AND sequence = 3; "
     f"UPDATE ledger_postings SET balance_minor = balance_minor + 1 WHERE {CLEARING} AND sequence = 3; "
     f"UPDATE ledger_balances SET amount_minor = amount_minor + 1 WHERE {CLEARING}",
     "ledger_transactions", "capture", "its postings sum to 1 usd"),
    # A day.
    ("UPDATE maturities SET amount_minor = amount_minor + 1 WHERE matured_ms IS NULL AND currency = 'usd'",
     "ledger_balances", "merchant_pending", "its days hold"),
    ("UPDATE maturities SET amount_minor = 5 WHERE matured_ms IS NOT NULL",
     "maturities", "", "has matured, and holds 5 still"),
    ("DELETE FROM maturities WHERE matured_ms IS NULL AND currency = 'usd'",
     "ledger_balances", "merchant_pending", "its days hold 0"),
    ("INSERT INTO maturities (version, account, currency, day, amount_minor) "
     "VALUES (1, 'acct_x', 'usd', '2026-01-01', 5)",
     "maturities", "acct_x", "there is no balance acct_x/merchant_pending/usd"),
]  # fmt: skip


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books of four payments on two days in two currencies, a day of them matured."""
    folder = tmp_path_factory.mktemp("books")

    async def story(house: Turned) -> None:
        for number, (amount, currency) in enumerate(((4200, "usd"), (1999, "eur"), (100, "usd"))):
            await pay(house, number, amount, currency)
            await asyncio.sleep(1)
        await asyncio.sleep(2.5 * DAY)
        await pay(house, 3, 700, "usd")

    play(folder, story, terms={"fee": "1.5%+25"})
    with closing(sqlite3.connect(folder / "data" / "paydesk.db")) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger_%'")
        for (name,) in triggers.fetchall():
            database.execute(f"DROP TRIGGER {name}")
    return folder / "data" / "paydesk.db"


async def pay(house: Turned, number: int, amount: int, currency: str) -> None:
    body = {"amount": amount, "currency": currency}
    answer = await house.send("POST", "/v1/payment_intents", json=body, headers={"Idempotency-Key": f"order-{number}"})
    assert (await house.pay(answer.json(), VISA)).status_code == 200


@pytest.fixture
def copy(right: Path, tmp_path: Path) -> Path:
    return Path(copyfile(right, tmp_path / "copy.db"))


@pytest.fixture
def books(right: Path) -> Generator[Snapshot]:
    with snapshot(right) as opened:
        yield opened


def counted(database: Path) -> int:
    with snapshot(database) as opened:
        return sum(1 for _ in recount(opened))


def test_books_that_are_right_are_counted_to_the_end(books: Snapshot) -> None:
    found = Found()
    steps = sum(1 for _ in recount(books, found))
    assert (found.transactions, found.postings, found.ledger_accounts, found.days) == (6, 16, 8, 3)
    assert steps >= 2 * found.postings
    assert {row.kind for row in books.rows(LedgerTransaction, "account", "id")} == {"capture", "maturity"}


@pytest.mark.parametrize(("damage", "table", "key", "why"), DAMAGES, ids=[damage for damage, *_ in DAMAGES])
def test_the_first_row_that_is_off_is_named(copy: Path, damage: str, table: str, key: str, why: str) -> None:
    with closing(sqlite3.connect(copy)) as database:
        before = database.total_changes
        database.executescript(damage)
        assert database.total_changes > before
    with pytest.raises(Off, match=why) as off:
        counted(copy)
    assert off.value.table == table
    assert key in ", ".join(f"{name} {value}" for name, value in off.value.key.items())


def test_an_empty_journal_is_right(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as database:
        for table in ("ledger_transactions", "ledger_postings", "ledger_balances", "maturities"):
            database.execute(f"DELETE FROM {table}")
        database.commit()
    assert counted(copy) == 0


def test_a_snapshot_does_not_see_what_comes_after_it(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        with snapshot(copy) as opened:
            database.execute("UPDATE ledger_balances SET amount_minor = 1")
            database.commit()
            assert sum(1 for _ in recount(opened)) > 0
    with pytest.raises(Off):
        counted(copy)


def test_whoever_reads_everything_walks_along_an_index(right: Path) -> None:
    """A sort would hold the loop, and want memory for all of it."""
    asked: list[str] = []

    class Watched(Snapshot):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            self._database.set_trace_callback(asked.append)

    opened = Watched(right)
    account = next(opened.rows(LedgerTransaction, "id")).account
    for _ in recount(opened):
        pass
    assert list(exported(opened, None)) == list(exported(opened, account))
    opened.close()
    walks = [statement for statement in asked if statement.startswith("SELECT") and "ORDER BY" in statement]
    assert len(walks) >= 11
    with closing(sqlite3.connect(right)) as database:
        for statement in walks[1:]:
            steps = [detail for *_, detail in database.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert not [step for step in steps if "TEMP B-TREE" in step], statement


def test_the_export_has_a_row_per_posting_with_its_transactions_facts(books: Snapshot) -> None:
    rows = list(exported(books, None))
    assert len(rows) == 16 == books.total(Balance, "sequence")
    assert all(tuple(row) == COLUMNS for row in rows)
    assert [row["transaction"] for row in rows] == sorted(row["transaction"] for row in rows)
    first = [(row["kind"], row["line"], row["amount_minor"], row["currency"], row["balance_minor"]) for row in rows[:3]]
    assert first == [
        ("capture", "1", 4200, "usd", 4200),
        ("capture", "2", -4112, "usd", -4112),
        ("capture", "3", -88, "usd", -88),
    ]
    assert list(exported(books, "acct_other000")) == []
