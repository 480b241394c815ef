"""Waiting for an outcome that a duty brings: a shopper's confirm and a merchant's request are answered with it."""

from typing import Protocol

from msgspec import Struct

from paydesk.payments.ask import PaymentDesk
from paydesk.payments.rows import Attempt, Errand, Intent, Refund
from paydesk.requests.rows import Kept
from paydesk.store import Key
from paydesk.store.published import Watch

STOPPING_SECONDS = 5.0
AGAIN_SECONDS = 5.0  # A repeat of a request that still runs waits so long for its answer.


class WaitingDesk(PaymentDesk, Protocol):
    """A desk that says when the process is about to stop."""

    @property
    def stopping(self) -> bool: ...


class Answered(Struct, frozen=True, kw_only=True):
    """How a merchant's operation stands when its request has to be answered."""

    intent: Intent
    kept: Kept | None
    """Its answer, where there is one that is kept."""
    ended: str
    """How it ended, where nothing is kept: an attempt's or an errand's status; empty while it runs."""


class Patience:
    """How long somebody waits; less when the process stops. Once it is over there is one look more: another process
    may have changed what this one was not told of.
    """

    def __init__(self, desk: WaitingDesk, seconds: float) -> None:
        self._desk = desk
        self._until = desk.world.monotonic() + seconds
        self.over = False

    async def wait(self, watch: Watch) -> None:
        """Until something changes, or it is over."""
        if self._desk.stopping:  # The PSP's answer is still waited for, but not for longer than a stop waits for us.
            self._until = min(self._until, self._desk.world.monotonic() + STOPPING_SECONDS)
        self.over = not await watch.changed(self._until - self._desk.world.monotonic())


async def settled(desk: WaitingDesk, account: str, intent_id: str, attempt_id: str) -> tuple[Attempt, Intent]:
    """The attempt and its intent once the outcome is known, or known to be unknown, or the wait is over."""
    patience = Patience(desk, desk.config.confirm_wait_seconds)
    with desk.published.watch((Attempt, (account, attempt_id)), (Intent, (account, intent_id))) as watch:
        while True:
            attempt = await desk.reader.get(Attempt, account, attempt_id)
            intent = await desk.reader.get(Intent, account, intent_id)
            assert attempt is not None
            assert intent is not None
            if attempt.status != "asking" or intent.outcome_unknown or patience.over:
                return attempt, intent
            await patience.wait(watch)


async def answered(
    desk: WaitingDesk, account: str, idempotency_key: str, intent_id: str, operation: str, *, again: bool
) -> Answered:
    """How the operation stands once it is over, or its outcome is known to be unknown, or the wait is over."""
    patience = Patience(desk, AGAIN_SECONDS if again else desk.config.confirm_wait_seconds)
    keys: tuple[Key, ...] = (Kept, (account, idempotency_key)), (Intent, (account, intent_id))
    with desk.published.watch(*keys) as watch:
        while True:
            kept = await desk.reader.get(Kept, account, idempotency_key)
            intent = await desk.reader.get(Intent, account, intent_id)
            assert intent is not None
            if kept and kept.status:
                return Answered(intent=intent, kept=kept, ended="")
            ended = await _ended(desk, account, operation) if kept is None else ""
            if kept is None or intent.outcome_unknown or patience.over:
                return Answered(intent=intent, kept=None, ended=ended)
            await patience.wait(watch)


async def refund_answered(
    desk: WaitingDesk, account: str, idempotency_key: str, refund_id: str, *, again: bool
) -> tuple[Kept | None, Refund]:
    """The kept answer once there is one, else the refund when it is known to be open, or the wait is over."""
    patience = Patience(desk, AGAIN_SECONDS if again else desk.config.confirm_wait_seconds)
    keys: tuple[Key, ...] = (Kept, (account, idempotency_key)), (Refund, (account, refund_id))
    with desk.published.watch(*keys) as watch:
        while True:
            kept = await desk.reader.get(Kept, account, idempotency_key)
            refund = await desk.reader.get(Refund, account, refund_id)
            assert refund is not None
            if kept and kept.status:
                return kept, refund
            if refund.outcome_unknown or patience.over:
                return None, refund
            await patience.wait(watch)


async def _ended(desk: WaitingDesk, account: str, operation: str) -> str:
    kind = Attempt if operation.startswith("at_") else Errand
    row = await desk.reader.get(kind, account, operation) if operation else None
    return row.status if row else "asking"
