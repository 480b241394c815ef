"""`tools/set-up` with an interpreter that only writes down what it is asked: what it installs, and when nothing."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.tree import ROOT

FAKE_PYTHON = """#!/bin/sh
case "$*" in
  "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && pwd -P | sed 's,$,/.venv,' >.venv/bin/activate ;;
  "-m pip install"*) echo "$@" | sed 's/.* //' >>installed ;;
  *get_path*) pwd ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing in it but what set-up reads, and the interpreter."""
    (tmp_path / "tools").mkdir()
    for name in ["tools/set-up", "requirements.lock", "requirements-dev.lock"]:
        shutil.copy(ROOT / name, tmp_path / name)
    executable(tmp_path / "python", FAKE_PYTHON)
    return tmp_path


def executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def set_up(checkout: Path, *levels: str, python: str = "python", path: str = "/usr/bin:/bin") -> tuple[int, str]:
    done = subprocess.run(
        ["/bin/bash", checkout / "tools" / "set-up", *levels],
        # Should it come upon a real interpreter, that one is not to fetch anything.
        env={"PATH": path, "PYTHON": str(checkout / python), "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def installed(checkout: Path) -> list[str]:
    """The lock files installed since last asked."""
    record = checkout / "installed"
    names = record.read_text().split() if record.exists() else []
    record.unlink(missing_ok=True)
    return names


def test_the_first_time_it_installs_and_then_leaves_at_once(checkout: Path) -> None:
    code, said = set_up(checkout)
    assert (code, installed(checkout)) == (0, ["requirements.lock"]), said
    assert set_up(checkout) == (0, "")
    assert installed(checkout) == []


def test_the_tests_need_more(checkout: Path) -> None:
    set_up(checkout)
    set_up(checkout, "dev")
    assert installed(checkout)[1:] == ["requirements.lock", "requirements-dev.lock"]
    assert set_up(checkout) == set_up(checkout, "dev") == (0, "")
    assert installed(checkout) == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_changed_lock_is_installed(checkout: Path, lock: str) -> None:
    set_up(checkout, "dev")
    installed(checkout)
    with (checkout / lock).open("a") as file:
        file.write("# changed\n")
    assert set_up(checkout, "dev")[0] == 0
    assert installed(checkout) == ["requirements.lock", "requirements-dev.lock"]


def test_an_interrupted_set_up_begins_again(checkout: Path) -> None:
    executable(checkout / "python", FAKE_PYTHON.replace("echo", "exit 1; echo"))
    assert set_up(checkout)[0] == 1
    executable(checkout / ".venv" / "bin" / "python", FAKE_PYTHON)
    assert set_up(checkout)[0] == 0
    assert installed(checkout) == ["requirements.lock"]


def test_a_venv_whose_interpreter_is_gone_is_made_anew(checkout: Path) -> None:
    set_up(checkout)
    (checkout / ".venv" / "bin" / "python").unlink()
    assert set_up(checkout)[0] == 0
    assert installed(checkout) == ["requirements.lock", "requirements.lock"]


def test_a_copied_checkout_sets_up_its_own(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    set_up(checkout)
    copy = tmp_path_factory.mktemp("copies") / "copy"
    shutil.copytree(checkout, copy)
    assert set_up(copy)[0] == 0
    assert (copy / ".venv" / "bin" / "activate").read_text() == f"{copy.resolve()}/.venv\n"


def test_the_command_runs_from_the_checkout(checkout: Path) -> None:
    set_up(checkout)
    assert (checkout / "paydesk-checkout.pth").read_text() == f"{checkout.resolve()}/src\n"
    assert str(checkout.resolve()) in (checkout / ".venv" / "bin" / "paydesk").read_text()


def test_a_candidate_that_does_not_start_is_passed_over(checkout: Path) -> None:
    for folder in ["shims", "bin"]:
        (checkout / folder).mkdir()
    executable(checkout / "shims" / "python3.11", "#!/bin/sh\nexit 127\n")
    shutil.copy(checkout / "python", checkout / "bin" / "python3.11")
    path = f"{checkout}/shims:{checkout}/bin:/usr/bin:/bin"
    code, said = set_up(checkout, python="shims/python3.11", path=path)
    assert (code, installed(checkout)) == (0, ["requirements.lock"]), said
