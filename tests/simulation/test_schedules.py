"""Operations at once in short: fifty times each pair. `make schedules` plays a thousand, and three and four at once."""

from functools import partial
from pathlib import Path

import pytest

from paydesk_simulator.meetings import PAIRS
from paydesk_simulator.schedules import AT_ONCE, judge, play, runs_of


@pytest.mark.parametrize("name", PAIRS)
def test_each_result_is_that_of_a_serial_order(migrated: Path, name: str) -> None:
    row = judge(name, map(partial(play, migrated, name), runs_of(name, AT_ONCE)))
    assert row.played == AT_ONCE
    assert row.strange == []
