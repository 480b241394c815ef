"""The wheel holds all that a server needs: straight from the checkout, and by way of the sdist."""

import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.house.tree import ROOT, SRC, named, project_files, python_sources

FOLDERS = ["templates", "static", "webhooks"]


def build(target: str, source: Path, into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return max(into.iterdir(), key=lambda path: path.stat().st_mtime_ns)


def by_way_of_the_sdist(tmp: Path) -> Path:
    with tarfile.open(build("sdist", ROOT, tmp / "sdist")) as sdist:
        sdist.extractall(tmp / "unpacked", filter="data")
    return build("wheel", next((tmp / "unpacked").iterdir()), tmp / "wheel")


@pytest.fixture(scope="module", params=["checkout", "sdist"])
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp = tmp_path_factory.mktemp("wheel")
    return build("wheel", ROOT, tmp / "wheel") if request.param == "checkout" else by_way_of_the_sdist(tmp)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_of_a_folder_is_inside(wheel: Path, folder: str) -> None:
    wanted = {f"paydesk/{named(path)}" for path in project_files() if path.is_relative_to(ROOT / folder)}
    assert wanted, f"{folder}/ is empty"
    assert not wanted - set(zipfile.ZipFile(wheel).namelist())


def test_every_module_is_inside(wheel: Path) -> None:
    wanted = {path.relative_to(SRC).as_posix() for path in python_sources()}
    assert not wanted - set(zipfile.ZipFile(wheel).namelist())


def test_nothing_else_is_inside(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.startswith("paydesk")} == set()


def test_the_command_is_inside(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    entry_points = next(name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
    parser = ConfigParser()
    parser.read_string(archive.read(entry_points).decode())
    assert parser["console_scripts"]["paydesk"] == "paydesk.cli:main"


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_server_finds_its_folders_there(wheel: Path, folder: str, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    ask = f"from paydesk import resources; print(resources.folder({folder!r}))"
    done = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == str(tmp_path / "paydesk" / folder), done.stderr
