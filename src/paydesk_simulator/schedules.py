"""`python -m paydesk_simulator.schedules`: two operations at once on one payment, in seeded orders.

Each pair is played one after the other first, in both orders, with everything between them over; then many times at
once, apart by some milliseconds. Each result (how both were answered, the payment, its attempts, refunds, postings, the
PSP's charges) has to be that of one of the two serial orders.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from msgspec import Struct

from paydesk.ledger.rows import LedgerTransaction
from paydesk.payments.rows import Refund, TimelineEntry
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.hand import AMOUNT, CHALLENGED, PAID, Hand
from paydesk_simulator.stage import Stage
from paydesk_simulator.storage import cloned, template

AT_ONCE = 50
"""Payments of one run: so many pairs go on beside each other."""
APART_SECONDS = (0.0, 0.02, 0.1)
EXPIRES_MS = 60_000
OVER_SECONDS = 5.0
"""After that nothing of the first is under way any more, and what was about to expire has."""

Operation = Callable[[Hand], Awaitable[str]]


class Pair(Struct, frozen=True, kw_only=True):
    """Two operations on a payment that is brought to where they meet it."""

    before: Callable[[Hand], Awaitable[object]]
    one: Operation
    other: Operation
    at_seconds: float = 30.0
    """When they come, after the payments were begun."""


async def opened(hand: Hand) -> None:
    """To be paid."""
    await hand.open()


async def expiring(hand: Hand) -> None:
    """To be paid; its time is over while the two come."""
    await hand.open(expires_ms=EXPIRES_MS)


async def held(hand: Hand) -> None:
    """Held, to be captured."""
    await hand.open(manual=True)
    await hand.pay(PAID)


async def paid(hand: Hand) -> None:
    """Paid."""
    await hand.open()
    await hand.pay(PAID)


async def at_the_bank(hand: Hand) -> None:
    """The shopper is at the bank, and has answered."""
    await hand.open()
    await hand.pay(CHALLENGED)
    await hand.at_the_bank()


async def unanswered(hand: Hand) -> None:
    """The shopper is at the bank."""
    await hand.open()
    await hand.pay(CHALLENGED)


def _part(hand: Hand) -> Awaitable[str]:
    return hand.capture(1000)


def _most(hand: Hand) -> Awaitable[str]:
    return hand.refund(3000)


def _dearer(hand: Hand) -> Awaitable[str]:
    return hand.update(AMOUNT + 1)


PAIRS: dict[str, Pair] = {
    "pay | pay": Pair(before=opened, one=Hand.pay, other=Hand.pay),
    "pay | cancel": Pair(before=opened, one=Hand.pay, other=Hand.cancel),
    "pay | update": Pair(before=opened, one=Hand.pay, other=_dearer),
    "pay | expire": Pair(before=expiring, one=Hand.pay, other=Hand.expire, at_seconds=EXPIRES_MS / 1000 - 0.05),
    "cancel | update": Pair(before=opened, one=Hand.cancel, other=_dearer),
    "cancel | cancel": Pair(before=opened, one=Hand.cancel, other=Hand.cancel),
    "cancel | expire": Pair(before=expiring, one=Hand.cancel, other=Hand.expire, at_seconds=EXPIRES_MS / 1000 - 0.05),
    "capture | capture less": Pair(before=held, one=Hand.capture, other=_part),
    "capture | cancel": Pair(before=held, one=Hand.capture, other=Hand.cancel),
    "capture | update": Pair(before=held, one=Hand.capture, other=_dearer),
    "capture | refund": Pair(before=held, one=Hand.capture, other=Hand.refund),
    "cancel | cancel of what is held": Pair(before=held, one=Hand.cancel, other=Hand.cancel),
    "refund | refund": Pair(before=paid, one=Hand.refund, other=Hand.refund),
    "refund most | refund most": Pair(before=paid, one=_most, other=_most),
    "come back | cancel": Pair(before=at_the_bank, one=Hand.come_back, other=Hand.cancel),
    "come back | come back": Pair(before=at_the_bank, one=Hand.come_back, other=Hand.come_back),
    "answer the bank | cancel": Pair(before=unanswered, one=Hand.at_the_bank, other=Hand.cancel),
    "come back | pay": Pair(before=at_the_bank, one=Hand.come_back, other=Hand.pay),
}


class PairStage(Stage):
    """Many payments, each with the pair on it: at once, or one after the other."""

    def __init__(self, loop: VirtualLoop, data: Path, seed: int, pair: Pair, order: str) -> None:
        super().__init__(loop, data, seed, hasty=False)
        self._pair = pair
        self._order = order
        self.digests: Counter[str] = Counter()

    async def acts(self) -> None:
        """Begin all, meet, settle, look."""
        count = AT_ONCE if self._order == "at once" else 1
        hands = [Hand(self, self.merchants[0], f"order-{number}") for number in range(count)]
        answers = await _all(self._play(hand) for hand in hands)
        await self.calm()
        self.digests.update(f"{told} {self._digest(hand)}" for hand, told in zip(hands, answers, strict=True))

    async def _play(self, hand: Hand) -> str:
        began = self.loop.time()
        await self._pair.before(hand)
        await asyncio.sleep(max(began + self._pair.at_seconds - self.loop.time(), 0))
        one, other = self._pair.one, self._pair.other
        if self._order == "one first":
            first = await one(hand)
            await asyncio.sleep(OVER_SECONDS)
            return f"{first}, {await other(hand)}"
        if self._order == "other first":
            second = await other(hand)
            await asyncio.sleep(OVER_SECONDS)
            return f"{await one(hand)}, {second}"
        apart = self.dice.choice(APART_SECONDS)
        waits = self.dice.random() * apart, self.dice.random() * apart
        return ", ".join(await _all((_after(waits[0], one, hand), _after(waits[1], other, hand))))

    def _digest(self, hand: Hand) -> str:
        """The payment and all that is about it, without ids and times."""
        intent, account = hand.row, self.merchants[0].account
        refunds = self.database.of_intent(Refund, account, hand.intent)
        charges = [entry.charge for entry in self.psp.psp.books.charges.all.values()]
        mine = {attempt.id for attempt in hand.attempts}
        posted = [
            transaction.kind
            for transaction in self.database.all(LedgerTransaction)
            if transaction.subject == hand.intent
        ]
        lines = [entry for entry in self.database.all(TimelineEntry) if entry.intent == hand.intent]
        facts = (
            intent.status,
            intent.amount_minor,
            intent.received_minor,
            intent.refunded_minor,
            intent.cancellation_reason,
            sorted((attempt.status, attempt.captured_minor) for attempt in hand.attempts),
            sorted((refund.status, refund.amount_minor) for refund in refunds),
            sorted((charge.status, charge.amount_captured) for charge in charges if charge.reference in mine),
            sorted(posted),
            sum(entry.what in ("captured", "canceled", "expired") for entry in lines),
        )
        return repr(facts)


async def _all(doing: Iterable[Coroutine[Any, Any, str]]) -> list[str]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in doing]
    return [task.result() for task in tasks]


async def _after(seconds: float, operation: Operation, hand: Hand) -> str:
    await asyncio.sleep(seconds)
    return await operation(hand)


def play(file: Path, name: str, order: str, seed: int) -> tuple[Counter[str], list[str]]:
    """Results of a pair in this order, counted; what broke."""
    loop = VirtualLoop()
    with cloned(file, f"{os.getpid()}-pair-{seed}") as data:
        stage = PairStage(loop, data, seed, PAIRS[name], order)
        stage.play()
    return stage.digests, stage.journal.violations


class Row(Struct, frozen=True, kw_only=True):
    """What a pair came to."""

    name: str
    orders: int
    results: int
    """How many different ones there were: at most two."""
    strange: list[str]
    """Results of no serial order, and what broke."""


def judge(
    file: Path, name: str, orders: int, run: Callable[..., Iterator[tuple[Counter[str], list[str]]]] = map
) -> Row:
    """Play a pair serially, then at once until there were so many orders."""
    serial: Counter[str] = Counter()
    strange: list[str] = []
    for order in ("one first", "other first"):
        digests, broken = play(file, name, order, 0)
        serial.update(digests)
        strange += broken
    met: Counter[str] = Counter()
    for digests, broken in run(partial(play, file, name, "at once"), range(1, orders // AT_ONCE + 1)):
        met.update(digests)
        strange += broken
    strange += [
        f"{times} times {digest}; serial are {list(serial)}" for digest, times in met.items() if digest not in serial
    ]
    return Row(name=name, orders=met.total(), results=len(met), strange=strange)


def schedule(
    orders: Annotated[int, typer.Option(min=AT_ONCE, help="Orders of each pair.")] = 1000,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0 for one per core.")] = 0,
) -> None:
    """Play every pair in so many orders; each has to be as if one had come after the other."""
    began, rows = perf_counter(), list[Row]()
    with template() as file, ProcessPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        for name in PAIRS:
            rows.append(judge(file, name, orders, pool.map))
            print(f"{name}: {rows[-1].orders} orders, {rows[-1].results} results", flush=True)
            print("".join(f"  {sentence}\n" for sentence in rows[-1].strange[:5]), end="", flush=True)
    print(f"\n{'pair':<36}{'orders':>8}{'results':>9}{'of no serial order':>20}")
    for row in rows:
        print(f"{row.name:<36}{row.orders:>8}{row.results:>9}{len(row.strange):>20}")
    print(f"seconds {perf_counter() - began:.0f}")
    raise typer.Exit(1 if any(row.strange for row in rows) else 0)


if __name__ == "__main__":
    typer.run(schedule)
