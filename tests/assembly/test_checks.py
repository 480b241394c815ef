"""A start refuses what it can't believe, each time with one sentence that says what to do; a sound folder opens."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path
from threading import Event, Thread

import pytest

from paydesk.assembly import checks, migrate
from paydesk.assembly.checks import TRIGGERS, CannotOpen, check_database, check_folder
from paydesk.assembly.opening import DataLock
from paydesk.assembly.serving import opened as opened_house
from paydesk.config import Config
from paydesk.errors import Sentence
from paydesk.telemetry import Log
from tests.assembly.test_opening import opened
from tests.journeys.turned import migrated

Spoil = Callable[[Path], None]


def statement(text: str) -> Spoil:
    def spoil(data: Path) -> None:
        with closing(sqlite3.connect(data / "paydesk.db")) as database:
            database.execute(text)
            database.commit()

    return spoil


def flip_a_page(data: Path) -> None:
    """Garbage where the rows of a table are."""
    with closing(sqlite3.connect(data / "paydesk.db")) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        page = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ledger_postings'").fetchone()[0]
    with (data / "paydesk.db").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\x0a" + b"\xff" * 200)


def cut(data: Path) -> None:
    os.truncate(data / "paydesk.db", 3 * 4096)


def no_database(data: Path) -> None:
    (data / "paydesk.db").write_bytes(b"no database at all, but long enough to be read as one" * 100)


def another_database(data: Path) -> None:
    (data / "paydesk.db").unlink()
    statement("CREATE TABLE notes (text TEXT)")(data)
    (data / "paydesk.db").chmod(0o600)


def log_alone(data: Path) -> None:
    (data / "paydesk.db-wal").write_bytes(b"what was committed last")
    (data / "paydesk.db").unlink()


def a_folder_in_its_place(data: Path) -> None:
    (data / "paydesk.db").unlink()
    (data / "paydesk.db").mkdir()


def key_of_another(data: Path) -> None:
    data.with_name("data.key").write_text("A" * 43)


def lose(trigger: str) -> Spoil:
    return statement(f"DROP TRIGGER {trigger}")


REFUSED: dict[str, tuple[Spoil, str]] = {
    "a folder for everybody": (lambda data: data.chmod(0o777), "chmod 700"),
    "a database for others": (lambda data: (data / "paydesk.db").chmod(0o640), "chmod 600"),
    "a folder in the database's place": (a_folder_in_its_place, "is not a file"),
    "a log without its database": (log_alone, r"Put paydesk\.db back"),
    "another program's database": (another_database, "not one of Paydesk's"),
    "no database": (no_database, "paydesk restore FILE"),
    "a damaged page": (flip_a_page, "paydesk restore FILE"),
    "a database cut short": (cut, "paydesk restore FILE"),
    "a newer one": (statement("UPDATE alembic_version SET version_num = '9999'"), "A newer Paydesk wrote"),
    "no master key": (lambda data: data.with_name("data.key").unlink(), "Put it back"),
    "another master key": (key_of_another, "is not that of"),
    "a master key for others": (lambda data: data.with_name("data.key").chmod(0o644), "chmod 600"),
    **{f"without {trigger}": (lose(trigger), trigger) for trigger in TRIGGERS},
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    opened(tmp_path / "data")
    return tmp_path / "data"


async def start(data: Path) -> str:
    """What a start logs."""
    written = BytesIO()
    async with opened_house(Config(data=data), {}, Log("info", written), commits_only=True):
        return written.getvalue().decode()


def started(data: Path) -> str:
    import asyncio

    return asyncio.run(start(data))


@pytest.mark.parametrize("what", REFUSED)
def test_a_start_refuses_with_one_sentence(data: Path, what: str) -> None:
    spoil, said = REFUSED[what]
    spoil(data)
    with pytest.raises(Sentence, match=said) as refused:
        started(data)
    assert "\n" not in str(refused.value)
    DataLock(data).close()


def test_the_command_ends_with_the_sentence_and_status_1(data: Path) -> None:
    lose(TRIGGERS[0])(data)
    done = subprocess.run(
        [sys.executable, "-m", "paydesk", "serve", "--port", "0", "--data", str(data)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert TRIGGERS[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refused_start_lets_go_of_the_folder_and_a_sound_one_opens(data: Path) -> None:
    (data / "paydesk.db").chmod(0o640)
    with pytest.raises(CannotOpen):
        started(data)
    (data / "paydesk.db").chmod(0o600)
    assert '"checked": "whole"' in started(data) or '"checked":"whole"' in started(data)


def test_a_folder_that_can_not_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotOpen, match="can't be used as a data folder"):
        DataLock(tmp_path / "file" / "data")


def test_a_program_with_an_old_sqlite_is_a_sentence(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(CannotOpen, match="newer Python"):
        check_folder(Config(data=data))


def test_files_that_we_may_not_read_are_a_sentence(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root everything may be read: the question is answered for us."""
    for file in (data, data / "paydesk.db"):
        with monkeypatch.context() as patch:
            patch.setattr(os, "access", lambda path, mode, file=file: Path(path) != file)
            with pytest.raises(CannotOpen, match="Give it to the user"):
                check_folder(Config(data=data))


def test_a_new_database_is_ours_alone_from_its_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = migrate.migrate

    def looking(database: Path) -> None:
        seen.append(stat.S_IMODE(database.stat().st_mode))
        real(database)

    monkeypatch.setattr("paydesk.assembly.opening.migrate", looking)
    opened(tmp_path / "data")
    assert seen == [0o600]


def test_the_triggers_are_those_that_the_migrations_make(data: Path) -> None:
    with closing(sqlite3.connect(data / "paydesk.db")) as database:
        made = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    assert sorted(made) == sorted(TRIGGERS)


def test_a_large_database_is_looked_through_after_an_unclean_end_alone(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log beside it is what an unclean end leaves."""
    monkeypatch.setattr(checks, "SMALL_BYTES", 4096)
    assert check_database(Config(data=data)) == "too large"
    with closing(sqlite3.connect(data / "paydesk.db")) as living:
        living.execute("INSERT INTO batch_markers VALUES ('one', 1)")
        living.commit()
        killed = tmp_path / "killed"
        killed.mkdir()
        for name in ("paydesk.db", "paydesk.db-wal"):
            shutil.copyfile(data / name, killed / name)
    assert check_database(Config(data=killed)) == "whole"


def test_a_look_that_takes_too_long_is_broken_off(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(data / "paydesk.db")) as database:
        database.execute(
            "WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 200000) "
            "INSERT INTO batch_markers SELECT 'marker ' || x, x FROM n"
        )
        database.commit()
    assert checks.quick_check(data / "paydesk.db", seconds=60) == "whole"
    monkeypatch.setattr(checks, "Timer", Impatient)
    assert checks.quick_check(data / "paydesk.db", seconds=60) == "too slow"


class Impatient:
    """A timer that rings all the time, since nothing tells when the look has begun."""

    def __init__(self, seconds: float, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._over = Event()
        self._thread = Thread(target=self._work, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        self._over.set()

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(0.0002):
            self._ring()


def test_a_migration_that_is_broken_off_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next start makes it whole."""
    from alembic import op

    real = op.execute

    def die(text: object, *more: object) -> None:
        if "payment_intents_terminal" in str(text):
            raise RuntimeError("the lights went out")
        real(text, *more)  # type: ignore[arg-type]

    database = tmp_path / "paydesk.db"
    with monkeypatch.context() as patch:
        patch.setattr(op, "execute", die)
        with pytest.raises(migrate.MigrationError, match="lights went out"):
            migrate.migrate(database)
    with closing(sqlite3.connect(database)) as left:
        assert left.execute("SELECT name FROM sqlite_master").fetchall() == []
    migrate.migrate(database)
    assert migrate.revision_of(database) == migrate.HEAD
    assert len(database.read_bytes()) >= len(migrated())
