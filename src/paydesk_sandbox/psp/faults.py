"""What goes wrong, and when: ordered one by one, or drawn by a seeded plan.

Every arrival asks `Faults.next` once. Ordered faults come first, oldest first; then the plan draws; the card's own
fault (cards.py) is the last to be asked. Hits are counted by kind, since a fault that no run hit proves nothing.
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
]
Calls = Literal["charges", "captures", "releases", "refunds", "settings", "lookups"]
"""Which calls an arrival is one of: POST /v1/charges, …/capture, …/release, …/refunds, /v1/notice_endpoint; any GET."""
Meant = Literal["charges", "captures", "releases", "refunds", "settings", "lookups", "any"]

Milliseconds = Annotated[int, Meta(ge=0, le=24 * 3600 * 1000)]
ErrorStatus = Annotated[int, Meta(ge=400, le=599)]


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing to go wrong."""

    fault: Kind
    times: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    """On how many arrivals. `refuse` and `forget_keys` happen at once, once."""
    on: Meant = "charges"
    delay_ms: Milliseconds | None = None
    """late, lands_late: how late (3 s). lost_after, lost_before: how long the connection is held (60 s)."""
    status: ErrorStatus | None = None
    """status (503 by default) and status_after (500 by default)."""
    for_ms: Milliseconds = 1000
    """refuse: how long nobody listens."""


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


AS_USUAL = Handling()
LATE_MS = 3_000
HELD_MS = 60_000


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
        case "forget_keys":
            return AS_USUAL


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Faults drawn at random, the same ones for the same seed and the same order of arrivals."""

    seed: int
    rates: dict[Kind, Annotated[float, Meta(ge=0, le=1)]]
    """The share of arrivals that meets each kind; at most 1 together."""
    on: Meant = "charges"
    delay_ms: Milliseconds | None = None
    status: ErrorStatus | None = None
    for_ms: Milliseconds = 1000

    def __post_init__(self) -> None:
        if sum(self.rates.values()) > 1 + 1e-9:
            raise ValueError("the rates are more than 1 together")

    def draw(self, dice: Random) -> Fault | None:
        """One throw per arrival, so that a run with other delays meets the same kinds."""
        thrown = dice.random()
        for kind, rate in self.rates.items():
            thrown -= rate
            if thrown < 0:
                return Fault(fault=kind, on=self.on, delay_ms=self.delay_ms, status=self.status, for_ms=self.for_ms)
        return None


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
        self._dice = Random(0)

    def order(self, fault: Fault) -> None:
        """Let it happen on the next `fault.times` arrivals that it is meant for."""
        self.orders.append(Order(fault=fault, left=fault.times))

    def follow(self, plan: Plan) -> None:
        """Draw from this plan from now on, from its seed's first throw."""
        self.plan = plan
        self._dice = Random(plan.seed)

    def clear(self) -> None:
        """Nothing goes wrong any more. The counts stay: they tell what the run has met."""
        self.orders.clear()
        self.plan = None

    def next(self, call: Calls) -> Fault | None:
        """What goes wrong with this arrival, if something does. Not counted yet."""
        for order in self.orders:
            if order.fault.on in (call, "any"):
                order.left -= 1
                if order.left == 0:
                    self.orders.remove(order)
                return order.fault
        if self.plan and self.plan.on in (call, "any"):
            return self.plan.draw(self._dice)
        return None

    def count(self, fault: Fault) -> None:
        self.hits[fault.fault] += 1
