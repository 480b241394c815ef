"""`python -m tests.kills`: kill a server at random under load, and compare the books."""

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

from tests.kills.campaign import Campaign, Plan
from tests.kills.report import Report

SHOWN = 50


def main() -> int:
    """Run it; 0 only if nothing was found."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # So that its processes are ended, too.
    given = _arguments()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}: {given.kills} kills, {given.clients} clients, a server lives {given.seconds} s on average")
    plan = Plan(kills=given.kills, seed=seed, seconds=given.seconds, clients=given.clients)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="kills-"))
    report = Campaign(folder, plan, lambda line: print(line, flush=True)).run()
    show(report)
    print(f"\nData and logs: {folder}. The same dice again: --seed {seed}")
    return 1 if report.violations else 0


def show(report: Report) -> None:
    """The table, then every violation."""
    print()
    width = max(map(len, report.counts))
    for name, count in report.counts.items():
        print(f"  {name:<{width}}  {count:>8}")
    print(f"  {'violations':<{width}}  {len(report.violations):>8}")
    for violation in report.violations[:SHOWN]:
        print(f"    {violation}")
    if len(report.violations) > SHOWN:
        print(f"    … and {len(report.violations) - SHOWN} more")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, help="made up if left out, and printed")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long a server lives, on average")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--folder", type=Path, help="for data and logs; by default a new one among temporary files")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
