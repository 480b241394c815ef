"""A merchant's server: opens intents under idempotency keys and repeats what was not answered; a thief copies it.

What it does with an intent afterwards: `till.py`.
"""

import asyncio
from functools import partial

from msgspec.structs import replace

from paydesk.errors import Refusal
from paydesk.payments.create import Create
from paydesk.requests.once import Claim, Reply
from paydesk_simulator import door
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.dice import Random
from paydesk_simulator.facts import Told
from paydesk_simulator.journal import Journal
from paydesk_simulator.process import Lost
from paydesk_simulator.server import Server

DAY_MS = 24 * 3_600_000
TRIES = 40
EXPIRES_MS = (DAY_MS, DAY_MS, DAY_MS, 120_000, 45_000)
"""How long an intent may wait to be paid: most for as long as the run."""
AMOUNTS = (100, 1999, 4200, 99_999_99)
CURRENCIES = ("usd", "eur", "jpy")
NOT_DONE = ("storage_unavailable", "overloaded")
"""Refusals that promise that nothing was stored and no PSP acted."""


class Merchant:
    """One account's server."""

    def __init__(
        self,
        account: str,
        key_id: str,
        *,
        server: Server,
        dice: Random,
        told: Told,
        journal: Journal,
        loop: VirtualLoop,
    ) -> None:
        self.account = account
        self.saved: list[str] = []
        """Saved cards that were seen on its intents."""
        self._key_id = key_id
        self._server = server
        self._dice = dice
        self._told = told
        self._journal = journal
        self._loop = loop

    async def open(self, order: str) -> str | None:
        """The intent for this order; None where the merchant lost patience."""
        command = self._command(order)
        unknown = False
        for _ in range(TRIES):
            claim = self._claim(order, command)
            try:
                reply = await self._server.ask(partial(door.decide, claim, command))
            except Refusal as why:
                self._journal.tell(f"{order} refused: {why.code}")
                self._judge(why.code in NOT_DONE, f"{order} was refused: {why}")
            except Lost:
                unknown = True
            else:
                self._opened(order, reply)
                await self._try_again(order, claim, command)
                return reply.object_id
            if self._dice.random() < 0.03:
                break
            await asyncio.sleep(self._dice.uniform(0.2, 10))
        self._journal.tell(f"{order} is given up")
        if not unknown:
            self._told.refused_orders.append(order)
        return None

    def _command(self, order: str) -> Create:
        amount, currency = self._dice.choice(AMOUNTS), self._dice.choice(CURRENCIES)
        return Create(
            account=self.account,
            livemode=False,
            amount_minor=amount,
            currency=currency,
            description=None,
            statement_descriptor=None,
            metadata=f'{{"order":"{order}"}}',
            return_url=None,
            capture_method=self._dice.choice(("automatic", "automatic", "manual")),
            setup_future_usage=self._dice.choice(("off_session", None)),
            expires_after_ms=self._dice.choice(EXPIRES_MS),
            cause=self.cause,
        )

    @property
    def cause(self) -> str:
        """Whose doing it is, as timelines say it."""
        return f"key:{self._key_id}"

    def claim(self, idempotency_key: str, fingerprint: str) -> Claim:
        """A request, signed now."""
        return Claim(
            account=self.account,
            key_id=self._key_id,
            nonce=self._dice.randbytes(8).hex(),
            signed_ms=self._loop.now_ms() // 1000 * 1000,
            idempotency_key=idempotency_key,
            fingerprint=fingerprint,
            action="POST /v1/payment_intents" + (f"/{what}" if (what := idempotency_key.partition("/")[2]) else ""),
            request_id=f"req_{self._dice.randbytes(8).hex()}",
        )

    def _claim(self, order: str, command: Create) -> Claim:
        return self.claim(order, f"{command.amount_minor} {command.currency} {command.metadata}")

    def _opened(self, order: str, reply: Reply) -> None:
        self._journal.tell(f"{order} is {reply.object_id}, replayed {reply.replayed}")
        known = self._told.opened.setdefault(order, reply.object_id)
        self._judge(known == reply.object_id, f"{order} was {known}, and then {reply.object_id}")

    async def _try_again(self, order: str, claim: Claim, command: Create) -> None:
        """What must not work a second time: the same bytes again, and another request under the same key."""
        if self._dice.random() < 0.15:
            await asyncio.sleep(self._dice.choice((0.0, 30.0, 280.0)) * self._dice.random())
            await self._refused(claim, command, ("nonce_reused", "timestamp_out_of_range"))
        if self._dice.random() < 0.1:
            other = self._claim(order, replace(command, amount_minor=command.amount_minor + 1))
            await self._refused(other, command, ("idempotency_key_reused",))
        if self._dice.random() < 0.1:
            again = await self._asked(self._claim(order, command), command)
            if isinstance(again, Reply):
                self._opened(order, again)

    async def _refused(self, claim: Claim, command: Create, codes: tuple[str, ...]) -> None:
        got = await self._asked(claim, command)
        if got is None or (isinstance(got, Refusal) and got.code in (*codes, *NOT_DONE)):
            return
        self._journal.violated(f"{claim.idempotency_key} with nonce {claim.nonce} should be refused, got {got!r}")

    async def _asked(self, claim: Claim, command: Create) -> Reply | Refusal | None:
        try:
            return await self._server.ask(partial(door.decide, claim, command))
        except Refusal as why:
            return why
        except Lost:
            return None

    def _judge(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self._journal.violated(otherwise)
