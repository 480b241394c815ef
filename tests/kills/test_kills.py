"""The short form of `make kill`: three kills under load, and nothing that was acknowledged is lost or done twice."""

import os
from pathlib import Path

from tests.kills.campaign import Campaign, Plan


def test_three_kills(tmp_path: Path) -> None:
    said: list[str] = []
    seed = int(os.environ.get("PAYDESK_TEST_SEED", "7"))
    plan = Plan(kills=3, seed=seed, seconds=0.5, clients=4, refusals=False, in_flight_seconds=2)
    report = Campaign(tmp_path, plan, said.append).run()
    assert not report.violations, "\n".join(report.violations)
    assert len(said) == 3
    assert report.counts["kills"] >= 3
    counted = ("intents opened", "told as paid or held", "repeats", "captured by the PSP", "notices", "events taken")
    assert all(report.counts[what] for what in counted), report.counts
    assert report.counts["requests without an answer"], "no kill hit a request"
