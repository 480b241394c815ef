"""`python -m tests.bad_input`: every bad input on every route of a real server, and made-up requests on top."""

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

from tests.bad_input.campaign import Plan, run
from tests.bad_input.tally import Report

SHOWN = 50


def main() -> int:
    """Run it; 0 only if nothing was found."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # So that its processes are ended, too.
    given = _arguments()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}: the list on every route, then {given.examples} examples a strategy in {given.seconds:.0f} s")
    folder = given.folder or Path(tempfile.mkdtemp(prefix="fuzz-"))
    plan = Plan(seed=seed, examples=given.examples, seconds=given.seconds)
    report = run(folder, plan, lambda line: print(line, flush=True))
    show(report)
    print(f"\nData and logs: {folder}. The same dice again: --seed {seed}")
    return 1 if report.violations else 0


def show(report: Report) -> None:
    """The table, then every violation."""
    print(f"\n{report.table}\n\nviolations: {len(report.violations)}")
    for violation in report.violations[:SHOWN]:
        print(f"  {violation}")
    if len(report.violations) > SHOWN:
        print(f"  … and {len(report.violations) - SHOWN} more")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=500, help="for each route and strategy, at most")
    parser.add_argument("--seconds", type=float, default=300, help="for all that is made up")
    parser.add_argument("--seed", type=int, help="made up if left out, and printed")
    parser.add_argument("--folder", type=Path, help="for data and logs; by default a new one among temporary files")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
