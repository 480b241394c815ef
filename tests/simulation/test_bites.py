"""Deliberate bugs, each patched in and caught within a few seeds. `make bugs` tries the slow ones too."""

from pathlib import Path

import pytest

from paydesk_simulator.run import simulate
from tests.simulation.bites import catch
from tests.simulation.bugs import BUGS, SLOW, Patch, slow_look_ups

SEEDS_MAX = 60
PAYMENTS = 30


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug not in SLOW], ids=lambda bug: bug.__name__)
def test_a_bug_is_caught(migrated: Path, bug: Patch) -> None:
    assert catch(migrated, bug, seeds_max=SEEDS_MAX, payments=PAYMENTS).seeds


@pytest.mark.parametrize("seed", [19, 22, 30])
def test_slow_look_ups_charge_nobody_twice(migrated: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    slow_look_ups(monkeypatch)
    assert not simulate(migrated, seed, payments=PAYMENTS).violations
