"""The clock of a process: never back, never standing still, and the true one for what others compare with theirs."""

import pytest

from paydesk.world import real
from paydesk.world.http import HttpOut
from paydesk.world.real import RealWorld

DAY_MS = 86_400_000


class Clocks:
    """This machine's two clocks, in the test's hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall_ms = 1_800_000_000_000
        self.seconds = 5000.0
        monkeypatch.setattr(real, "now_ms", lambda: self.wall_ms)
        monkeypatch.setattr(real.time, "monotonic", lambda: self.seconds)
        self.world = RealWorld(HttpOut((), lambda: ()), failed=lambda name, why: None)

    def passes(self, milliseconds: float) -> None:
        self.seconds += milliseconds / 1000
        self.wall_ms += round(milliseconds)


def test_it_is_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)
    assert clocks.world.now_ms() == clocks.wall_ms
    clocks.passes(1500)
    assert clocks.world.now_ms() == clocks.world.wall_ms() == clocks.wall_ms


def test_after_the_clock_was_ahead_time_goes_on_and_the_wall_clock_is_told_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clocks = Clocks(monkeypatch)
    clocks.wall_ms += DAY_MS
    ahead_ms = clocks.world.now_ms()
    clocks.wall_ms -= DAY_MS
    assert clocks.world.now_ms() == ahead_ms
    clocks.passes(2000)
    assert clocks.world.now_ms() == pytest.approx(ahead_ms + 2000, abs=1)
    assert clocks.world.wall_ms() == clocks.wall_ms


def test_many_short_looks_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)
    ahead_ms = clocks.world.now_ms()
    clocks.wall_ms -= DAY_MS
    seen = [ahead_ms]
    for _ in range(10_000):
        clocks.seconds += 0.0003
        seen.append(clocks.world.now_ms())
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(ahead_ms + 3000, abs=2)


def test_when_the_wall_clock_has_caught_up_it_counts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)
    first_ms = clocks.world.now_ms()
    clocks.wall_ms -= 1000
    clocks.passes(500)
    assert clocks.world.now_ms() == pytest.approx(first_ms + 500, abs=1)
    clocks.wall_ms = first_ms + 700
    assert clocks.world.now_ms() == first_ms + 700
