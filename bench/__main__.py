"""`python -m bench [--full]`: measure, print the tables, write `bench/results.json`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bench import machine, measures
from bench.figures import PAYMENTS_ASKED, Results, as_json, table
from bench.measures import AT_ONCE, Payments, Sizes
from bench.stage import Bench, playing

ROOT = Path(__file__).parent.parent
FSYNCS = 200  # Before and after everything, each.


def say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


def run(bench: Bench, sizes: Sizes) -> Results:
    """Everything, one after the other."""
    facts = machine.facts()
    fsyncs = machine.fsync_us(bench.stage.folder, FSYNCS)
    say("status reads")
    statuses = measures.warm_up(bench, sizes)
    say(f"no-ops and creations in turn, {AT_ONCE} at once")
    rounds = measures.in_turn(bench, sizes)
    say("payments one at a time")
    alone = measures.pay(bench, sizes.alone, at_once=1, pause_seconds=measures.ALONE_PAUSE_SECONDS)
    psp_us = measures.psp_alone(bench, sizes.alone)
    say(f"payments, {AT_ONCE} at once")
    at_once = together([measures.pay(bench, sizes.chunk, at_once=AT_ONCE) for _ in range(sizes.chunks)])
    say(f"lags at {sizes.per_second} payments/s")
    lag = measures.lag(bench, sizes)
    say(f"memory up to {sizes.payments} payments")
    memory = measures.memory(bench, sizes)
    bench.check_books()
    say("starts")
    starts = measures.start_up(bench, sizes.starts)
    return Results(
        machine=facts,
        fsync_us=fsyncs + machine.fsync_us(bench.stage.folder, FSYNCS),
        statuses=statuses,
        rounds=rounds,
        alone=alone,
        psp_us=psp_us,
        at_once=at_once,
        lag=lag,
        memory=memory,
        starts=starts,
    )


def together(chunks: list[Payments]) -> Payments:
    """Several chunks as one."""
    count = sum(chunk.count for chunk in chunks)
    return Payments(
        count=count,
        cpu_ms=sum(chunk.cpu_ms * chunk.count for chunk in chunks) / count,
        per_second=count / sum(chunk.count / chunk.per_second for chunk in chunks),
        latencies_us=[latency for chunk in chunks for latency in chunk.latencies_us],
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Paydesk on this machine.")
    parser.add_argument("--full", action="store_true", help=f"read memory after {PAYMENTS_ASKED} payments (minutes)")
    parser.add_argument("--brief", action="store_true", help="a few dozen of each: shows that it measures")
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results.json", help="where to write")
    given = parser.parse_args()
    sizes = BRIEF if given.brief else Sizes(payments=PAYMENTS_ASKED, chunk=1000) if given.full else Sizes()
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var") as folder, playing(Path(folder)) as bench:
        results = run(bench, sizes)
    print(table(results))
    given.results.write_bytes(msgspec.json.format(msgspec.json.encode(as_json(results)), indent=1) + b"\n")


BRIEF = Sizes(
    rounds=2, pings=1000, creations=300, statuses=100, alone=4, chunk=20, chunks=1, lags=20, starts=1, payments=120
)

if __name__ == "__main__":
    main()
