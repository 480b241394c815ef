"""No file names a package registry, or a path of the machine it was written on: neither helps who reads it."""

import re

import pytest

from tests.house.tree import named, project_files

REGISTRY = re.compile(r"https?://[^/\s\"'>)]*(?:pypi|pythonhosted|registry|mirror|artifact|nexus)", re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.:}>)/-])/(?:home|root|work|workspace|Users)/\w")


def offences(text: str) -> list[str]:
    return [line.strip()[:120] for line in text.splitlines() if REGISTRY.search(line) or MACHINE.search(line)]


def readable(data: bytes) -> str:
    return "" if b"\0" in data else data.decode(errors="replace")


def test_no_file_names_a_registry_or_a_machine() -> None:
    files = project_files()
    assert len(files) > 20
    assert not {named(path): found for path in files if (found := offences(readable(path.read_bytes())))}


@pytest.mark.parametrize(
    "line",
    [
        "index = http{}s://pypi.example.org/simple",
        "http{}://eu.Nexus.corp:8081/x",
        'open("/ho{}me/ada/x")',
        "cd /ro{}ot/x",
    ],
)
def test_such_a_line_is_seen(line: str) -> None:
    # Put together here, so that this file is not one of the offenders.
    assert offences(line.replace("{}", ""))


@pytest.mark.parametrize("line", ["https://docs.stripe.com/api", "GET /v1/home/page", "https://shop.example/home/x"])
def test_other_lines_are_not(line: str) -> None:
    assert not offences(line)
