"""Does every chain hold: the first line of each that is off, and why.

Who can write the database can compute a chain anew from some line on. Its head is another one then: compare it with one
that was noted elsewhere, or with that of a backup.
"""

from collections.abc import Generator, Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from msgspec import Struct

from paydesk.audit.chain import BEGINNING, is_one_line, link_of
from paydesk.audit.rows import AuditEntry, AuditHead
from paydesk.store.snapshot import Snapshot


class Chain(Struct, frozen=True, kw_only=True):
    """What was found of one account's chain."""

    account: str
    lines: int
    """How many hold."""
    head: bytes
    """The hash of the last of them."""
    off: int | None = None
    """The number of the first line that does not."""
    why: str = ""


def verify(log: Snapshot, accounts: Iterable[str]) -> Generator[Chain | None]:
    """Every chain when it was followed to its end, also of `accounts` that should have one; None for each line that was
    looked at, so that whoever counts can pause.
    """
    heads = {head.account: head for head in log.rows(AuditHead, "account")}
    without = dict.fromkeys([*accounts, *heads])
    for account, lines in groupby(log.rows(AuditEntry, "account", "number"), key=attrgetter("account")):
        without.pop(account, None)
        yield from _follow(account, lines, heads.get(account))
    for account in without:
        yield from _follow(account, iter(()), heads.get(account))


def _follow(account: str, lines: Iterator[AuditEntry], head: AuditHead | None) -> Generator[Chain | None]:
    number, previous = 0, BEGINNING
    for line in lines:
        yield None
        if why := _off(number, previous, line):
            yield Chain(account=account, lines=number, head=previous, off=min(line.number, number + 1), why=why)
            for _ in lines:
                yield None
            return
        number, previous = line.number, line.hash
    off, why = _off_at_the_end(number, previous, head)
    yield Chain(account=account, lines=number, head=previous, off=off, why=why)


def _off(number: int, previous: bytes, line: AuditEntry) -> str:
    """Why this line can't follow the one with that number and hash; empty where it can."""
    if line.number > number + 1:
        return f"it is missing: line {line.number} follows line {number}"
    if line.number <= number:
        return "it stands before the first line"
    texts = (line.actor, line.action, line.object_id, line.request_id, line.fingerprint, line.reason)
    if line.hash != link_of(previous, line) or not is_one_line(*texts):
        return "it is not the line that was written there, or does not belong behind the one before it"
    return ""


def _off_at_the_end(number: int, previous: bytes, head: AuditHead | None) -> tuple[int | None, str]:
    if head is None:
        return number + (not number), "the chain has no head: it, or all there was, was taken away"
    if head.number > number:
        return number + 1, f"it is missing: the chain went on to line {head.number}"
    if head.number < number:
        return head.number + 1, f"it was put in: the chain ended with line {head.number}"
    if head.hash != previous:
        return number, "it is another line than the chain's head says"
    return None, ""
