"""What `make check` runs also stands in the tests; and each rule that matters is shown to bite."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

BIN = Path(sys.executable).parent
CHECKS = ["ruff check .", "ruff format --check .", "lint-imports", "basedpyright"]


def run(
    command: str, *, folder: Path = ROOT, given: str = "", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    tool, *arguments = command.split()
    return subprocess.run(
        [BIN / tool, *arguments],
        cwd=folder,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
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


def lint_with(tmp: Path, module: str, line: str) -> subprocess.CompletedProcess[str]:
    """What import-linter says of a copy of src in which `module` has one line more."""
    shutil.copy(ROOT / "pyproject.toml", tmp)
    shutil.copytree(ROOT / "src", tmp / "src", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp / "src" / f"{module.replace('.', '/')}.py").open("a") as file:
        file.write(f"\n{line}\n")
    # What PYTHONPATH names comes before the checkout itself.
    return run("lint-imports --no-cache", folder=tmp, environment={"PYTHONPATH": str(tmp / "src")})


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("paydesk.errors", "paydesk.assembly"),
        ("paydesk.store.planted", "paydesk.payments"),
        ("paydesk.ledger.planted", "paydesk.events"),
        ("paydesk.events.planted", "aiohttp"),
        ("paydesk.web.planted", "paydesk_sandbox"),
        ("paydesk_sandbox.planted", "paydesk"),
        ("paydesk_client.planted", "msgspec"),
    ],
)
def test_an_import_upstairs_is_refused(tmp_path: Path, importer: str, imported: str) -> None:
    done = lint_with(tmp_path, importer, f"import {imported}")
    assert done.returncode != 0
    assert f"{importer} -> {imported} (l." in done.stdout, done.stdout + done.stderr


def test_a_room_without_a_floor_is_refused(tmp_path: Path) -> None:
    done = lint_with(tmp_path, "paydesk.a_room_nobody_placed", "")
    assert done.returncode != 0
    assert "- paydesk.a_room_nobody_placed\n" in done.stdout, done.stdout + done.stderr
