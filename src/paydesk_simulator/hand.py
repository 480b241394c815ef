"""One payment in scripted hands: each step is asked for until it is answered for good, and says how it was answered."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from paydesk.assembly.house import House
from paydesk.errors import Refusal
from paydesk.payments.cancel import Cancel
from paydesk.payments.capture import Capture
from paydesk.payments.create import Create
from paydesk.payments.expire import Expire
from paydesk.payments.refund import BeginRefund
from paydesk.payments.rows import Attempt, Intent
from paydesk.payments.update import Update
from paydesk.requests.once import Claim
from paydesk.vault.cards import Card, CardFacts, brand
from paydesk_sandbox.psp import objects as psp
from paydesk_sandbox.psp.disputes import CloseOrder, DisputeOrder
from paydesk_simulator import door, requests
from paydesk_simulator.door import Payload, Said
from paydesk_simulator.merchant import Merchant
from paydesk_simulator.process import Lost
from paydesk_simulator.stage import Stage
from paydesk_simulator.till import AGAIN

PAID, DECLINED, CHALLENGED = "4242424242424242", "4000000000000002", "4000000000003220"
REFUND_FAILS = "4000009900000228"
AMOUNT = 4200
TRIES = 400
DAY_MS = 24 * 3_600_000

Request = Callable[[Claim, House], Awaitable[Said]]


class Hand:
    """One payment."""

    def __init__(self, stage: Stage, merchant: Merchant, order: str) -> None:
        self.stage = stage
        self.merchant = merchant
        self.order = order
        self.intent = ""
        self._numbers = 0
        self._clicked: Payload | None = None

    async def open(self, *, manual: bool = False, expires_ms: int = DAY_MS, save: bool = False) -> str:
        """Open it."""
        command = Create(
            account=self.merchant.account,
            livemode=False,
            amount_minor=AMOUNT,
            currency="usd",
            description=None,
            statement_descriptor=None,
            metadata=f'{{"order":"{self.order}"}}',
            return_url=None,
            capture_method="manual" if manual else "automatic",
            setup_future_usage="off_session" if save else None,
            expires_after_ms=expires_ms,
            cause=self.merchant.cause,
        )
        for _ in range(TRIES):
            try:
                claim = self.merchant.claim(self.order, "the order")
                reply = await self.stage.server.ask(partial(door.decide, claim, command))
            except (Lost, Refusal):
                await asyncio.sleep(1)
            else:
                self.intent = self.stage.told.opened[self.order] = reply.object_id
                return "opened"
        return "not opened"

    async def pay(self, number: str = PAID) -> str:
        """The shopper pays with this card."""
        return await self._send(self._payload(number))

    async def click(self) -> str:
        """The shopper presses the button: the same payload each time."""
        self._clicked = self._clicked or self._payload(PAID)
        return await self._send(self._clicked)

    async def pay_lost(self) -> str:
        """The charge gets lost on its way, and counts as never sent in the end."""
        self.stage.psp.lose()
        return await self.pay()

    async def found(self) -> str:
        """What got lost arrives at the PSP after all."""
        for attempt in self.attempts:
            self.stage.psp.find(attempt.id)
        return "found"

    async def capture(self, amount: int | None = None) -> str:
        """All that is held, or less."""
        key = self._key("capture")
        command = Capture(
            account=self.merchant.account,
            intent=self.intent,
            amount_minor=amount,
            cause=self.merchant.cause,
            idempotency_key=key,
        )
        return await self._until_known(key, partial(requests.operated, command))

    async def cancel(self) -> str:
        key = self._key("cancel")
        command = Cancel(
            account=self.merchant.account,
            intent=self.intent,
            reason="requested_by_customer",
            cause=self.merchant.cause,
            idempotency_key=key,
        )
        return await self._until_known(key, partial(requests.operated, command))

    async def refund(self, amount: int | None = None) -> str:
        key = self._key("refund")
        command = BeginRefund(
            intent=self.row,
            amount_minor=amount,
            reason=None,
            metadata="{}",
            cause=self.merchant.cause,
            idempotency_key=key,
        )
        return await self._until_known(key, partial(requests.refunded, command))

    async def update(self, amount: int) -> str:
        command = Update(
            account=self.merchant.account, intent=self.intent, cause=self.merchant.cause, amount_minor=amount
        )
        return await self._until_known(self._key("update"), partial(requests.decided, command))

    async def confirm_saved(self, method: str | None = None) -> str:
        return await self._until_known(self._key("confirm"), partial(requests.charged, self.intent, method))

    async def come_back(self) -> str:
        """The shopper comes back from the bank; whoever is lost on the way comes again."""
        attempt = self.row.latest_attempt or ""
        for _ in range(TRIES):
            try:
                await self.stage.server.ask(partial(door.come_back, self.merchant.account, attempt))
            except (Lost, Refusal):
                await asyncio.sleep(1)
            else:
                return "came back"
        return "never came back"

    async def at_the_bank(self, *, approved: bool = True) -> str:
        """The shopper answers the bank."""
        self.stage.bank.answer(self.row.latest_attempt or "", approved=approved)
        return "answered"

    async def let_go(self) -> str:
        """The bank ends what is held."""
        for charge in self.charges:
            self.stage.psp.psp.expire(charge.id, self.stage.loop.now_ms())
        return "let go"

    async def dispute(self, amount: int | None = None) -> str:
        """The bank wants it back, or a part."""
        for charge in self.charges:
            self.stage.psp.psp.dispute(charge.id, DisputeOrder(amount=amount), self.stage.loop.now_ms())
        return "disputed"

    async def lose_dispute(self) -> str:
        """The bank decides for its cardholder."""
        for dispute in self.disputes:
            self.stage.psp.psp.close_dispute(dispute.id, CloseOrder(status="lost"), self.stage.loop.now_ms())
        return "lost"

    async def send_back(self) -> str:
        """The bank sends back what was refunded."""
        for refund in self.refunds:
            self.stage.psp.psp.fail_refund(refund.id, self.stage.loop.now_ms())
        return "sent back"

    async def expire(self) -> str:
        """The clock looks at it."""
        command = Expire(intents=((self.merchant.account, self.intent),))

        async def submitted(house: House) -> None:
            await house.submit(command)

        for _ in range(TRIES):
            try:
                await self.stage.server.ask(submitted)
            except (Lost, Refusal):
                await asyncio.sleep(1)
            else:
                return "looked at"
        return "never looked at"

    async def told(self) -> str:
        """The PSP's notices about it arrive."""
        self._tell()
        return "told"

    async def told_at_once(self) -> str:
        """They arrive as soon as there are any: before the answer to what caused them."""
        for _ in range(TRIES):
            if self._tell():
                break
            await asyncio.sleep(0.001)
        return "told"

    def _tell(self) -> int:
        things = (*self.charges, *self.refunds, *self.disputes)
        return self.stage.psp.tell([thing.id for thing in things])

    async def wait_for(self, status: str) -> str:
        """It becomes this by itself."""
        for _ in range(TRIES):
            if self.row.status == status:
                return status
            await asyncio.sleep(1)
        return f"never {status}"

    @property
    def row(self) -> Intent:
        """As it is committed."""
        row = self.stage.database.find(Intent, self.merchant.account, self.intent)
        assert row is not None
        return row

    @property
    def charges(self) -> list[psp.Charge]:
        """Those that the PSP made for it."""
        mine = {attempt.id for attempt in self.attempts}
        every = self.stage.psp.psp.books.charges.all.values()
        return [entry.charge for entry in every if entry.charge.reference in mine]

    @property
    def refunds(self) -> list[psp.Refund]:
        """Those that the PSP made for it."""
        mine = {charge.id for charge in self.charges}
        every = self.stage.psp.psp.books.refunds.all.values()
        return [entry.refund for entry in every if entry.refund.charge in mine]

    @property
    def disputes(self) -> list[psp.Dispute]:
        """Those that its bank opened."""
        mine = {charge.id for charge in self.charges}
        every = self.stage.psp.psp.books.disputes.all.values()
        return [entry.dispute for entry in every if entry.dispute.charge in mine]

    @property
    def attempts(self) -> list[Attempt]:
        return self.stage.database.of_intent(Attempt, self.merchant.account, self.intent)

    def _payload(self, number: str) -> Payload:
        facts = CardFacts(
            brand=brand(number),
            last4=number[-4:],
            exp_month=12,
            exp_year=2040,
            fingerprint="the same for all",
            jti=self.stage.dice.randbytes(8).hex(),
            digest=self.stage.dice.randbytes(8).hex(),
        )
        return Payload(card=Card(number=number, exp_month=12, exp_year=2040, cvc="123"), facts=facts)

    async def _send(self, payload: Payload) -> str:
        """Send a payload until it is answered; how."""
        for _ in range(TRIES):
            try:
                shown = await self.stage.server.ask(partial(door.confirm, self.merchant.account, self.intent, payload))
            except Lost:
                pass
            except Refusal as why:
                if why.code not in AGAIN:
                    return why.code
            else:
                if shown.attempt_status != "asking":
                    return shown.attempt_status
            await asyncio.sleep(1)
        return "never answered"

    async def _until_known(self, key: str, request: Request) -> str:
        for _ in range(TRIES):
            try:
                said = await self.stage.server.ask(partial(request, self.merchant.claim(key, key)))
            except Lost:
                pass
            except Refusal as why:
                if why.code not in AGAIN:
                    return why.code
            else:
                if said.status != 202:
                    self.stage.told.answers[self.merchant.account, key] = (said.status, said.body)
                    return f"{said.status} {msgspec.json.decode(said.body).get('status', 'declined')}"
            await asyncio.sleep(1)
        return "never answered"

    def _key(self, what: str) -> str:
        self._numbers += 1
        return f"{self.order}/{what}-{self._numbers}"
