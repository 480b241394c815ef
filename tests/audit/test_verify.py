"""A chain that was tampered with is found, and the first line that is off is named; on copies of a real database."""

import asyncio
import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from paydesk.assembly.audit_log import verify_file
from paydesk.assembly.checks import CannotOpen
from paydesk.audit.chain import BEGINNING, link
from paydesk.audit.verify import Chain, verify
from paydesk.store.snapshot import snapshot
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned

LINES = 9

Tampering = Callable[[sqlite3.Connection], None]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a chain of nine lines."""
    folder = tmp_path_factory.mktemp("audit")

    async def story(house: Turned) -> None:
        for number in range(LINES):
            await house.open(f"order-{number}")

    play(folder, story)
    path = next(folder.rglob("paydesk.db"))
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def copied(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(written, tmp_path / "copy.db"))


def tamper(path: Path, how: Tampering) -> None:
    """As somebody with the file in hands would: without the triggers."""
    with closing(sqlite3.connect(path)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        how(database)
        database.commit()


def verified(path: Path, *accounts: str) -> list[Chain]:
    with snapshot(path) as log:
        return [chain for chain in verify(log, accounts) if chain]


def run(*statements: str) -> Tampering:
    def how(database: sqlite3.Connection) -> None:
        for statement in statements:
            database.execute(statement)

    return how


def test_a_text_never_passes_for_two(copied: Path) -> None:
    """A reason moved into the text before it leaves the same bytes under the hash."""
    columns = "account, number, at_ms, actor, action, object_id, request_id"
    with closing(sqlite3.connect(copied)) as database:
        account, number, at_ms, *texts = database.execute(f"SELECT {columns} FROM audit_entries").fetchone()
        hashed = link(BEGINNING, account, number, at_ms, *texts, "ff", "because")

    def how(database: sqlite3.Connection) -> None:
        moved = ("ff\nbecause", "", hashed, account)
        database.execute(
            "UPDATE audit_entries SET fingerprint = ?, reason = ?, hash = ? WHERE account = ? AND number = 1", moved
        )

    tamper(copied, how)
    (found,) = verified(copied, account)
    assert (found.off, "not the line" in found.why) == (1, True)


def insert_again(database: sqlite3.Connection) -> None:
    """Line 5 a second time, everything behind it one further."""
    database.execute("UPDATE audit_entries SET number = -number WHERE number > 5")
    database.execute("UPDATE audit_entries SET number = 1 - number WHERE number < 0")
    columns = "at_ms, actor, action, object_id, request_id, fingerprint, hash"
    database.execute(
        f"INSERT INTO audit_entries (account, number, {columns}) "
        f"SELECT account, 6, {columns} FROM audit_entries WHERE number = 5"
    )
    database.execute("UPDATE audit_heads SET number = number + 1")


def swap(database: sqlite3.Connection) -> None:
    for old, new in ((4, -1), (5, 4), (-1, 5)):
        database.execute("UPDATE audit_entries SET number = ? WHERE number = ?", (new, old))


def rewrite(database: sqlite3.Connection) -> None:
    """Line 5 with another object and the hash that belongs to it, but not those behind it."""
    columns = "account, number, at_ms, actor, action, object_id, request_id, fingerprint"
    row = list(database.execute(f"SELECT {columns} FROM audit_entries WHERE number = 5").fetchone())
    before = database.execute("SELECT hash FROM audit_entries WHERE number = 4").fetchone()[0]
    row[5] = "pi_another"
    database.execute("UPDATE audit_entries SET object_id = ?, hash = ? WHERE number = 5", (row[5], link(before, *row)))


CHANGED = {
    "at_ms": "at_ms + 1",
    "actor": "'operator'",
    "action": "'GET /v1/ping'",
    "object_id": "'pi_1'",
    "request_id": "'req_1'",
    "fingerprint": "''",
    "reason": "'because'",
    "hash": "zeroblob(32)",
}
TAMPERINGS: dict[str, tuple[Tampering, int]] = {
    **{name: (run(f"UPDATE audit_entries SET {name} = {new} WHERE number = 5"), 5) for name, new in CHANGED.items()},
    "a newline moved": (run("UPDATE audit_entries SET actor = actor || char(10) || action, action = '' "), 1),
    "rewritten": (rewrite, 6),
    "the first removed": (run("DELETE FROM audit_entries WHERE number = 1"), 1),
    "removed in the middle": (run("DELETE FROM audit_entries WHERE number = 5"), 5),
    "removed and closed up": (
        run("DELETE FROM audit_entries WHERE number = 5",
            "UPDATE audit_entries SET number = number - 1 WHERE number > 5",
            "UPDATE audit_heads SET number = number - 1"), 5,
    ),
    "removed at the end": (run("DELETE FROM audit_entries WHERE number > 7"), 8),
    "removed at the end, the head's number too": (
        run("DELETE FROM audit_entries WHERE number > 7", "UPDATE audit_heads SET number = 7"), 7,
    ),
    "all lines removed": (run("DELETE FROM audit_entries"), 1),
    "the head removed": (run("DELETE FROM audit_heads"), LINES),
    "the head set back": (run("UPDATE audit_heads SET number = 7"), 8),
    "another head": (run("UPDATE audit_heads SET hash = zeroblob(32)"), LINES),
    "inserted": (insert_again, 6),
    "inserted before the first": (
        run("INSERT INTO audit_entries SELECT account, 0, at_ms, actor, action, object_id, request_id, fingerprint, "
            "hash, reason FROM audit_entries WHERE number = 1"), 0,
    ),
    "appended": (
        run("INSERT INTO audit_entries SELECT account, 10, at_ms, actor, action, object_id, request_id, fingerprint, "
            "hash, reason FROM audit_entries WHERE number = 9"), 10,
    ),
    "reordered": (swap, 4),
    "a reason made of what was before it": (run("UPDATE audit_entries SET reason = fingerprint, fingerprint = ''"), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
def test_the_first_line_that_is_off_is_named(copied: Path, name: str) -> None:
    how, off = TAMPERINGS[name]
    tamper(copied, how)
    (chain,) = verified(copied)
    assert (chain.off, bool(chain.why)) == (off, True), chain


def test_a_chain_that_was_left_alone_holds_and_names_its_head(copied: Path) -> None:
    (chain,) = verified(copied)
    with closing(sqlite3.connect(copied)) as database:
        head = database.execute("SELECT hash FROM audit_heads").fetchone()[0]
    assert (chain.lines, chain.off, chain.head) == (LINES, None, head)


def test_a_whole_account_that_was_taken_away_is_missed(copied: Path) -> None:
    (before,) = verified(copied)
    tamper(copied, run("DELETE FROM audit_entries", "DELETE FROM audit_heads"))
    assert verified(copied) == []
    (chain,) = verified(copied, before.account)
    assert (chain.account, chain.lines, chain.off) == (before.account, 0, 1)


def test_lines_of_an_account_without_head_are_found(copied: Path) -> None:
    tamper(copied, run("UPDATE audit_entries SET account = 'acct_another' WHERE number > 6"))
    assert sorted(chain.off or 0 for chain in verified(copied)) == [1, 7]


def test_the_database_refuses_to_change_the_log(copied: Path) -> None:
    with closing(sqlite3.connect(copied)) as database:
        for statement in (
            "UPDATE audit_entries SET actor = 'operator'",
            "DELETE FROM audit_entries",
            "DELETE FROM audit_heads",
            "UPDATE audit_heads SET number = number - 1",
            "UPDATE audit_heads SET hash = zeroblob(32)",
        ):
            with pytest.raises(sqlite3.IntegrityError, match=r"never|only grows"):
                database.execute(statement)


def test_the_hash_is_that_of_the_line_behind_the_one_before() -> None:
    """Written out, so that others can verify a copy of the log."""
    text = (
        "acct_b6jxhdg7\n1\n1700000000000\nkey:key_test_b6jxhdg7\nPOST /v1/payment_intents\npi_b6jxhdg7\nreq_1\n"
        + "0" * 64
    )
    account, number, at_ms, *texts = text.split("\n")
    assert (
        link(BEGINNING, account, int(number), int(at_ms), *texts) == hashlib.sha256(bytes(32) + text.encode()).digest()
    )


def test_a_chain_is_verified_while_it_grows(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        growing = house.world.spawn(grow(house), "growing")
        while not growing.done():
            assert [chain.off for chain in verified(house.house.config.database)] in ([], [None])
            await asyncio.sleep(0)

    async def grow(house: Turned) -> None:
        for number in range(30):
            await house.open(f"order-{number}")

    play(tmp_path, story)


def test_a_file_of_an_older_version_is_no_false_alarm(copied: Path) -> None:
    """SQLite takes a column that it does not know for a text."""
    drop = ("DROP INDEX audit_entries_some_object_id_at_ms", "ALTER TABLE audit_entries DROP COLUMN reason")
    tamper(copied, run(*drop))
    with pytest.raises(CannotOpen, match="of an older version"):
        verify_file(copied, lambda told: None)
