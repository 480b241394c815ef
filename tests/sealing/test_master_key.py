"""Where the master key is found, how it is written, and the sentences for when it can't be used."""

import os
import stat
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import pytest

from paydesk.sealing.master_key import MasterKeyError, find, make

KEY = bytes(range(190, 222))
BASE64URL = urlsafe_b64encode(KEY).decode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "master.key"


def write(file: Path, text: str, mode: int = 0o600) -> None:
    file.write_text(text)
    file.chmod(mode)


@pytest.mark.parametrize(
    "text", [BASE64URL, BASE64URL.rstrip("="), KEY.hex(), KEY.hex().upper(), f" {KEY.hex()}\n", BASE64URL + "\n"]
)
def test_the_forms_of_a_key(file: Path, text: str) -> None:
    assert find({"PAYDESK_MASTER_KEY": text}, file) == KEY
    write(file, text)
    assert find({}, file) == KEY


def test_the_environment_comes_first(file: Path) -> None:
    make(file, bytes(32))
    assert find({"PAYDESK_MASTER_KEY": KEY.hex()}, file) == KEY


def test_an_empty_variable_is_an_unset_one(file: Path) -> None:
    assert find({"PAYDESK_MASTER_KEY": ""}, file) is None
    make(file, KEY)
    assert find({"PAYDESK_MASTER_KEY": " "}, file) == KEY


def test_neither_is_there(file: Path) -> None:
    assert find({}, file) is None


MALFORMED = [
    *("short", KEY.hex()[:-1], KEY.hex() + "00", KEY.hex()[:-1] + "g", BASE64URL[:-2], BASE64URL + "A", "A" * 42),
    *(b64encode(KEY).decode(), "x" * 5000, f"{KEY.hex()}\n{KEY.hex()}", f"0x{KEY.hex()}", "ключ" * 16, "A" * 42 + "*"),
]


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_variable_is_not_passed_over_for_the_file(file: Path, text: str) -> None:
    make(file, KEY)
    with pytest.raises(MasterKeyError, match=r"PAYDESK_MASTER_KEY is not a key\. Set it to 32 random bytes") as refused:
        find({"PAYDESK_MASTER_KEY": text}, file)
    assert text not in str(refused.value)


@pytest.mark.parametrize("text", [*MALFORMED, "", "\n"])
def test_a_file_without_a_key(file: Path, text: str) -> None:
    write(file, text)
    with pytest.raises(MasterKeyError, match="does not hold a key") as refused:
        find({}, file)
    assert not text.strip() or text not in str(refused.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602, 0o777, 0o601])
def test_a_file_that_others_may_read_or_write(file: Path, mode: int) -> None:
    write(file, BASE64URL, mode)
    with pytest.raises(MasterKeyError, match=f"mode {mode:04o}.*chmod 600"):
        find({}, file)


def test_a_read_only_file_is_welcome(file: Path) -> None:
    write(file, BASE64URL, 0o400)
    assert find({}, file) == KEY


def test_what_is_not_a_file(file: Path, tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="is not a file"):
        find({}, tmp_path)
    os.mkfifo(file, 0o600)
    with pytest.raises(MasterKeyError, match="is not a file"):
        find({}, file)


def test_a_path_that_leads_nowhere(file: Path) -> None:
    make(file, KEY)
    with pytest.raises(MasterKeyError, match="can't be read"):
        find({}, file / "below")


def test_a_key_that_was_made_is_found(file: Path) -> None:
    make(file, KEY)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert find({}, file) == KEY


def test_both_the_file_and_its_folder_are_synced(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    make(file, KEY)
    assert synced == [file.stat().st_ino, file.parent.stat().st_ino]


def test_a_key_is_never_replaced(file: Path) -> None:
    make(file, KEY)
    with pytest.raises(MasterKeyError, match="never replaced"):
        make(file, bytes(32))
    assert find({}, file) == KEY


def test_a_key_is_not_written_through_a_link(file: Path, tmp_path: Path) -> None:
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MasterKeyError, match="never replaced"):
        make(file, KEY)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="could not be made"):
        make(tmp_path / "missing" / "master.key", KEY)


def test_a_key_of_another_size_is_not_written(file: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        make(file, KEY[:31])
    assert not file.exists()
