"""What `make check` runs also stands in the tests; and each rule that matters is shown to bite."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

BIN = Path(sys.executable).parent
CHECKS = ["ruff check .", "ruff format --check .", "lint-imports", "basedpyright"]


def run(command: str, *, folder: Path = ROOT, given: str = "") -> subprocess.CompletedProcess[str]:
    tool, *arguments = command.split()
    return subprocess.run(
        [BIN / tool, *arguments], cwd=folder, input=given, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.mark.parametrize("command", CHECKS)
def test_a_check_passes(command: str) -> None:
    done = run(command)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", CHECKS)
def test_make_check_runs_it(command: str) -> None:
    assert f".venv/bin/{command}\n" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize(
    "line",
    [
        "import random",
        "import secrets",
        "from uuid import uuid4",
        "from time import time",
        "from os import urandom",
        "from asyncio import create_task",
        "from asyncio import gather",
        "from asyncio import to_thread",
    ],
)
def test_the_server_asks_the_world_for_time_and_dice(line: str) -> None:
    done = run("ruff check --no-cache --select TID251 --stdin-filename src/paydesk/payments/x.py -", given=line + "\n")
    assert "TID251" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("paydesk/money.py", "import paydesk.errors"),
        ("paydesk/store/x.py", "import paydesk.payments"),
        ("paydesk/ledger/x.py", "import paydesk.events"),
        ("paydesk/events/x.py", "import aiohttp"),
        ("paydesk/web/x.py", "import paydesk_sandbox"),
        ("paydesk/a_room_nobody_placed.py", ""),
        ("paydesk_sandbox/x.py", "import paydesk"),
        ("paydesk_client/x.py", "import msgspec"),
    ],
)
def test_an_import_upstairs_is_refused(tmp_path: Path, room: str, line: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    planted = tmp_path / "src" / room
    with planted.open("a") as file:
        file.write(f"\n{line}\n")
    # Python puts the working directory's src before the checkout's.
    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode != 0, done.stdout + done.stderr
    assert planted.stem in done.stdout
