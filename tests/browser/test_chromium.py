"""Where the browser is looked for, in which order, and what is said when there is none."""

from pathlib import Path

import pytest

from tests.browser import chromium


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("PAYDESK_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_chosen_one_goes_first(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(nothing, "chromium")
    chosen = put(nothing, "mine")
    monkeypatch.setenv("PAYDESK_CHROMIUM", chosen)
    assert chromium.find() == chosen


def test_a_choice_that_is_not_there_is_no_choice(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(nothing, "chromium")
    monkeypatch.setenv("PAYDESK_CHROMIUM", str(nothing / "gone"))
    with pytest.raises(RuntimeError, match=r"PAYDESK_CHROMIUM names .*gone, which is not there"):
        chromium.find()


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
def test_then_the_path(nothing: Path, name: str) -> None:
    there = put(nothing, name)
    assert chromium.find() == there


def test_none_says_what_to_do(nothing: Path) -> None:
    with pytest.raises(RuntimeError, match=r"No Chromium .* Install one .* PAYDESK_CHROMIUM"):
        chromium.find()
