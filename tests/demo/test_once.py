"""`paydesk demo --once`: one payment, three books, an exit status."""

import fcntl
import json
import os
import re
from pathlib import Path

import pytest

from paydesk.cli.demo import run, run_demo
from paydesk.cli.demo.books import Book
from tests.demo.running import gone, once

STEP = re.compile(r" *\d+\.\d{3} s  \S.*")

TOLD = (
    "the PSP listens",
    "Paydesk serves",
    "merchant created",
    "the PSP knows where to call",
    "webhook endpoint added",
    "the shop is open",
    "order taken by the shop",
    "payment intent opened, signed",
    "the frame read its session",
    "card encrypted in the browser",
    "the live stream says",
    "card captured by the PSP",
    "the confirm was answered",
    "the status endpoint says",
    "webhook verified, order paid",
    "the books were compared",
)


def test_it_pays_and_the_books_agree(tmp_path: Path) -> None:
    done = once(tmp_path / "data")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    steps = lines[: lines.index("")]
    assert not [line for line in steps if not STEP.fullmatch(line)]
    assert not [told for told in TOLD if not any(told in line for line in steps)]
    assert [line.split()[:2] for line in lines if line.startswith(("agrees", "DIFFERS"))] == [
        ["agrees", "PSP"],
        ["agrees", "Paydesk"],
        ["agrees", "shop"],
    ]
    assert lines[-1] == "The webhook was verified and all three books agree."
    assert {path.name for path in (tmp_path / "data" / "logs").iterdir()} == {"psp.log", "paydesk.log", "shop.log"}


def test_as_json_it_is_one_object(tmp_path: Path) -> None:
    done = once(tmp_path / "data", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert said["agree"] is True
    assert [book["whose"] for book in said["books"] if book["agrees"]] == ["PSP", "Paydesk", "shop"]
    heard = [step["detail"] for step in said["steps"] if step["what"] == "the live stream says"]
    assert heard[-1] == "succeeded"
    times = [step["at_ms"] for step in said["steps"]]
    assert times == sorted(times)
    assert sorted(said["processes"]) == ["PSP", "Paydesk", "Shop"]
    assert all(gone(pid) for pid in said["processes"].values())
    assert not (tmp_path / "data" / "paydesk.db-wal").exists()  # All is in the one file once `serve` has ended.


def test_books_that_differ_end_it_with_another_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    books = [Book(whose="PSP", says="60.00 usd", agrees=True), Book(whose="shop", says="0.00 usd", agrees=False)]
    monkeypatch.setattr(run, "compare", lambda *_, **__: books)
    assert run_demo(once=False, data=tmp_path / "data", as_json=False) == 1
    said = capsys.readouterr().out
    assert "DIFFERS  shop      0.00 usd" in said
    assert said.endswith("The books do not agree.\n")


def test_a_process_that_does_not_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    held = os.open(data / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        done = once(data)
    finally:
        os.close(held)
    assert done.returncode == 1
    assert done.stderr.startswith("paydesk: Paydesk ended with status 1.\nThe last lines of ")
    assert "is open in another process" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
