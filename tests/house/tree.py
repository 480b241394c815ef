"""Which files are the project's: all in the checkout that .gitignore does not name. An archive without git will do."""

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"


def ignored_names() -> list[str]:
    """The patterns of .gitignore, which here are all names of folders: `dist/`, `*.egg-info/`."""
    return [".git", *(line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split())]


def walk(top: Path, ignored: list[str]) -> Iterator[Path]:
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if not any(fnmatch(name, pattern) for pattern in ignored))
        yield from (Path(folder, name) for name in sorted(files))


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project, in a fixed order."""
    return tuple(walk(ROOT, ignored_names()))


def python_sources() -> list[Path]:
    """The Python files of the four packages."""
    return [path for path in project_files() if path.suffix == ".py" and path.is_relative_to(SRC)]


def named(path: Path) -> str:
    """`path` as a failure message shows it."""
    return path.relative_to(ROOT).as_posix()
