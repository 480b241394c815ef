"""`python -m tests.simulation.bites`: patches each deliberate bug in, and shows after how many seeds it is caught."""

import os
import re
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated

import pytest
import typer
from msgspec import Struct

from paydesk_simulator.run import simulate
from paydesk_simulator.storage import template
from tests.simulation.bugs import BUGS, Patch

SEEDS_MAX = 200
PAYMENTS = 50


class Caught(Struct, frozen=True, kw_only=True):
    """How a bug was caught."""

    bug: str
    seeds: int
    """After how many; 0 where it was not."""
    by: str
    """The first sentence that names it."""


def catch(file: Path, bug: Patch, *, seeds_max: int = SEEDS_MAX, payments: int = PAYMENTS) -> Caught:
    """Run seed after seed with the bug in, until somebody says of it what should be said."""
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        for seed in range(seeds_max):
            for violation in simulate(file, seed, payments=payments).violations:
                if re.search(BUGS[bug], violation):
                    return Caught(bug=bug.__name__, seeds=seed + 1, by=violation)
    return Caught(bug=bug.__name__, seeds=0, by="nobody")


def bite(
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0 for one per core.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds that a bug may live through at most.")] = SEEDS_MAX,
    only: Annotated[str, typer.Option(help="Bugs alone with this in their name.")] = "",
) -> None:
    """Patch in bug after bug; each has to be caught."""
    began, found = perf_counter(), list[Caught]()
    bugs = [bug for bug in BUGS if only.replace(" ", "_") in bug.__name__]
    if not bugs:
        raise typer.BadParameter(f"No bug has {only!r} in its name.", param_hint="--only")
    with template() as file, ProcessPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        for caught in pool.map(partial(catch, file, seeds_max=seeds), bugs):
            found.append(caught)
            print(f"{caught.bug}: {caught.seeds or 'NOT'} caught", flush=True)
    print(f"\n{'bug':<50}{'after seeds':>12}  caught by")
    for caught in found:
        print(f"{caught.bug.replace('_', ' '):<50}{caught.seeds or 'never':>12}  {caught.by[:100]!r}")
    print(f"{len(found)} bugs, {sum(bool(caught.seeds) for caught in found)} caught, {perf_counter() - began:.0f} s")
    raise typer.Exit(0 if all(caught.seeds for caught in found) else 1)


if __name__ == "__main__":
    typer.run(bite)
