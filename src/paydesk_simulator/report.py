"""What is printed: a seed that failed, with the last of its log and the command that replays it; a table at the end."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from msgspec import Struct, field

from paydesk_simulator.crashes import PASSES
from paydesk_simulator.run import Result
from paydesk_simulator.server import processes
from paydesk_simulator.weather import APART, MOST

EXPECTED = (*MOST, *(f"crash {point}" for point in PASSES))
PAIRS = tuple(pair for pair in combinations(EXPECTED, 2) if set(pair) != set(APART))
LAST_LINES = 40
SHOWN_MAX = 10  # Violations of one seed: the first tell the most.
EVERYTHING_HIT = 5_000  # Payments after which a fault that was never hit is a hole in the simulation.
EVERY_PAIR_HIT = 1_000  # Seeds after which a pair of faults that never struck together is one.


class Sums(Struct):
    """Everything that ran, added up."""

    seeds: int = 0
    payments: int = 0
    failed: list[int] = field(default_factory=list)
    violations: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Two kinds that struck in the same seed → in how many seeds they did."""
    virtual_seconds: float = 0.0
    logs: str = ""
    """SHA-256 over all logs: two runs that did the same show the same."""

    def add(self, result: Result) -> None:
        self.seeds += 1
        self.payments += result.payments
        self.violations += len(result.violations)
        self.counts.update(result.counts)
        self.pairs.update(combinations([kind for kind in EXPECTED if result.counts.get(kind)], 2))
        self.virtual_seconds += result.virtual_seconds
        self.logs = hashlib.sha256((self.logs + result.digest).encode()).hexdigest()
        if result.violations:
            self.failed.append(result.seed)

    @property
    def never_hit(self) -> list[str]:
        """Faults and crash points that no run met, once there were enough runs to meet them all; then pairs of them."""
        if self.payments < EVERYTHING_HIT:
            return []
        alone = [kind for kind in EXPECTED if not self.counts[kind]]
        return alone or [f"{one} + {other}" for one, other in self.pairs_never_hit]

    @property
    def pairs_never_hit(self) -> list[tuple[str, str]]:
        """Pairs of two that no seed met, once there were enough seeds to meet them all."""
        return [pair for pair in PAIRS if not self.pairs[pair]] if self.seeds >= EVERY_PAIR_HIT else []

    @property
    def good(self) -> bool:
        return not self.failed and not self.never_hit


def replay(seed: int, payments: int) -> str:
    """The command that runs exactly this again."""
    return f'make sim SEED={seed} ARGS="--payments {payments}"'


def failure(result: Result) -> Iterator[str]:
    """What broke, in which order, and how to see it again."""
    yield f"seed {result.seed} FAILED: {len(result.violations)} violations"
    yield from (f"  {violation}" for violation in result.violations[:SHOWN_MAX])
    first = next((n for n, line in enumerate(result.log) if "VIOLATION" in line), len(result.log))
    yield f"  the last {LAST_LINES} lines of its log before the first of them:"
    yield from (f"  | {line}" for line in result.log[max(first - LAST_LINES, 0) : first + 1])
    yield f"  again: {replay(result.seed, result.payments)}"


def table(sums: Sums, seconds: float) -> Iterator[str]:
    """The end of a run."""
    crashes = [f"crash {point}" for point in PASSES]
    yield from _section("crashes", crashes, sums.counts)
    yield from _section("faults", list(MOST), sums.counts)
    hit = sum(1 for pair in PAIRS if sums.pairs[pair])
    rarest = min(PAIRS, key=lambda pair: sums.pairs[pair])
    rows = (
        ("seeds", f"{sums.seeds}"),
        ("with 1, 2, 3 processes", ", ".join(f"{sums.counts[processes(number)]}" for number in (1, 2, 3))),
        ("payments", f"{sums.payments}"),
        ("crashes", f"{sum(sums.counts[name] for name in crashes)}"),
        ("faults", f"{sum(sums.counts[name] for name in MOST)}"),
        ("violations", f"{sums.violations}" + (f", in seeds {sums.failed[:20]}" if sums.failed else "")),
        ("pairs of faults in one seed", f"{hit} of {len(PAIRS)}"),
        ("the rarest pair", f"{rarest[0]} + {rarest[1]}, in {sums.pairs[rarest]} seeds"),
        ("never hit", ", ".join(sums.never_hit[:20]) or "none"),
        ("all logs", sums.logs[:16]),
        ("virtual hours", f"{sums.virtual_seconds / 3600:.1f}"),
        ("seconds", f"{seconds:.1f}"),
        ("payments/s", f"{sums.payments / max(seconds, 1e-9):.0f}"),
    )
    yield ""
    yield from (f"{name:<40}{value}" for name, value in rows)


def _section(title: str, names: Sequence[str], counts: Counter[str]) -> Iterator[str]:
    yield f"\n{title}"
    yield from (f"  {name.removeprefix('crash '):<38}{counts[name]:>8}" for name in names)
