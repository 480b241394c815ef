"""`python -m paydesk_simulator.crash_points`: every commit and await of each flow, crashed once; pairs in some.

A flow is played once to count the points that its server passes, then once for each of them, and the server dies there.
The key flows are played for ordered pairs of points as well: the server that was started again dies too.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from msgspec import Struct

from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.crashes import ANY_AWAIT, PASSES, STOP, Crashes
from paydesk_simulator.dice import dice_of
from paydesk_simulator.hand import CHALLENGED, DECLINED, PAID, REFUND_FAILS, Hand
from paydesk_simulator.journal import Journal
from paydesk_simulator.stage import Stage
from paydesk_simulator.storage import cloned, template

SEED = 1
PAIRS_MAX = 400
"""Ordered pairs that are played of each key flow, spread evenly over all of them: `--pairs 100000` plays every one."""

SOON_SECONDS = 10
MIDNIGHT_SECONDS = 61
"""After that a day is over, since the clock of a run begins a minute before."""

Flow = Callable[[Hand], Awaitable[list[str]]]


async def pay(hand: Hand) -> list[str]:
    """A card is declined, another pays."""
    return [await hand.open(), await hand.pay(DECLINED), await hand.pay(PAID)]


async def capture(hand: Hand) -> list[str]:
    """A part of what is held is taken."""
    return [await hand.open(manual=True), await hand.pay(), await hand.capture(1000)]


async def cancel(hand: Hand) -> list[str]:
    """What is held is let go."""
    return [await hand.open(manual=True), await hand.pay(), await hand.cancel()]


async def refund(hand: Hand) -> list[str]:
    """A part goes back, then the rest."""
    return [await hand.open(), await hand.pay(), await hand.refund(1000), await hand.refund()]


async def refund_that_fails(hand: Hand) -> list[str]:
    """It is pending, and then the bank will not have it."""
    return [await hand.open(), await hand.pay(REFUND_FAILS), await hand.refund()]


async def challenge(hand: Hand) -> list[str]:
    """The shopper answers the bank and comes back."""
    begun = [await hand.open(), await hand.pay(CHALLENGED), await hand.at_the_bank()]
    return [*begun, await hand.come_back()]


async def challenge_unanswered(hand: Hand) -> list[str]:
    """The shopper never comes: the deadline frees the payment."""
    return [await hand.open(), await hand.pay(CHALLENGED)]


async def saved_card(hand: Hand) -> list[str]:
    """A card is kept, and charged without its shopper."""
    begun = [await hand.open(save=True), await hand.pay()]
    other = Hand(hand.stage, hand.merchant, "order-2")
    return [*begun, await other.open(), await other.confirm_saved(hand.row.payment_method)]


async def expiry(hand: Hand) -> list[str]:
    """What is held and not captured in time is let go by the clock."""
    return [await hand.open(manual=True), await hand.pay()]


async def open_expiry(hand: Hand) -> list[str]:
    """What nobody pays is canceled by the clock."""
    return [await hand.open(expires_ms=SOON_SECONDS * 1000), await hand.wait_for("canceled")]


async def hold_ends(hand: Hand) -> list[str]:
    """The bank lets go of what is held, and the PSP's notice says so."""
    return [await hand.open(manual=True), await hand.pay(), await hand.let_go()]


async def late_payment(hand: Hand) -> list[str]:
    """A charge gets lost and counts as never sent; the payment is canceled, the charge is made, and goes back."""
    return [await hand.open(), await hand.pay_lost(), await hand.cancel(), await hand.found()]


async def dispute(hand: Hand) -> list[str]:
    """The bank wants it back, and gets it."""
    begun = [await hand.open(), await hand.pay(), await hand.dispute()]
    await asyncio.sleep(SOON_SECONDS)
    return [*begun, await hand.lose_dispute()]


async def maturity(hand: Hand) -> list[str]:
    """A day begins, and what was paid becomes available."""
    begun = [await hand.open(), await hand.pay()]
    await asyncio.sleep(MIDNIGHT_SECONDS)
    return begun


FLOWS: dict[str, Flow] = {
    "pay, and the delivery of its events": pay,
    "capture": capture,
    "cancel": cancel,
    "refund": refund,
    "refund that fails late": refund_that_fails,
    "challenge": challenge,
    "challenge, never answered": challenge_unanswered,
    "saved card": saved_card,
    "expiry of what is held": expiry,
    "expiry of what nobody pays": open_expiry,
    "notice of a hold's end": hold_ends,
    "late payment": late_payment,
    "dispute": dispute,
    "money becomes available": maturity,
}
IN_PAIRS = ("pay, and the delivery of its events", "capture", "cancel", "refund")


class CountedCrashes(Crashes):
    """Counts the points that are passed, and crashes at those that are named by their numbers."""

    def __init__(self, journal: Journal, at: Sequence[int]) -> None:
        super().__init__(dice_of(SEED, "crashes"), journal)
        self.at = at
        self.passed: list[str] = []
        self.counting = False
        self.point = ANY_AWAIT

    def arm(self) -> None:
        """Every life passes every point."""

    def disarm(self) -> None:
        """What settles passes points too."""

    def due(self, point: str) -> bool:
        """Whether this one is named."""
        if not self.counting or point == STOP:
            return False
        self.passed.append(point)
        if len(self.passed) - 1 not in self.at:
            return False
        self._journal.count(f"crash {point}")
        return True


class FlowStage(Stage):
    """One flow, with a server that dies at the named points."""

    def __init__(self, loop: VirtualLoop, data: Path, flow: Flow, at: Sequence[int]) -> None:
        super().__init__(loop, data, SEED, hasty=False)
        self.flow = flow
        self.crashes = self.server.processes[0].crashes = CountedCrashes(self.journal, at)
        self.answers: list[str] = []

    async def acts(self) -> None:
        """The flow, and its settling: what is counted."""
        self.crashes.counting = True
        self.answers = await self.flow(Hand(self, self.merchants[0], "order-1"))
        await self.calm()
        self.crashes.counting = False


class Played(Struct, frozen=True, kw_only=True):
    """What became of one run of a flow."""

    flow: str
    at: tuple[int, ...]
    points: list[str]
    answers: list[str]
    crashes: int
    violations: list[str]


def play(file: Path, flow: str, at: tuple[int, ...]) -> Played:
    """Play a flow on a copy of the database, and let the server die at these points."""
    loop = VirtualLoop()
    with cloned(file, f"{os.getpid()}-flow") as data:
        stage = FlowStage(loop, data, FLOWS[flow], at)
        stage.play()
    points, violations = stage.crashes.passed, stage.journal.violations
    crashes = sum(stage.journal.counts[f"crash {point}"] for point in PASSES)
    if crashes != len(at):
        violations.append(f"{crashes} crashes at {at} of {len(points)} points")
    violations += [f"an answer is missing: {stage.answers}" for answer in stage.answers if answer.startswith("never")]
    return Played(flow=flow, at=at, points=points, answers=stage.answers, crashes=crashes, violations=violations)


def pairs(file: Path, flow: str, most: int) -> list[tuple[int, int]]:
    """Ordered pairs of points of a flow, the second counted on after the crash at the first; spread evenly."""
    count = len(play(file, flow, ()).points)
    every = [(first, second) for first in range(count) for second in range(first + 1, count)]
    step = max(len(every) // most, 1)
    return every[::step]


def crash(
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0 for one per core.")] = 0,
    pairs_max: Annotated[int, typer.Option("--pairs", min=0, help="Pairs of points per key flow.")] = PAIRS_MAX,
    every: Annotated[int, typer.Option(min=1, help="Every so many points.")] = 1,
    only: Annotated[str, typer.Option(help="Flows alone with this in their name.")] = "",
) -> None:
    """Crash every flow at each of its points, and the key flows at pairs of points."""
    began = perf_counter()
    with template() as file, ProcessPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        rows = [_row(name, list(_singles(pool, file, name, every))) for name in FLOWS if only in name]
        in_pairs = [name for name in IN_PAIRS if only in name and pairs_max]
        rows += [_row(f"{name}, in pairs", list(_pairs(pool, file, name, pairs_max))) for name in in_pairs]
    print(f"\n{'flow':<48}{'points':>8}{'crashes':>9}{'violations':>12}")
    print("\n".join(f"{name:<48}{points:>8}{crashes:>9}{broken:>12}" for name, points, crashes, broken in rows))
    print(f"{'all':<48}{sum(r[1] for r in rows):>8}{sum(r[2] for r in rows):>9}{sum(r[3] for r in rows):>12}")
    print(f"seconds {perf_counter() - began:.0f}")
    raise typer.Exit(1 if any(row[3] for row in rows) else 0)


def _singles(pool: ProcessPoolExecutor, file: Path, name: str, every: int) -> Iterator[Played]:
    whole = play(file, name, ())
    yield whole
    numbers = range(0, len(whole.points), every)
    yield from pool.map(partial(play, file, name), ((number,) for number in numbers), chunksize=8)


def _pairs(pool: ProcessPoolExecutor, file: Path, name: str, most: int) -> Iterator[Played]:
    yield from pool.map(partial(play, file, name), pairs(file, name, most), chunksize=8)


def _row(name: str, played: list[Played]) -> tuple[str, int, int, int]:
    """Points crashed at, crashes, violations; what broke is printed at once."""
    for one in played:
        for violation in one.violations:
            print(f"{name} at {one.at}: {violation}", flush=True)
    crashes, broken = sum(one.crashes for one in played), sum(bool(one.violations) for one in played)
    print(f"{name}: {len(played)} runs, {crashes} crashes, {broken} with violations", flush=True)
    return name, len({one.at for one in played if one.at}), crashes, broken


if __name__ == "__main__":
    typer.run(crash)
