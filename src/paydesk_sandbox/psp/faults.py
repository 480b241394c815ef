"""What goes wrong, and when: ordered one by one, or drawn by a seeded plan.

Every arrival asks `Faults.next` once, every notice that is about to be sent asks `Faults.next_notice` once. Ordered
faults come first, oldest first; then the plan draws; of an arrival the card's own fault (cards.py) is the last to be
asked. Hits are counted by kind, since a fault that no run hit proves nothing.
"""

from collections import Counter
from random import Random
from typing import Annotated, Literal

from msgspec import Meta, Struct

Kind = Literal[
    "late",
    "lands_late",
    "lost_after",
    "lost_before",
    "status",
    "status_after",
    "garbage",
    "wrong_amount",
    "reset",
    "refuse",
    "forget_keys",
    "notice_early",
    "notice_twice",
    "notice_late",
    "notice_lost",
    "notice_reordered",
    "notice_forged",
    "notice_unknown",
]
OF_NOTICES: frozenset[Kind] = frozenset(
    ["notice_twice", "notice_late", "notice_lost", "notice_reordered", "notice_forged", "notice_unknown"]
)
"""What goes wrong with a notice. `notice_early` is a matter of the arrival that causes it: its answer is held back."""
Calls = Literal["charges", "captures", "releases", "refunds", "settings", "lookups"]
"""Which calls an arrival is one of: POST /v1/charges, …/capture, …/release, …/refunds, /v1/notice_endpoint; any GET."""
About = Literal["charges", "refunds", "disputes"]
"""What a notice is about."""
Meant = Literal["charges", "captures", "releases", "refunds", "settings", "lookups", "disputes", "any"]

Milliseconds = Annotated[int, Meta(ge=0, le=24 * 3600 * 1000)]
ErrorStatus = Annotated[int, Meta(ge=400, le=599)]


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing to go wrong."""

    fault: Kind
    times: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    """On how many arrivals. `refuse` and `forget_keys` happen at once, once."""
    on: Meant | None = None
    """Which arrivals it is meant for (`charges`), or notices about what (`any`)."""
    delay_ms: Milliseconds | None = None
    """late, lands_late: how late (3 s). lost_after, lost_before: how long the connection is held (60 s). notice_early:
    how long the answer comes after it (1 s). notice_late: how late (30 s). notice_reordered: how long it waits for a
    next one at most (60 s)."""
    status: ErrorStatus | None = None
    """status (503 by default) and status_after (500 by default)."""
    for_ms: Milliseconds = 1000
    """refuse: how long nobody listens."""

    def meant_for(self, what: Calls | About, *, notice: bool) -> bool:
        """Whether it is to happen to such an arrival, or to a notice about such a thing."""
        if (self.fault in OF_NOTICES) != notice:
            return False
        return (self.on or ("any" if notice else "charges")) in (what, "any")


class Handling(Struct, frozen=True, kw_only=True):
    """What becomes of one arrival, in the order of the fields. The caller does the waiting, on its own clock."""

    act_after_ms: int = 0
    acts: bool = True
    """False: the request has no effect, and no answer of its own."""
    end_after_ms: int = 0
    ending: Literal["answer", "close", "reset", "refuse"] = "answer"
    """`close` ends the connection without an answer; `refuse` resets it and stops listening for `refuse_ms`."""
    shape: Literal["true", "garbage", "wrong_amount", "status"] = "true"
    status: int = 200
    """The status that `shape: status` answers with."""
    refuse_ms: int = 0
    tells_first: bool = False
    """Its notices are sent while its answer waits."""


AS_USUAL = Handling()
LATE_MS = 3_000
HELD_MS = 60_000
EARLY_MS = 1_000


def handling_of(fault: Fault | None) -> Handling:
    """The table of faults: what each means for the arrival that meets it."""
    if fault is None:
        return AS_USUAL
    late_ms = LATE_MS if fault.delay_ms is None else fault.delay_ms
    held_ms = HELD_MS if fault.delay_ms is None else fault.delay_ms
    match fault.fault:
        case "late":
            return Handling(end_after_ms=late_ms)
        case "lands_late":
            return Handling(act_after_ms=late_ms)
        case "lost_after":
            return Handling(end_after_ms=held_ms, ending="close")
        case "lost_before":
            return Handling(acts=False, end_after_ms=held_ms, ending="close")
        case "status":
            return Handling(acts=False, shape="status", status=fault.status or 503)
        case "status_after":
            return Handling(shape="status", status=fault.status or 500)
        case "garbage" | "wrong_amount":
            return Handling(shape=fault.fault)
        case "reset":
            return Handling(acts=False, ending="reset")
        case "refuse":
            return Handling(acts=False, ending="refuse", refuse_ms=fault.for_ms)
        case "notice_early":
            return Handling(end_after_ms=EARLY_MS if fault.delay_ms is None else fault.delay_ms, tells_first=True)
        case _:
            return AS_USUAL


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Faults drawn at random, the same ones for the same seed and the same order of arrivals."""

    seed: int
    rates: dict[Kind, Annotated[float, Meta(ge=0, le=1)]]
    """The share of arrivals, or of notices, that meets each kind; at most 1 together."""
    on: Meant | None = None
    delay_ms: Milliseconds | None = None
    status: ErrorStatus | None = None
    for_ms: Milliseconds = 1000

    def __post_init__(self) -> None:
        if any(sum(rate for _, rate in self._faults(notice=notice)) > 1 + 1e-9 for notice in (True, False)):
            raise ValueError("the rates are more than 1 together")

    def draw(self, what: Calls | About, dice: Random, *, notice: bool) -> Fault | None:
        """One throw per arrival or notice it is meant for, so that a run with other delays meets the same kinds."""
        faults = self._faults(notice=notice)
        if not any(fault.meant_for(what, notice=notice) for fault, _ in faults):
            return None
        thrown = dice.random()
        for fault, rate in faults:
            thrown -= rate
            if thrown < 0:
                return fault
        return None

    def _faults(self, *, notice: bool) -> list[tuple[Fault, float]]:
        """Each kind with its rate: those that happen to notices, or all others."""
        return [
            (Fault(fault=kind, on=self.on, delay_ms=self.delay_ms, status=self.status, for_ms=self.for_ms), rate)
            for kind, rate in self.rates.items()
            if (kind in OF_NOTICES) == notice
        ]


class Order(Struct, kw_only=True):
    """A fault that was ordered, and how often it is still to happen."""

    fault: Fault
    left: int


class Faults:
    """Ordered faults, the plan, and how often each kind was hit."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.plan: Plan | None = None
        self.hits: Counter[str] = Counter()
        self._dice = {"arrivals": Random(0), "notices": Random(0)}

    def order(self, fault: Fault) -> None:
        """Let it happen on the next `fault.times` arrivals that it is meant for."""
        self.orders.append(Order(fault=fault, left=fault.times))

    def follow(self, plan: Plan) -> None:
        """Draw from this plan from now on, from its seed's first throw."""
        self.plan = plan
        self._dice = {"arrivals": Random(plan.seed), "notices": Random(plan.seed)}

    def clear(self) -> None:
        """Nothing goes wrong any more. The counts stay: they tell what the run has met."""
        self.orders.clear()
        self.plan = None

    def next(self, call: Calls) -> Fault | None:
        """What goes wrong with this arrival, if something does. Not counted yet."""
        return self._next(call, notice=False)

    def next_notice(self, about: About) -> Fault | None:
        """What goes wrong with a notice about such a thing, if something does. Not counted yet."""
        return self._next(about, notice=True)

    def _next(self, what: Calls | About, *, notice: bool) -> Fault | None:
        for order in self.orders:
            if order.fault.meant_for(what, notice=notice):
                order.left -= 1
                if order.left == 0:
                    self.orders.remove(order)
                return order.fault
        dice = self._dice["notices" if notice else "arrivals"]
        return self.plan.draw(what, dice, notice=notice) if self.plan else None

    def count(self, fault: Fault) -> None:
        self.hits[fault.fault] += 1
