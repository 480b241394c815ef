"""What a merchant does with an intent beside its shopper: changes it, charges saved cards, captures, cancels, refunds,
each under an idempotency key, repeated until it is answered, sometimes twice at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from paydesk.assembly.house import House
from paydesk.errors import Refusal
from paydesk.payments.cancel import REASONS, Cancel
from paydesk.payments.capture import Capture
from paydesk.payments.late import DecideLate
from paydesk.payments.refund import BeginRefund
from paydesk.payments.rows import Intent, LatePayment
from paydesk.payments.states import TERMINAL
from paydesk.payments.update import Update
from paydesk.requests.once import Claim
from paydesk_simulator import door, requests
from paydesk_simulator.dice import Random
from paydesk_simulator.door import Said
from paydesk_simulator.facts import Database, Told
from paydesk_simulator.journal import Journal
from paydesk_simulator.merchant import AMOUNTS, NOT_DONE, Merchant
from paydesk_simulator.process import Lost
from paydesk_simulator.server import Server

TRIES = 12
AGAIN = (*NOT_DONE, "operation_in_progress", "psp_unavailable")
"""Refusals after which the same request may be made again under the same key."""

Request = Callable[[Claim, House], Awaitable[Said]]

USUAL: Mapping[str, Mapping[str, int]] = {
    "requires_payment_method": {"wait": 30, "update": 25, "cancel": 10, "attach": 10, "charge_saved": 15, "late": 5},
    "requires_confirmation": {"charge_saved": 60, "cancel": 10, "update": 10, "attach": 10},
    "processing": {"wait": 60, "cancel": 10, "capture": 10, "refund": 5, "charge_saved": 5, "update": 5},
    "requires_action": {"wait": 60, "cancel": 15, "charge_saved": 5, "update": 5},
    "requires_capture": {"capture": 50, "cancel": 12, "capture_or_cancel": 10, "wait": 15, "update": 3},
    "succeeded": {"refund": 45, "refund_twice": 15, "wait": 30, "cancel": 3, "capture": 3, "late": 3, "update": 3},
    "canceled": {"wait": 50, "late": 30, "refund": 5, "capture": 5, "charge_saved": 5},
}
"""What a merchant does with an intent of this status, and how often in a hundred or so."""


class Shown(Struct):
    """As much of an answer as is judged."""

    id: str
    object: str
    status: str


class Till:
    """One intent in the hands of its merchant."""

    def __init__(
        self,
        merchant: Merchant,
        order: str,
        intent: str,
        *,
        server: Server,
        dice: Random,
        told: Told,
        journal: Journal,
        database: Database,
    ) -> None:
        self._merchant = merchant
        self._order = order
        self._intent = intent
        self._server = server
        self._dice = dice
        self._told = told
        self._journal = journal
        self._database = database
        self._numbers = 0

    async def work(self) -> None:
        """Look at the intent now and then, and do something about it."""
        for _ in range(self._dice.choice((0, 1, 2, 3, 4))):
            await asyncio.sleep(self._dice.uniform(0, 25))
            intent = await self._seen()
            if intent is not None:
                await self._do_something(intent)

    async def _do_something(self, intent: Intent) -> None:
        status = intent.status if self._dice.random() < 0.92 else self._dice.choice(list(USUAL))
        usual = USUAL[status]
        what = self._dice.choices(list(usual), list(usual.values()))[0]
        if what == "capture_or_cancel":
            await self._together(self._capture(intent), self._cancel(intent))
        elif what == "refund_twice":
            await self._together(self._refund(intent), self._refund(intent))
        elif what != "wait":
            await self._DOES[what](self, intent)

    async def _capture(self, intent: Intent) -> None:
        key = self._key("capture")
        command = Capture(
            account=intent.account,
            intent=intent.id,
            amount_minor=self._part(intent.capturable_minor or intent.amount_minor),
            cause=self._merchant.cause,
            idempotency_key=key,
        )
        await self._perhaps_twice(key, f"{command.amount_minor}", partial(requests.operated, command))

    async def _cancel(self, intent: Intent) -> None:
        key = self._key("cancel")
        command = Cancel(
            account=intent.account,
            intent=intent.id,
            reason=self._dice.choice(REASONS),
            cause=self._merchant.cause,
            idempotency_key=key,
        )
        await self._perhaps_twice(key, command.reason, partial(requests.operated, command))

    async def _refund(self, intent: Intent) -> None:
        key = self._key("refund")
        command = BeginRefund(
            intent=intent,
            amount_minor=self._part(intent.received_minor or intent.amount_minor),
            reason=None,
            metadata="{}",
            cause=self._merchant.cause,
            idempotency_key=key,
        )
        await self._perhaps_twice(key, f"{command.amount_minor}", partial(requests.refunded, command))

    async def _charge_saved(self, intent: Intent) -> None:
        method = self._dice.choice([None, *self._merchant.saved])
        await self._perhaps_twice(self._key("confirm"), f"{method}", partial(requests.charged, intent.id, method))

    async def _update(self, intent: Intent) -> None:
        new = self._dice.choice(
            (
                {"amount_minor": self._dice.choice(AMOUNTS)},
                {"capture_method": self._dice.choice(("automatic", "manual"))},
                {"description": f"{self._dice.random()}"},
                {"metadata": {"note": f"{self._dice.random()}"}},
            )
        )
        await self._change(intent, new)

    async def _attach(self, intent: Intent) -> None:
        if self._merchant.saved:
            await self._change(intent, {"payment_method": self._dice.choice(self._merchant.saved)})

    async def _change(self, intent: Intent, new: dict[str, Any]) -> None:
        command = Update(account=intent.account, intent=intent.id, cause=self._merchant.cause, **new)
        await self._perhaps_twice(self._key("update"), f"{new}", partial(requests.decided, command))

    async def _late(self, intent: Intent) -> None:
        """Decide about what arrived when the payment was over, if anything did and is held."""
        for late in self._database.of_intent(LatePayment, intent.account, intent.id):
            command = DecideLate(late_payment=late, keep=self._dice.random() < 0.5, cause=self._merchant.cause)
            await self._perhaps_twice(self._key("decide"), f"{command.keep}", partial(requests.decided, command))

    async def _together(self, *doing: Coroutine[Any, Any, None]) -> None:
        async with asyncio.TaskGroup() as group:
            for one in doing:
                group.create_task(one)

    async def _perhaps_twice(self, key: str, fingerprint: str, request: Request) -> None:
        """A worker that hangs, another that takes over: the same request under the same key at the same time."""
        times = 2 if self._dice.random() < 0.15 else 1
        await self._together(*(self._until_known(key, fingerprint, request) for _ in range(times)))

    async def _until_known(self, key: str, fingerprint: str, request: Request) -> None:
        for _ in range(TRIES):
            answer = await self._asked(self._merchant.claim(key, fingerprint), request)
            if isinstance(answer, Said):
                self._note(key, answer)
                if answer.status != 202:
                    return
            elif answer is not None and answer.code not in AGAIN:
                return
            if self._dice.random() < 0.1:
                return
            await asyncio.sleep(self._dice.uniform(0.2, 12))

    async def _asked(self, claim: Claim, request: Request) -> Said | Refusal | None:
        try:
            return await self._server.ask(partial(request, claim))
        except Refusal as why:
            self._journal.tell(f"{claim.idempotency_key} refused: {why.code}")
            return why
        except Lost:
            return None

    def _note(self, key: str, answer: Said) -> None:
        shown = msgspec.json.decode(answer.body, type=Shown) if answer.status in (200, 202) else None
        self._journal.tell(f"{key} answered: {answer.status} {shown.status if shown else answer.body!r}")
        if answer.status == 202:
            if shown and shown.object == "payment_intent" and shown.status in TERMINAL:
                self._journal.violated(f"{key} is told to wait for what is over: {shown.status}")
            return
        known = self._told.answers.setdefault((self._merchant.account, key), (answer.status, answer.body))
        if known != (answer.status, answer.body):
            self._journal.violated(f"{key} was answered {known}, and then {answer}")
        if shown and shown.object == "payment_intent" and shown.status in TERMINAL:
            self._told.shown(shown.id, shown.status, self._journal)

    async def _seen(self) -> Intent | None:
        try:
            intent = await self._server.ask(partial(door.status, self._merchant.account, self._intent))
        except (Lost, Refusal):
            return None
        if intent.status in TERMINAL or intent.id in self._told.over:
            self._told.shown(intent.id, intent.status, self._journal)
        if intent.payment_method and intent.payment_method not in self._merchant.saved:
            self._merchant.saved.append(intent.payment_method)
        return intent

    def _key(self, what: str) -> str:
        self._numbers += 1
        return f"{self._order}/{what}-{self._numbers}"

    def _part(self, whole: int) -> int | None:
        """All, or a part, or one too many."""
        return self._dice.choice((None, None, whole, whole // 2, whole // 3, whole + 1)) or None

    _DOES: ClassVar[dict[str, Callable[["Till", Intent], Awaitable[None]]]] = {
        "attach": _attach,
        "cancel": _cancel,
        "capture": _capture,
        "charge_saved": _charge_saved,
        "late": _late,
        "refund": _refund,
        "update": _update,
    }
