"""Whole runs: nothing that must not happen does, the same seed does the same, and what broke can be seen again."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from paydesk_simulator.crashes import PASSES
from paydesk_simulator.report import Sums, failure
from paydesk_simulator.run import Result, simulate
from paydesk_simulator.weather import MOST


@pytest.mark.parametrize("first", range(0, 120, 10))
def test_nothing_breaks(migrated: Path, first: int) -> None:
    hit: Counter[str] = Counter()
    for seed in range(first, first + 10):
        result = simulate(migrated, seed, payments=30)
        assert not result.violations, "\n".join(failure(result))
        hit.update(result.counts)
    crashes = sum(hit[f"crash {point}"] for point in PASSES)
    assert crashes >= 5
    assert sum(hit[kind] for kind in MOST) >= 100


def test_the_same_seed_writes_the_same_log(migrated: Path) -> None:
    one, two = (simulate(migrated, 7, payments=25, keep_log=True) for _ in range(2))
    assert len(one.log) > 100
    assert one.log == two.log
    assert one.digest == two.digest
    assert one.digest != simulate(migrated, 8, payments=25).digest


def command(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "paydesk_simulator", *arguments],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_the_same_seed_in_another_process_writes_the_same_log() -> None:
    outputs = [command("--seed", "3", "--payments", "20", hash_seed=hash_seed) for hash_seed in ("0", "1")]
    for output in outputs:
        assert output.returncode == 0, output.stderr
    one, two = (re.findall(r"(?m)^all logs +(\S+)$", output.stdout) for output in outputs)
    assert one == two
    assert one


def a_result(seed: int = 5, **more: object) -> Result:
    facts = {"counts": {}, "violations": [], "log": [], "digest": "", "virtual_seconds": 1.0, "seconds": 1.0}
    return Result(**{"seed": seed, "payments": 12, **facts, **more})  # type: ignore[arg-type]


def test_a_failure_says_what_broke_after_what_and_how_to_see_it_again() -> None:
    log = [f"event {number}" for number in range(100)] + ["VIOLATION: money is gone", "later"]
    said = "\n".join(failure(a_result(violations=["money is gone"], log=log)))
    assert "money is gone" in said
    assert "event 99" in said
    assert "event 1\n" not in said
    assert 'make sim SEED=5 ARGS="--payments 12"' in said


def test_a_fault_that_no_run_hit_fails_the_run() -> None:
    everything = dict.fromkeys((*MOST, *(f"crash {point}" for point in PASSES)), 1)
    sums = Sums()
    sums.add(a_result(payments=10_000, counts=everything))
    assert sums.good
    sums.counts["psp late"] = 0
    assert sums.never_hit == ["psp late"]
    assert not sums.good


def test_a_violation_fails_the_run() -> None:
    sums = Sums()
    sums.add(a_result())
    assert sums.good
    sums.add(a_result(seed=6, violations=["money is gone"]))
    assert sums.failed == [6]
    assert not sums.good
