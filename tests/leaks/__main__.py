"""`python -m tests.leaks`: pay with marked cards in every way, then search everything that was written for them."""

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

from tests.leaks.campaign import run, searched

SHOWN = 50


def main() -> int:
    """Run it; 0 only if nothing was found, and nothing was empty."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # So that its processes are ended, too.
    given = _arguments()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}: every way to pay, {given.rounds} times over")
    folder = given.folder or Path(tempfile.mkdtemp(prefix="leaks-"))
    left = run(folder, seed=seed, rounds=given.rounds, say=lambda line: print(line, flush=True))
    report = searched(left)
    print(f"\n{report.table}\n\n{len(left.marks)} cards; violations: {len(report.violations)}")
    for violation in report.violations[:SHOWN]:
        print(f"  {violation}")
    if len(report.violations) > SHOWN:
        print(f"  … and {len(report.violations) - SHOWN} more")
    print(f"\nData and logs: {folder}. The same cards again: --seed {seed}")
    return 1 if report.violations else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make leaks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is done, with other cards")
    parser.add_argument("--seed", type=int, help="made up if left out, and printed")
    parser.add_argument("--folder", type=Path, help="for data and logs; by default a new one among temporary files")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
