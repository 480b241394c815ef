"""`python -m paydesk_simulator [--seed N] [--seeds M] [--payments K]`."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from paydesk_simulator.report import Sums, failure, table
from paydesk_simulator.run import Result, simulate
from paydesk_simulator.storage import template

SEEDS = 100

Seed = Annotated[int | None, typer.Option(min=0, help="The first seed; alone, it is the only one.")]
Seeds = Annotated[int | None, typer.Option(min=1, help=f"How many seeds, one after the other; {SEEDS} by default.")]
Payments = Annotated[int, typer.Option(min=1, help="Payments per seed.")]
Jobs = Annotated[int, typer.Option(min=0, help="Processes; 0 for one per core.")]
ShowLog = Annotated[bool, typer.Option("--log", help="Print every event of every seed.")]


def simulate_seeds(
    seed: Seed = None, seeds: Seeds = None, payments: Payments = 50, jobs: Jobs = 0, log: ShowLog = False
) -> None:
    """Run payments with seeded faults and crashes on a virtual clock, and compare all books."""
    first, count = seed or 0, seeds or (SEEDS if seed is None else 1)
    began, sums = perf_counter(), Sums()
    errors = Console(stderr=True)
    with template() as file:
        results = _results(file, range(first, first + count), payments, jobs or os.cpu_count() or 1, log)
        for result in track(results, "seeds", count, console=errors, transient=True, disable=not errors.is_terminal):
            sums.add(result)
            _show(result, log)
    print("\n".join(table(sums, perf_counter() - began)))
    raise typer.Exit(0 if sums.good else 1)


def _results(file: Path, seeds: range, payments: int, jobs: int, log: bool) -> Iterator[Result]:
    run = partial(simulate, file, payments=payments, keep_log=log)
    if jobs == 1 or len(seeds) == 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(run, seeds, chunksize=4)


def _show(result: Result, log: bool) -> None:
    if log:
        print("\n".join(result.log))
    if result.violations:
        print("\n".join(failure(result)), flush=True)


if __name__ == "__main__":
    typer.run(simulate_seeds)
