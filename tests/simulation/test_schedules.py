"""Two operations at once in short: fifty orders of each pair. `make schedules` plays a thousand."""

from pathlib import Path

import pytest

from paydesk_simulator.schedules import AT_ONCE, PAIRS, judge


@pytest.mark.parametrize("pair", PAIRS)
def test_each_result_is_that_of_a_serial_order(migrated: Path, pair: str) -> None:
    row = judge(migrated, pair, AT_ONCE)
    assert row.orders == AT_ONCE
    assert row.strange == []
