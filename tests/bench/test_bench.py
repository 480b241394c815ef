"""`python -m bench --brief`: a few dozen payments, every figure measured, shown and written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.figures import Figure
from bench.measures import grown_mb
from tests.house.tree import ROOT

FIGURES = 9


def test_a_brief_run_measures_every_figure(tmp_path: Path) -> None:
    written = tmp_path / "results.json"
    command = [sys.executable, "-m", "bench", "--brief", "--results", str(written)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr

    results = json.loads(written.read_bytes())
    assert len(results["figures"]) == FIGURES
    for figure in results["figures"]:
        assert figure["reached"] > 0 or figure["unit"] == "MB", figure
        assert figure["figure"] in done.stdout
    assert all(rate["per_second"] > 0 and 0 < rate["p50_ms"] <= rate["p99_ms"] for rate in results["rates"])
    assert results["machine"].keys() >= {"cores", "python", "date", "fsync_ms"}
    assert results["machine"]["fsync_ms"] > 0
    memory = [one for one in results["figures"] if one["figure"].startswith("memory")]
    assert [one["ok"] for one in memory] == [None, None], "too few payments to say"


def test_a_figure_that_was_not_reached_is_shown_so() -> None:
    assert Figure(name="tea", asked=3.0, reached=3.01).ok is False
    assert Figure(name="tea", asked=3.0, reached=3.0).ok is True
    assert Figure(name="tea", asked=3.0, reached=1.0, counts=False).ok is None


def test_growth_is_that_of_the_last_half() -> None:
    early = [(paid, 50.0 + paid) for paid in range(10)]
    flat = [(paid, 60.0) for paid in range(10, 21)]
    assert grown_mb(early + flat) == 0
    assert grown_mb(early + [(paid, 60.0 + paid) for paid in range(10, 21)]) == pytest.approx(9, abs=1)
