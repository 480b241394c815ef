"""The README's figures are those that the bench wrote."""

import json

from tests.house.tree import ROOT


def test_the_readme_quotes_what_was_measured() -> None:
    results = json.loads((ROOT / "bench" / "results.json").read_text())
    readme = (ROOT / "README.md").read_text()
    for figure in results["figures"]:
        reached = f"{figure['reached']:.2f} {figure['unit']}".strip()
        asked = f"≤ {figure['asked_at_most']:.2f} {figure['unit']}".strip()
        assert f"| {figure['figure']} | {asked} | {reached} |" in readme
    for rate in results["rates"]:
        assert f"| {rate['measured']} | {rate['per_second']:.0f} | {rate['cpu_ms']:.2f} ms |" in readme
