"""A restore: a backup in the place of the database, whole or not at all, and nothing that was there is lost."""

import asyncio
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from alembic import command

from paydesk.assembly import migrate
from paydesk.assembly.backup import backup_of, mark_taken
from paydesk.assembly.house import House
from paydesk.assembly.opened import opened
from paydesk.assembly.opening import DataLock
from paydesk.assembly.restoring import Restored, restore
from paydesk.config import Config
from paydesk.errors import Sentence
from paydesk.telemetry import Log
from tests.assembly.test_backup import merchant, open_intent, play, taken

NOW_MS = 1_900_000_000_000


def restored(data: Path, file: Path, *, over: bool = False) -> Restored:
    return restore(Config(data=data), {}, file, over=over, now_ms=NOW_MS)


def orders(database: Path) -> list[str]:
    """The idempotency keys of its intents."""
    with closing(sqlite3.connect(database)) as opened_one:
        return [key for (key,) in opened_one.execute("SELECT idempotency_key FROM idempotency_keys ORDER BY 1")]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A data folder with the order `before`, a backup of it beside it, and then the order `since`."""

    async def story(house: House) -> None:
        account = await merchant(house)
        await open_intent(house, account, "before")
        assert "done" in await taken(house, tmp_path / "tea.backup")
        await open_intent(house, account, "since")

    play(tmp_path / "data", story)
    return tmp_path / "data"


@pytest.fixture
def file(shop: Path) -> Path:
    return shop.with_name("tea.backup")


def test_into_a_new_folder(shop: Path, file: Path, tmp_path: Path) -> None:
    """With its key beside it the shop is there again; without it the restore says where the key belongs."""
    assert "put it at" in restored(tmp_path / "without", file).master_key
    shutil.copy(shop.with_name("data.key"), tmp_path / "new.key")
    facts = restored(tmp_path / "new", file)
    assert (facts.master_key, facts.kept_aside) == ("fits", "")
    database = tmp_path / "new" / "paydesk.db"
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert orders(database) == ["before"]
    with closing(sqlite3.connect(database)) as connection:
        row = backup_of(connection)
    assert row
    assert (row.restored_ms, row.asked_ms) == (NOW_MS, None)
    play(tmp_path / "new", nothing)
    assert sorted(one.name for one in (tmp_path / "new").iterdir()) == ["lock", "paydesk.db"]


async def nothing(house: House) -> None:
    assert house.reader


def test_a_database_that_is_there_is_replaced_on_request_alone_and_kept(shop: Path, file: Path) -> None:
    with pytest.raises(Sentence, match="--replace"):
        restored(shop, file)
    assert orders(shop / "paydesk.db") == ["before", "since"]
    facts = restored(shop, file, over=True)
    assert orders(shop / "paydesk.db") == ["before"]
    assert orders(Path(facts.kept_aside)) == ["before", "since"]


def killed(shop: Path, into: Path) -> Path:
    """A folder as a killed process leaves it: the order `since` in the log alone."""
    into.mkdir()
    with closing(sqlite3.connect(shop / "paydesk.db")) as database:
        database.execute("UPDATE idempotency_keys SET idempotency_key = 'in the log' WHERE idempotency_key = 'since'")
        database.commit()
        for name in ("paydesk.db", "paydesk.db-wal", "paydesk.db-shm"):
            shutil.copy(shop / name, into / name)
    shutil.copy(shop.with_name("data.key"), into.with_name(into.name + ".key"))
    return into


def test_what_a_killed_process_left_in_the_log_is_kept_and_not_read_into_the_backup(
    shop: Path, file: Path, tmp_path: Path
) -> None:
    data = killed(shop, tmp_path / "killed")
    facts = restored(data, file, over=True)
    assert orders(data / "paydesk.db") == ["before"]
    assert orders(Path(facts.kept_aside)) == ["before", "in the log"]


@pytest.mark.parametrize("renames", range(4))
def test_a_restore_that_dies_on_the_way_is_finished_by_the_next_start(
    shop: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    """After each of its renames: never a start without the database, never one with the other's log."""
    data, left = killed(shop, tmp_path / "killed"), [renames]
    rename = Path.rename

    def die(self: Path, target: Path) -> Path:
        if not left[0]:
            raise RuntimeError("the lights went out")
        left[0] -= 1
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", die)
        with pytest.raises(RuntimeError):
            restored(data, file, over=True)
    play(data, nothing)
    assert orders(data / "paydesk.db") == (["before"] if renames else ["before", "in the log"])
    asides = list(data.glob("paydesk-before-restore-*.db"))
    assert [orders(aside) for aside in asides] == ([["before", "in the log"]] if renames else [])
    if not renames:
        assert orders(Path(restored(data, file, over=True).kept_aside)) == ["before", "in the log"]


def spoilt(file: Path) -> None:
    with file.open("r+b") as opened_one:
        opened_one.seek(5 * 4096)
        opened_one.write(b"\x0a" + b"\xff" * 3000)


def statement(text: str) -> Callable[[Path], None]:
    def spoil(file: Path) -> None:
        with closing(sqlite3.connect(file)) as database:
            database.execute(text)
            database.commit()

    return spoil


def another_database(file: Path) -> None:
    file.unlink()
    statement("CREATE TABLE notes (text TEXT)")(file)


NO_BACKUP: dict[str, tuple[Callable[[Path], object], str]] = {
    "no file": (Path.unlink, "is not a file"),
    "no database": (lambda file: file.write_bytes(b"no database, but long enough to be read as one " * 100), "be read"),
    "another database": (another_database, "not a database of Paydesk's"),
    "cut short": (lambda file: file.write_bytes(file.read_bytes()[: 5 * 4096]), "be read"),
    "damaged": (spoilt, "be read"),
    "of a newer one": (statement("UPDATE alembic_version SET version_num = '9999'"), "A newer Paydesk"),
    "without its guards": (statement("DROP TRIGGER events_no_update"), "events_no_update"),
}


@pytest.mark.parametrize("what", NO_BACKUP)
def test_what_is_no_backup_is_refused_and_changes_nothing(shop: Path, file: Path, what: str) -> None:
    spoil, said = NO_BACKUP[what]
    spoil(file)
    before = sorted(one.name for one in shop.iterdir())
    with pytest.raises(Sentence, match=said):
        restored(shop, file, over=True)
    assert orders(shop / "paydesk.db") == ["before", "since"]
    assert sorted(one.name for one in shop.iterdir() if one.suffix not in (".db-wal", ".db-shm")) == before
    play(shop, nothing)


def test_a_backup_under_another_key_is_refused(shop: Path, file: Path) -> None:
    shop.with_name("data.key").write_text("A" * 43)
    with pytest.raises(Sentence, match="not that of this backup"):
        restored(shop, file, over=True)
    assert orders(shop / "paydesk.db") == ["before", "since"]


def test_a_folder_that_is_open_is_left_alone(shop: Path, file: Path) -> None:
    with closing(DataLock(shop)), pytest.raises(Sentence, match="open in another process"):
        restored(shop, file, over=True)


def test_a_backup_of_an_older_paydesk_is_brought_up_to_date(tmp_path: Path) -> None:
    older = tmp_path / "older.db"
    command.upgrade(migrate.config_for(older), "0004")
    with closing(sqlite3.connect(older)) as database:
        database.execute("INSERT INTO installation (id, key_check, created_ms) VALUES ('this', x'00', 5)")
        database.execute("INSERT INTO batch_markers VALUES ('p-1', 1700000000000), ('p-2', 1700000000123)")
        database.commit()
    facts = restored(tmp_path / "new", older)
    assert migrate.revision_of(tmp_path / "new" / "paydesk.db") == migrate.HEAD
    assert facts.taken == "2023-11-14T22:13:20.123Z"  # Of its newest commit: it is a plain copy.
    assert migrate.revision_of(older) == "0004"


def test_a_plain_copy_is_as_old_as_its_newest_commit_also_when_it_was_restored_before(
    shop: Path, file: Path, tmp_path: Path
) -> None:
    restored(shop, file, over=True)
    with closing(sqlite3.connect(shop / "paydesk.db")) as database:
        database.execute("UPDATE backup SET asked_ms = 7")
        newest = database.execute("SELECT max(created_ms) FROM batch_markers").fetchone()[0]
        database.commit()
    restored(tmp_path / "again", shop / "paydesk.db")
    with closing(sqlite3.connect(tmp_path / "again" / "paydesk.db")) as database:
        row = backup_of(database)
    assert row
    assert (row.taken_ms, row.asked_ms) == (newest, None)


def test_a_backup_of_what_was_not_asked_about_yet_has_as_much_to_ask_for(shop: Path, file: Path) -> None:
    restored(shop, file, over=True)
    with closing(sqlite3.connect(shop / "paydesk.db", isolation_level=None)) as database:
        before = backup_of(database)
        assert before
        mark_taken(database, before.taken_ms + 5000)
        after = backup_of(database)
        assert after
        assert (after.taken_ms, after.restored_ms) == (before.taken_ms, None)
        database.execute("UPDATE backup SET asked_ms = 7")
        mark_taken(database, before.taken_ms + 5000)
        last = backup_of(database)
    assert last
    assert last.taken_ms == before.taken_ms + 5000


def test_a_restored_database_opens_for_commands_as_well(shop: Path, file: Path) -> None:
    restored(shop, file, over=True)

    async def look() -> None:
        async with opened(Config(data=shop), {}, Log("error", BytesIO()), commits_only=True) as house:
            assert house.reader

    asyncio.run(look())
