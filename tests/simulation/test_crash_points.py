"""Crash points in short: every fortieth of each flow. `make crashes` crashes at all of them, and at pairs."""

from pathlib import Path

import pytest

from paydesk_simulator.crash_points import FLOWS, play

EVERY = 40


@pytest.mark.parametrize("flow", FLOWS)
def test_a_crash_anywhere_does_no_harm(migrated: Path, flow: str) -> None:
    whole = play(migrated, flow, ())
    assert whole.violations == []
    assert len(whole.points) > EVERY
    for number in range(7, len(whole.points), EVERY):
        crashed = play(migrated, flow, (number,))
        assert crashed.violations == [], number
        assert crashed.crashes == 1
