"""Which operations meet on one payment, and how far it is when they do: the table that `schedules.py` plays."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct

from paydesk_sandbox.psp.faults import Calls
from paydesk_simulator.hand import AMOUNT, CHALLENGED, PAID, Hand

EXPIRES_MS = 60_000
HELD_SECONDS = 600.0
"""How long a server that is not hasty holds what is not captured."""
HEARD_SECONDS = 5.0
GIVEN_UP_SECONDS = 120.0
"""After that a charge that the PSP does not know counts as never sent."""

TOLD = frozenset({Hand.told, Hand.told_at_once})

Operation = Callable[[Hand], Awaitable[str]]


class Meeting(Struct, frozen=True, kw_only=True):
    """Two to four operations on a payment that is brought to where they meet it."""

    before: Callable[[Hand], Awaitable[object]]
    doing: tuple[Operation, ...]
    at_seconds: float = 30.0
    """When they come, after the payment was begun."""
    hushed: bool = False
    """Whether the PSP's notices wait until one of the operations tells them."""


async def opened(hand: Hand) -> None:
    """To be paid."""
    await hand.open()


async def expiring(hand: Hand) -> None:
    """To be paid; its time is over while they come."""
    await hand.open(expires_ms=EXPIRES_MS)


async def held(hand: Hand) -> None:
    """Held, to be captured."""
    await hand.open(manual=True)
    await hand.pay(PAID)
    await _heard(hand)


async def let_go(hand: Hand) -> None:
    """Held, but the bank let go of it, and nobody knows yet."""
    await held(hand)
    await hand.let_go()


async def paid(hand: Hand) -> None:
    """Paid."""
    await hand.open()
    await hand.pay(PAID)
    await _heard(hand)


async def disputed(hand: Hand) -> None:
    """Paid, and the bank wants a part back, and nobody knows yet."""
    await paid(hand)
    await hand.dispute(3000)


async def sent_back(hand: Hand) -> None:
    """A part was refunded, and the bank sent it back, and nobody knows yet."""
    await paid(hand)
    await hand.refund(1000)
    await hand.send_back()


async def at_the_bank(hand: Hand) -> None:
    """The shopper is at the bank, and has answered."""
    await unanswered(hand)
    await hand.at_the_bank()


async def unanswered(hand: Hand) -> None:
    """The shopper is at the bank."""
    await hand.open()
    await hand.pay(CHALLENGED)


async def late(hand: Hand) -> None:
    """To be paid again, since the first charge counts as never sent; but it was made, and nobody knows yet."""
    await hand.open()
    await hand.pay_lost()
    await hand.found()


async def late_and_expiring(hand: Hand) -> None:
    """The same, and its time is over while they come."""
    await hand.open(expires_ms=int(GIVEN_UP_SECONDS * 1000))
    await hand.pay_lost()
    await hand.found()


async def _heard(hand: Hand) -> None:
    """What the PSP has to tell so far is told, and nothing of it is under way any more."""
    await hand.told()
    await asyncio.sleep(HEARD_SECONDS)


def _part(hand: Hand) -> Awaitable[str]:
    return hand.capture(1000)


def _most(hand: Hand) -> Awaitable[str]:
    return hand.refund(3000)


def _little(hand: Hand) -> Awaitable[str]:
    return hand.refund(1000)


def _dearer(hand: Hand) -> Awaitable[str]:
    return hand.update(AMOUNT + 1)


def _hesitating(on: Calls, operation: Operation) -> Operation:
    async def asked(hand: Hand) -> str:
        hand.stage.psp.hesitate(on)
        return await operation(hand)

    return asked


def _of(before: Callable[[Hand], Awaitable[object]], *doing: Operation, at_seconds: float = 30.0) -> Meeting:
    return Meeting(before=before, doing=doing, at_seconds=at_seconds, hushed=not TOLD.isdisjoint(doing))


_OPEN_ENDS = EXPIRES_MS / 1000 - 0.05
_HOLD_ENDS = HELD_SECONDS + 0.05
_LATE = GIVEN_UP_SECONDS - 0.05

PAIRS: dict[str, Meeting] = {
    "pay | pay": _of(opened, Hand.pay, Hand.pay),
    "double click": _of(opened, Hand.click, Hand.click),
    "pay | cancel": _of(opened, Hand.pay, Hand.cancel),
    "pay | update": _of(opened, Hand.pay, _dearer),
    "pay | expire": _of(expiring, Hand.pay, Hand.expire, at_seconds=_OPEN_ENDS),
    "pay | notice of it": _of(opened, _hesitating("charges", Hand.pay), Hand.told_at_once),
    "capture | notice of it": _of(held, _hesitating("captures", Hand.capture), Hand.told_at_once),
    "cancel | notice of it": _of(held, _hesitating("releases", Hand.cancel), Hand.told_at_once),
    "refund | notice of it": _of(paid, _hesitating("refunds", Hand.refund), Hand.told_at_once),
    "cancel | update": _of(opened, Hand.cancel, _dearer),
    "cancel | cancel": _of(opened, Hand.cancel, Hand.cancel),
    "cancel | expire": _of(expiring, Hand.cancel, Hand.expire, at_seconds=_OPEN_ENDS),
    "capture | capture less": _of(held, Hand.capture, _part),
    "capture | cancel": _of(held, Hand.capture, Hand.cancel),
    "capture | update": _of(held, Hand.capture, _dearer),
    "capture | refund": _of(held, Hand.capture, Hand.refund),
    "capture | expire": _of(held, Hand.capture, Hand.expire, at_seconds=_HOLD_ENDS),
    "cancel | expire of what is held": _of(held, Hand.cancel, Hand.expire, at_seconds=_HOLD_ENDS),
    "cancel | cancel of what is held": _of(held, Hand.cancel, Hand.cancel),
    "refund | refund": _of(paid, Hand.refund, Hand.refund),
    "refund most | refund most": _of(paid, _most, _most),
    "come back | cancel": _of(at_the_bank, Hand.come_back, Hand.cancel),
    "come back | come back": _of(at_the_bank, Hand.come_back, Hand.come_back),
    "answer the bank | cancel": _of(unanswered, Hand.at_the_bank, Hand.cancel),
    "come back | pay": _of(at_the_bank, Hand.come_back, Hand.pay),
    "notice of the bank's answer | cancel": _of(at_the_bank, Hand.told, Hand.cancel),
    "notice of the bank's answer | come back": _of(at_the_bank, Hand.told, Hand.come_back),
    "notice of a hold's end | capture": _of(let_go, Hand.told, Hand.capture),
    "notice of a hold's end | cancel": _of(let_go, Hand.told, Hand.cancel),
    "notice of a hold's end | expire": _of(let_go, Hand.told, Hand.expire, at_seconds=_HOLD_ENDS),
    "notice of a dispute | refund": _of(disputed, Hand.told, Hand.refund),
    "notice of a failed refund | refund": _of(sent_back, Hand.told, Hand.refund),
    "late payment | pay": _of(late, Hand.told, Hand.pay, at_seconds=_LATE),
    "late payment | cancel": _of(late, Hand.told, Hand.cancel, at_seconds=_LATE),
    "late payment | update": _of(late, Hand.told, _dearer, at_seconds=_LATE),
    "late payment | expire": _of(late_and_expiring, Hand.told, Hand.expire, at_seconds=_LATE),
    "late payment | refund": _of(late, Hand.told, Hand.refund, at_seconds=_LATE),
}

GROUPS: dict[str, Meeting] = {
    "pay | pay | cancel": _of(opened, Hand.pay, Hand.pay, Hand.cancel),
    "double click | cancel": _of(opened, Hand.click, Hand.click, Hand.cancel),
    "pay | cancel | update": _of(opened, Hand.pay, Hand.cancel, _dearer),
    "pay | cancel | expire": _of(expiring, Hand.pay, Hand.cancel, Hand.expire, at_seconds=_OPEN_ENDS),
    "capture | capture less | cancel": _of(held, Hand.capture, _part, Hand.cancel),
    "capture | cancel | expire": _of(held, Hand.capture, Hand.cancel, Hand.expire, at_seconds=_HOLD_ENDS),
    "capture | refund | refund": _of(held, Hand.capture, Hand.refund, Hand.refund),
    "come back | cancel | pay": _of(at_the_bank, Hand.come_back, Hand.cancel, Hand.pay),
    "notice of a hold's end | capture | cancel": _of(let_go, Hand.told, Hand.capture, Hand.cancel),
    "notice of a dispute | refund | refund": _of(disputed, Hand.told, _little, _little),
    "late payment | pay | cancel": _of(late, Hand.told, Hand.pay, Hand.cancel, at_seconds=_LATE),
    "pay | pay | cancel | update": _of(opened, Hand.pay, Hand.pay, Hand.cancel, _dearer),
    "capture | cancel | refund | update": _of(held, Hand.capture, Hand.cancel, Hand.refund, _dearer),
    "late payment | pay | cancel | update": _of(late, Hand.told, Hand.pay, Hand.cancel, _dearer, at_seconds=_LATE),
}

MEETINGS = PAIRS | GROUPS
