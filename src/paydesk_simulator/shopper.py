"""A shopper: sends the same payload until it is answered, takes another card, presses twice, loses patience, and may be
wanted at the bank.
"""

import asyncio
from contextlib import suppress
from functools import partial

from paydesk.errors import Refusal
from paydesk.vault.cards import Card, CardFacts, brand
from paydesk_sandbox.psp.cards import AFTERWARDS, KNOWN, OWN
from paydesk_simulator import door
from paydesk_simulator.bank import Bank
from paydesk_simulator.dice import Random
from paydesk_simulator.door import Payload, Shown
from paydesk_simulator.facts import Told
from paydesk_simulator.journal import Journal
from paydesk_simulator.merchant import NOT_DONE
from paydesk_simulator.process import Lost
from paydesk_simulator.server import Server

TRIES = 30
PAID = [card.number for card in KNOWN if card.decline_code is None]
CHALLENGED = [card.number for card in KNOWN if card.approved]
DECLINED = [card.number for card in KNOWN if card.decline_code is not None and not card.approved]
AWKWARD = [card.number for card in OWN]
AFTERWARDS_TOO = [card.number for card in AFTERWARDS]
FINAL = ("captured", "declined", "not_sent", "canceled", "abandoned")
WAITING = ("processing", "requires_action")
AT_THE_BANK = {"approves": 40, "refuses": 15, "never comes": 15, "approves and is gone": 15, "comes back first": 15}
"""What a shopper does at the bank, and how often in a hundred."""


class Shopper:
    """Pays one intent, or tries to."""

    def __init__(
        self,
        account: str,
        intent: str,
        *,
        server: Server,
        bank: Bank,
        dice: Random,
        told: Told,
        journal: Journal,
    ) -> None:
        self._account = account
        self._intent = intent
        self._server = server
        self._bank = bank
        self._dice = dice
        self._told = told
        self._journal = journal
        self._lost: list[str] = []
        """Digests of payloads that got no answer at least once."""

    async def pay(self) -> None:
        """Try card after card, until one is paid or the shopper has enough."""
        for _ in range(4):
            payload = self._payload()
            if self._dice.random() < 0.2:
                await self._press_twice(payload, self._payload())
            shown = await self._confirm(payload)
            if shown is None or self._dice.random() < 0.1:
                return
            if shown.intent_status == "requires_action":
                await self._go_to_the_bank(shown.attempt)
            if shown.intent_status in WAITING and not await self._wait():
                return
            if shown.intent_status not in (*WAITING, "requires_payment_method", "requires_confirmation"):
                return
            if self._dice.random() < 0.1:
                await self._cut_and_paste(payload)

    async def _press_twice(self, one: Payload, other: Payload) -> None:
        """Two tabs, two payloads, at the same time."""
        async with asyncio.TaskGroup() as tabs:
            for payload in (one, other):
                tabs.create_task(self._asked(payload))

    async def _cut_and_paste(self, payload: Payload) -> None:
        """The same jti in other bytes: refused, where the payload was ever used."""
        if payload.facts.digest not in self._told.attempts:
            return
        facts = self._facts(payload.card, payload.facts.jti)
        got = await self._asked(Payload(card=payload.card, facts=facts))
        if isinstance(got, Shown):
            self._journal.violated(f"the jti of {payload.facts.digest} was taken in other bytes")

    async def _confirm(self, payload: Payload) -> Shown | None:
        """What became of this payload, asked until it is known; None where nothing can be."""
        for _ in range(TRIES):
            got = await self._asked(payload)
            if isinstance(got, Shown):
                return got
            if got is not None and got.code not in (*NOT_DONE, "psp_unavailable"):
                return None if got.code != "operation_in_progress" else await self._seen()
            if self._dice.random() < 0.05:
                break
            await asyncio.sleep(self._dice.uniform(0.2, 5))
        if payload.facts.digest not in self._lost:
            self._told.refused_payloads.append(payload.facts.digest)
        return None

    async def _go_to_the_bank(self, attempt: str) -> None:
        """Answer the bank, or not; come back, or not. Reloads the way back now and then."""
        does = self._dice.choices(list(AT_THE_BANK), list(AT_THE_BANK.values()))[0]
        self._journal.tell(f"{attempt}: the shopper {does}")
        if does == "never comes":
            return
        if does == "comes back first":
            await self._come_back(attempt)
        await asyncio.sleep(self._dice.uniform(0, 30))
        self._bank.answer(attempt, approved=does != "refuses")
        if does != "approves and is gone":
            await self._come_back(attempt)

    async def _come_back(self, attempt: str) -> None:
        for _ in range(self._dice.choice((1, 1, 2, 3))):
            with suppress(Lost, Refusal):
                await self._server.ask(partial(door.come_back, self._account, attempt))
            await asyncio.sleep(self._dice.uniform(0, 5))

    async def _wait(self) -> bool:
        """Look at the status until nothing is under way; whether another card can be taken then."""
        for _ in range(TRIES):
            await asyncio.sleep(self._dice.uniform(0.5, 30))
            shown = await self._seen()
            if shown and shown.intent_status not in WAITING:
                return shown.intent_status in ("requires_payment_method", "requires_confirmation")
        return False

    async def _seen(self) -> Shown | None:
        try:
            intent = await self._server.ask(partial(door.status, self._account, self._intent))
        except (Lost, Refusal):
            return None
        self._note_intent(intent.status)
        attempt = intent.latest_attempt or ""
        return Shown(attempt=attempt, attempt_status="", intent_status=intent.status, version=intent.version)

    async def _asked(self, payload: Payload) -> Shown | Refusal | None:
        try:
            shown = await self._server.ask(partial(door.confirm, self._account, self._intent, payload))
        except Refusal as why:
            self._journal.tell(f"{payload.facts.digest} refused: {why.code}")
            return why
        except Lost:
            self._lost.append(payload.facts.digest)
            return None
        self._note(payload, shown)
        return shown

    def _note(self, payload: Payload, shown: Shown) -> None:
        digest = payload.facts.digest
        self._journal.tell(f"{digest} shown: {shown.attempt} {shown.attempt_status}, {shown.intent_status}")
        known = self._told.attempts.setdefault(digest, shown.attempt)
        if known != shown.attempt:
            self._journal.violated(f"{digest} stood for {known}, and then for {shown.attempt}")
        if shown.attempt_status in FINAL:
            before = self._told.outcomes.setdefault(shown.attempt, shown.attempt_status)
            if before != shown.attempt_status and shown.attempt not in self._told.broken:
                self._journal.violated(f"{shown.attempt} was {before}, and then {shown.attempt_status}")
        self._note_intent(shown.intent_status)

    def _note_intent(self, status: str) -> None:
        self._told.shown(self._intent, status, self._journal)

    def _payload(self) -> Payload:
        calm = self._server.weather.calm
        kinds = (PAID, DECLINED, PAID if calm else AWKWARD, CHALLENGED, AFTERWARDS_TOO)
        numbers = self._dice.choices(kinds, (6, 2, 2, 2, 2))[0]
        number = self._dice.choice(numbers)
        cvc = "1234" if brand(number) == "amex" else "123"
        card = Card(number=number, exp_month=12, exp_year=2040, cvc=cvc)
        return Payload(card=card, facts=self._facts(card, self._dice.randbytes(8).hex()))

    def _facts(self, card: Card, jti: str) -> CardFacts:
        return CardFacts(
            brand=brand(card.number),
            last4=card.number[-4:],
            exp_month=card.exp_month,
            exp_year=card.exp_year,
            fingerprint="the same for all",
            jti=jti,
            digest=self._dice.randbytes(8).hex(),
        )
