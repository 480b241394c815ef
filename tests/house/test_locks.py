"""The lock files: every package pinned with hashes, no addresses, and nothing of pyproject.toml missing."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ["requirements.lock", "requirements-dev.lock"]


def entries(lock: str) -> list[str]:
    """One string per package, its continuation lines joined, comments left out."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / lock).read_text())
    return [entry for entry in re.sub(r"\\\n\s*", "", text).splitlines() if entry.strip()]


def pins(lock: str) -> dict[str, set[str]]:
    """Name to pinned versions: a lock for all platforms may hold one package twice, under different markers."""
    found: dict[str, set[str]] = {}
    for entry in entries(lock):
        pin = Requirement(entry.partition(" --hash")[0])
        found.setdefault(canonicalize_name(pin.name), set()).add(str(pin.specifier))
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes(lock: str) -> None:
    found = entries(lock)
    assert len(found) > 20
    pinned = re.compile(r"[A-Za-z0-9._-]+==\S+( ; .+?)?( --hash=sha256:[0-9a-f]{64})+")
    assert not [entry[:100] for entry in found if not pinned.fullmatch(entry)]


@pytest.mark.parametrize("lock", LOCKS)
def test_no_addresses(lock: str) -> None:
    assert not re.findall(r"(?m)^-.*|.*://.*", (ROOT / lock).read_text())


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", PROJECT["dependencies"]),
        ("requirements-dev.lock", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]),
    ],
)
def test_what_pyproject_asks_for_is_locked(lock: str, wanted: list[str]) -> None:
    locked = pins(lock)
    for requirement in map(Requirement, wanted):
        versions = locked.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement.name} is not in {lock}: make lock"
        assert all(requirement.specifier.contains(version[2:]) for version in versions), f"{requirement}: {versions}"


def test_the_tests_run_on_what_a_shop_runs_on() -> None:
    tested = pins("requirements-dev.lock")
    assert not {name: pin for name, pin in pins("requirements.lock").items() if tested.get(name) != pin}


def test_a_shop_has_what_lists_need() -> None:
    """SQLAlchemy's asyncio needs greenlet and asks for it only as an extra: the tests had it by another package."""
    assert re.search(r"(?m)^greenlet==", (ROOT / "requirements.lock").read_text())
