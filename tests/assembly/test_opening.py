"""Opening a data folder: refusals are sentences that say what to do, and nothing is made over what is there."""

import sqlite3
import stat
from pathlib import Path

import pytest

from paydesk.assembly.opening import CannotOpen, DataInUse, DataLock, find_sealer, prepare
from paydesk.config import read
from paydesk.sealing.sealer import Sealer


class Dice:
    """As much of a World as opening wants."""

    def now_ms(self) -> int:
        return 1_700_000_000_000

    def random(self, size: int) -> bytes:
        return bytes(range(size))


def opened(data: Path, environment: dict[str, str] | None = None) -> Sealer:
    config = read(environment or {}, {"data": data})
    data.mkdir(exist_ok=True)
    sealer = find_sealer(config, environment or {}, Dice())  # type: ignore[arg-type]
    prepare(config, sealer, Dice())  # type: ignore[arg-type]
    return sealer


def test_a_new_folder_gets_a_key_beside_it_that_only_we_can_read(tmp_path: Path) -> None:
    opened(tmp_path / "data")
    key = tmp_path / "data.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data" / "paydesk.db").stat().st_mode) == 0o600
    before = key.read_text()
    opened(tmp_path / "data")
    assert key.read_text() == before


def test_a_database_without_its_key_refuses_to_open_and_makes_none(tmp_path: Path) -> None:
    opened(tmp_path / "data")
    (tmp_path / "data.key").unlink()
    with pytest.raises(CannotOpen, match="Put it back at"):
        opened(tmp_path / "data")
    assert not (tmp_path / "data.key").exists()


def test_another_key_than_the_databases_own_is_refused(tmp_path: Path) -> None:
    opened(tmp_path / "data")
    with pytest.raises(CannotOpen, match="is not that of"):
        opened(tmp_path / "data", {"PAYDESK_MASTER_KEY": "7" * 64})


def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    opened(tmp_path / "data")
    (tmp_path / "data" / "paydesk.db").write_bytes(b"no database at all, but long enough to be read as one" * 100)
    with pytest.raises(CannotOpen, match="Restore a backup"):
        opened(tmp_path / "data")


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    lock = DataLock(tmp_path / "data")
    with pytest.raises(DataInUse, match="open in another process"):
        DataLock(tmp_path / "data")
    lock.close()
    DataLock(tmp_path / "data").close()


def test_a_start_takes_over_what_a_dead_process_had_begun(tmp_path: Path) -> None:
    opened(tmp_path / "data")
    database = sqlite3.connect(tmp_path / "data" / "paydesk.db")
    columns = "version, account, id, kind, subject, note, tries, due_ms, owner, lease, created_ms"
    row = "(1, 'acct_1', ?, 'ask_psp', 'at_1', '', 0, 9999999999999, ?, 1, 1)"
    database.execute(f"INSERT INTO duties ({columns}) VALUES {row}", ("ask_psp:begun", "dead process"))
    database.execute(f"INSERT INTO duties ({columns}) VALUES {row}", ("ask_psp:waiting", ""))
    database.commit()
    opened(tmp_path / "data")
    found = database.execute("SELECT id, owner, lease, due_ms FROM duties ORDER BY id").fetchall()
    database.close()
    assert found == [
        ("ask_psp:begun", "", 2, 1_700_000_000_000),
        ("ask_psp:waiting", "", 1, 9_999_999_999_999),
    ]
