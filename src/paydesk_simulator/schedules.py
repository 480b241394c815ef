"""`python -m paydesk_simulator.schedules`: two to four operations at once on one payment, in seeded orders.

Each meeting (`meetings.py`) is played one operation after the other first, in every order, with everything between them
over; then many times at once, apart by some milliseconds. Each result (how all were answered, the payment, its
attempts, refunds, disputes, late payments, postings, the PSP's charges) has to be that of one of the serial orders.
"""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Coroutine, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import permutations
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from msgspec import Struct

from paydesk.ledger.rows import LedgerTransaction
from paydesk.payments.rows import Dispute, LatePayment, Refund, TimelineEntry
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.hand import Hand
from paydesk_simulator.meetings import MEETINGS, Meeting
from paydesk_simulator.stage import Stage
from paydesk_simulator.storage import cloned, template

AT_ONCE = 50
"""Payments of one run: so many meetings go on beside each other."""
APART_SECONDS = (0.0, 0.02, 0.1)
OVER_SECONDS = 5.0
"""After that nothing of the one before is under way any more, and what was about to expire has."""

Serial = tuple[int, ...]
"""Which operation comes first, which second …; empty where they come at once."""


Run = tuple[Serial, int]
"""With its seed."""


class MeetingStage(Stage):
    """Many payments, each with the meeting on it: at once, or one operation after the other."""

    def __init__(self, loop: VirtualLoop, data: Path, seed: int, meeting: Meeting, serial: Serial) -> None:
        super().__init__(loop, data, seed, hasty=False)
        self._meeting = meeting
        self._serial = serial
        self._marks: dict[str, list[tuple[int, str]]] = {}
        """Order → when its operations were asked for and answered."""
        self.results: Counter[str] = Counter()
        self.orders: Counter[str] = Counter()

    async def acts(self) -> None:
        """Begin all, meet, settle, look."""
        self.psp.hushed = self._meeting.hushed
        hands = [Hand(self, self.merchants[0], f"order-{number}") for number in range(1 if self._serial else AT_ONCE)]
        answers = await _all(self._play(hand) for hand in hands)
        self.psp.hushed = False
        await self.calm()
        lines, posted = defaultdict[str, list[TimelineEntry]](list), defaultdict[str, list[str]](list)
        for line in self.database.all(TimelineEntry):
            lines[line.intent].append(line)
        for transaction in self.database.all(LedgerTransaction):
            posted[transaction.subject].append(transaction.kind)
        for hand, told in zip(hands, answers, strict=True):
            about = lines[hand.intent], sorted(posted[hand.intent])
            self.results[f"{told} {self._result(hand, *about)}"] += 1
            self.orders[self._order(hand, lines[hand.intent])] += 1

    async def _play(self, hand: Hand) -> str:
        began, doing = self.loop.time(), self._meeting.doing
        await self._meeting.before(hand)
        await asyncio.sleep(max(began + self._meeting.at_seconds - self.loop.time(), 0))
        self._marks[hand.order] = []
        if not self._serial:
            apart = self.dice.choice(APART_SECONDS)
            waits = [self.dice.random() * apart for _ in doing]
            return ", ".join(await _all(self._do(hand, number, waits[number]) for number in range(len(doing))))
        answers = {}
        for number in self._serial:
            answers[number] = await self._do(hand, number, 0 if not answers else OVER_SECONDS)
        return ", ".join(answers[number] for number in sorted(answers))

    async def _do(self, hand: Hand, number: int, after_seconds: float) -> str:
        await asyncio.sleep(after_seconds)
        marks = self._marks[hand.order]
        marks.append((self.loop.now_ms(), f"{number} asks"))
        answer = await self._meeting.doing[number](hand)
        marks.append((self.loop.now_ms(), f"{number} has its answer"))
        return answer

    def _order(self, hand: Hand, lines: list[TimelineEntry]) -> str:
        """In which order the operations came, changed the payment, and were answered."""
        marks = self._marks[hand.order]
        since_ms = marks[0][0]
        changes = [(line.at_ms, line.what) for line in lines if line.at_ms >= since_ms]
        return " ".join(what for _, what in sorted([*marks, *changes], key=lambda mark: mark[0]))

    def _result(self, hand: Hand, lines: list[TimelineEntry], posted: list[str]) -> str:
        """The payment and all that is about it, without ids and times."""
        intent, account = hand.row, self.merchants[0].account
        of = partial(self.database.of_intent, account=account, intent=hand.intent)
        facts = (
            intent.status,
            intent.amount_minor,
            intent.received_minor,
            intent.refunded_minor,
            intent.disputed_minor,
            intent.cancellation_reason,
            sorted((attempt.status, attempt.captured_minor) for attempt in hand.attempts),
            sorted((refund.status, refund.amount_minor) for refund in of(Refund)),
            sorted((one.status, one.amount_minor) for one in of(Dispute)),
            sorted((one.status, one.amount_minor) for one in of(LatePayment)),
            sorted((charge.status, charge.amount_captured) for charge in hand.charges),
            posted,
            sum(line.what in ("captured", "canceled", "expired") for line in lines),
        )
        return repr(facts)


async def _all(doing: Iterable[Coroutine[Any, Any, str]]) -> list[str]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in doing]
    return [task.result() for task in tasks]


class Played(Struct, frozen=True, kw_only=True):
    """What one run came to."""

    serial: Serial
    results: Counter[str]
    orders: Counter[str]
    broken: list[str]


def play(file: Path, name: str, run: Run) -> Played:
    """A meeting, in a serial order or at once, by a seed."""
    (serial, seed), loop = run, VirtualLoop()
    with cloned(file, f"{os.getpid()}-meeting-{seed}") as data:
        stage = MeetingStage(loop, data, seed, MEETINGS[name], serial)
        stage.play()
    return Played(serial=serial, results=stage.results, orders=stage.orders, broken=stage.journal.violations)


class Row(Struct, frozen=True, kw_only=True):
    """What a meeting came to."""

    name: str
    played: int
    orders: int
    """How many different ones that were."""
    results: int
    serial: int
    """How many different results the serial orders have, and so at most the others."""
    strange: list[str]
    """Results of no serial order, and what broke."""


def runs_of(name: str, times: int) -> list[Run]:
    """A meeting in every serial order, then at once so many times."""
    serially = [(order, 0) for order in permutations(range(len(MEETINGS[name].doing)))]
    return [*serially, *(((), seed) for seed in range(1, times // AT_ONCE + 1))]


def judge(name: str, runs: Iterable[Played]) -> Row:
    """Compare what came of all at once with what came of one after the other."""
    serial, met, orders, strange = Counter[str](), Counter[str](), Counter[str](), list[str]()
    for run in runs:
        (serial if run.serial else met).update(run.results)
        orders.update({} if run.serial else run.orders)
        strange += run.broken
    strange += [
        f"{times} times {result}; serial are {list(serial)}" for result, times in met.items() if result not in serial
    ]
    return Row(name=name, played=met.total(), orders=len(orders), results=len(met), serial=len(serial), strange=strange)


def schedule(
    orders: Annotated[int, typer.Option(min=AT_ONCE, help="How often each meeting is played at once.")] = 1000,
    only: Annotated[str, typer.Option(help="Meetings alone with this in their name.")] = "",
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0 for one per core.")] = 0,
) -> None:
    """Play every meeting so many times; each has to be as if one operation had come after the other."""
    began, rows = perf_counter(), list[Row]()
    with template() as file, ProcessPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        names = [name for name in MEETINGS if only in name]
        playing = [pool.map(partial(play, file, name), runs_of(name, orders)) for name in names]
        for name, runs in zip(names, playing, strict=True):
            rows.append(judge(name, runs))
            print(f"{name}: {rows[-1].played} played, {rows[-1].results} results", flush=True)
            print("".join(f"  {sentence}\n" for sentence in rows[-1].strange[:5]), end="", flush=True)
    print(f"\n{'meeting':<46}{'played':>8}{'orders':>8}{'results':>9}{'serial':>8}{'strange':>9}")
    for row in rows:
        numbers = f"{row.played:>8}{row.orders:>8}{row.results:>9}{row.serial:>8}{len(row.strange):>9}"
        print(f"{row.name:<46}{numbers}")
    print(f"{len(rows)} meetings, {sum(row.orders for row in rows)} different orders, {perf_counter() - began:.0f} s")
    raise typer.Exit(1 if any(row.strange for row in rows) else 0)


if __name__ == "__main__":
    typer.run(schedule)
