"""The figures that are asked, beside what was reached; shown as a table, never bent."""

from statistics import median
from typing import Any

from msgspec import Struct

from bench.machine import percentile
from bench.measures import AT_ONCE, COMMITS, Lag, Payments, Rounds, grown_mb, p50_ms, p99_ms
from bench.stage import Measured

GROWTH_MB_MAX = 3.0
"""What counts as flat: memory is given back in pieces, and read at one moment."""
PAYMENTS_ASKED = 50_000


class Figure(Struct, kw_only=True):
    """One line of the table."""

    name: str
    asked: float
    reached: float
    unit: str = ""
    note: str = ""
    counts: bool = True
    """False: measured on too little to say whether it is reached."""

    @property
    def ok(self) -> bool | None:
        return self.reached <= self.asked if self.counts else None


class Results(Struct, kw_only=True):
    """Everything that a run measured."""

    machine: dict[str, Any]
    fsync_us: list[float]
    statuses: Measured
    rounds: Rounds
    alone: Payments
    psp_us: list[int]
    at_once: Payments
    lag: Lag
    memory: list[tuple[int, float]]
    starts: list[float]

    @property
    def fsync_ms(self) -> float:
        return median(self.fsync_us) / 1000

    def figures(self) -> list[Figure]:
        """What is asked, in its order."""
        lag_asked = 50 + 2 * self.fsync_ms
        rounds, alone, lags = self.rounds, self.alone, len(self.lag.webhook_ms)
        return [
            Figure(
                name=f"CPU of a creation ÷ CPU of a no-op, {AT_ONCE} at once",
                asked=3,
                reached=rounds.ratio,
                note=f"median of {len(rounds.pings)} pairs of rounds",
            ),
            Figure(name=f"CPU per payment, {AT_ONCE} at once", asked=2.5, reached=self.at_once.cpu_ms, unit="ms"),
            Figure(name="CPU per payment, one at a time", asked=5, reached=alone.cpu_ms, unit="ms"),
            Figure(
                name="lone payment, p50, without PSP and fsync",
                asked=6,
                reached=p50_ms(alone.latencies_us) - p50_ms(self.psp_us) - COMMITS * self.fsync_ms,
                unit="ms",
                note=f"{p50_ms(alone.latencies_us):.2f} − PSP {p50_ms(self.psp_us):.2f} "
                f"− {COMMITS} commits (create, confirm, outcome) × {self.fsync_ms:.2f}",
            ),
            Figure(
                name="PSP's answer → webhook received, p99",
                asked=lag_asked,
                reached=percentile(self.lag.webhook_ms, 0.99),
                unit="ms",
                note=f"p50 {percentile(self.lag.webhook_ms, 0.5):.1f}, {lags} payments",
            ),
            Figure(
                name="PSP's answer → read from the stream, p99",
                asked=lag_asked,
                reached=percentile(self.lag.stream_ms, 0.99),
                unit="ms",
                note=f"p50 {percentile(self.lag.stream_ms, 0.5):.1f}, {lags} payments",
            ),
            *self._memory(),
            Figure(
                name="serve, to its first answer",
                asked=1.5,
                reached=median(self.starts),
                unit="s",
                note=f"median of {len(self.starts)} starts",
            ),
        ]

    def _memory(self) -> list[Figure]:
        paid, mb = self.memory[-1]
        enough = paid >= PAYMENTS_ASKED
        note = "" if enough else f"asked of {PAYMENTS_ASKED}: run with --full"
        return [
            Figure(name=f"memory after {paid} payments", asked=150, reached=mb, unit="MB", note=note, counts=enough),
            Figure(
                name="memory grown over the last half",
                asked=GROWTH_MB_MAX,
                reached=grown_mb(self.memory),
                unit="MB",
                note=note,
                counts=enough,
            ),
        ]

    def rates(self) -> list[tuple[str, float, float, float, float]]:
        """(what, per second, CPU in ms each, p50, p99 in ms)."""
        ping, creation = self.rounds.pings, self.rounds.creations
        return [
            ("signed no-op", *_round(ping)),
            ("signed creation", *_round(creation)),
            ("status read", *_round([self.statuses])),
            (f"payment, {AT_ONCE} at once", *_payments(self.at_once)),
            ("payment, one at a time", *_payments(self.alone)),
        ]


def _round(some: list[Measured]) -> tuple[float, float, float, float]:
    latencies = [latency for one in some for latency in one.latencies_us]
    per_second, cpu_ms = median(one.per_second for one in some), median(one.cpu_ms for one in some)
    return per_second, cpu_ms, p50_ms(latencies), p99_ms(latencies)


def _payments(some: Payments) -> tuple[float, float, float, float]:
    return some.per_second, some.cpu_ms, p50_ms(some.latencies_us), p99_ms(some.latencies_us)


def table(results: Results) -> str:
    """Both tables, aligned."""
    machine = results.machine
    lines = [
        f"{machine['cores']} cores ({machine['processor']}), Python {machine['python']}, SQLite {machine['sqlite']}, "
        f"fsync {results.fsync_ms:.2f} ms",
        "",
        *_aligned(
            ["measured", "per second", "CPU each", "p50", "p99"],
            [[row[0], f"{row[1]:.0f}", *(f"{value:.2f} ms" for value in row[2:])] for row in results.rates()],
        ),
        "",
        *_aligned(
            ["figure", "asked", "reached", "ok?", ""],
            [
                [one.name, f"≤ {one.asked:.2f} {one.unit}", f"{one.reached:.2f} {one.unit}", _word(one.ok), one.note]
                for one in results.figures()
            ],
        ),
    ]
    return "\n".join(lines)


def _word(ok: bool | None) -> str:
    return "–" if ok is None else "yes" if ok else "NO"


def _aligned(head: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    ruled = [head, ["─" * width for width in widths], *rows]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in ruled]


def as_json(results: Results) -> dict[str, Any]:
    """What `results.json` keeps."""
    return {
        "machine": {**results.machine, "fsync_ms": round(results.fsync_ms, 3)},
        "figures": [
            {
                "figure": one.name,
                "asked_at_most": round(one.asked, 3),
                "reached": round(one.reached, 3),
                "unit": one.unit,
                "ok": one.ok,
                "note": one.note,
            }
            for one in results.figures()
        ],
        "rates": [
            dict(zip(("measured", "per_second", "cpu_ms", "p50_ms", "p99_ms"), _rounded(row), strict=True))
            for row in results.rates()
        ],
        "memory_mb_by_payments": [[paid, round(mb, 1)] for paid, mb in results.memory],
    }


def _rounded(row: tuple[str, float, float, float, float]) -> list[str | float]:
    return [row[0], *(round(value, 3) for value in row[1:])]
