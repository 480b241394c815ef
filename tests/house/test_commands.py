"""make, the README and CI name the same commands."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.house.tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
README = (ROOT / "README.md").read_text()
TARGETS = re.findall(r"(?m)^([a-z-]+):", MAKEFILE)


def make(*arguments: str) -> str:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout


def commands_in(markdown: str) -> set[str]:
    """The targets that a text tells its reader to make: in a code span, or a line of a code block."""
    blocks = "".join(re.findall(r"(?ms)^```[^\n]*\n(.*?)^```", markdown))
    return set(re.findall(r"`make ([a-z-]+)", markdown)) | set(re.findall(r"(?m)^\s*(?:\$ )?make ([a-z-]+)", blocks))


def test_make_alone_lists_every_target_aligned() -> None:
    rows = [re.match(r"  make ([a-z-]+) +", line) for line in make().splitlines()]
    listed = [row for row in rows if row]
    assert {row[1] for row in listed} == set(TARGETS) - {"help"}
    assert len({row.end() for row in listed}) == 1


def test_no_target_is_taken_for_a_file() -> None:
    phony = re.search(r"(?m)^\.PHONY: (.*)$", MAKEFILE)
    assert phony
    assert set(phony[1].split()) == set(TARGETS)


@pytest.mark.parametrize("target", [target for target in TARGETS if target not in {"help", "clean", "check"}])
def test_a_target_hands_its_arguments_on(target: str) -> None:
    assert make("-n", target, "ARGS=--marked here").splitlines()[-1].endswith("--marked here")


def test_a_seed_reaches_the_simulator() -> None:
    assert "--seed 7" in make("-n", "sim", "SEED=7")
    assert "--seed" not in make("-n", "sim")


def test_what_the_readme_tells_to_make_exists() -> None:
    assert commands_in(README) <= set(TARGETS)


def test_the_readme_names_the_two_commands() -> None:
    if "\n## " in README:  # before its first section stands only the name
        assert {"demo", "test"} <= commands_in(README)


def test_commands_are_found_in_a_text() -> None:
    text = "Make sure to make tea.\nThen `make one ARGS=x`:\n```sh\n$ make two\nmake three\n```\nmake four\n"
    assert commands_in(text) == {"one", "two", "three"}


@pytest.mark.parametrize("exit_code", [0, 2])
def test_ci_fails_when_the_tests_fail(tmp_path: Path, exit_code: int) -> None:
    fake = tmp_path / "make"
    fake.write_text(f'#!/bin/sh\necho "make $@ in $(pwd -P), CI=$CI"\nexit {exit_code}\n')
    fake.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(
        [ROOT / ".ci" / "run"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == exit_code
    assert done.stdout == f"make test in {ROOT.resolve()}, CI=true\n"
