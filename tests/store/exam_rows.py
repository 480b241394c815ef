"""Rows and commands of the exam's own: the store knows no word of payments, and neither does its exam."""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from paydesk.errors import Refusal
from paydesk.store import Command, Key, Rank, Row, Versioned, Work

ACCOUNT = "acct_0123abcd"


class Counter(Versioned, frozen=True, kw_only=True):
    """Changes."""

    TABLE = "exam_counters"
    KEY = ("account", "name")

    account: str = ACCOUNT
    name: str
    value: int = 0
    note: str | None = None
    ballast: bytes = b""


class Ticket(Row, frozen=True, kw_only=True):
    """Is written once, and perhaps removed."""

    TABLE = "exam_tickets"
    KEY = ("account", "id")
    INDEXES = (("text", "account", "id"),)

    account: str = ACCOUNT
    id: str
    text: str = ""


class Do(Command[Any], frozen=True):
    """Decides what it is given."""

    act: Callable[[Work], Any]
    hints: tuple[Key, ...] = ()
    size: int = 512

    def keys(self) -> Iterable[Key]:
        return self.hints

    def size_bytes(self) -> int:
        return self.size

    def decide(self, work: Work) -> Any:
        return self.act(work)


class Apply(Do, frozen=True):
    RANK = Rank.APPLY


class Confirm(Do, frozen=True):
    RANK = Rank.CONFIRM


class Background(Do, frozen=True):
    RANK = Rank.BACKGROUND


OF_RANK: dict[Rank, type[Do]] = {
    Rank.APPLY: Apply,
    Rank.CONFIRM: Confirm,
    Rank.CREATE: Do,
    Rank.BACKGROUND: Background,
}


def counter_key(name: str) -> Key:
    return Counter, (ACCOUNT, name)


def ticket_key(name: str) -> Key:
    return Ticket, (ACCOUNT, name)


def count(work: Work, name: str, by: int = 1) -> Counter:
    """Raise a counter, which is made where there is none."""
    counter = work.find(Counter, ACCOUNT, name)
    if counter is None:
        return work.add(Counter(name=name, value=by))
    return work.change(counter, value=counter.value + by)


def counting(name: str, by: int = 1, kind: type[Do] = Do) -> Do:
    """The command that raises a counter and answers with its new value."""
    return kind(act=lambda work: count(work, name, by).value, hints=(counter_key(name),))


def ticket(name: str, text: str = "", kind: type[Do] = Do) -> Do:
    """The command that puts in a ticket without looking whether it is there."""
    return kind(act=lambda work: work.add(Ticket(id=name, text=text)).id)


def refused(name: str) -> Do:
    """Changes a counter, then is refused."""

    def act(work: Work) -> None:
        count(work, name, 1000)
        raise Refusal("invalid_state", f"seen {count(work, name, 0).value}")

    return Do(act=act, hints=(counter_key(name),))


def faulty(name: str, why: Exception) -> Do:
    """Changes a counter, then fails in a way that is nobody's wish."""

    def act(work: Work) -> None:
        count(work, name, 1000)
        raise why

    return Do(act=act, hints=(counter_key(name),))


def of_rank(command: Do, rank: Rank) -> Do:
    """The same command, in another queue."""
    return OF_RANK[rank](act=command.act, hints=command.hints, size=command.size)


def sized(command: Do, size_bytes: int) -> Do:
    return replace(command, size=size_bytes)
