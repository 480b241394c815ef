"""A shopper: sends the same payload until it is answered, takes another card, presses twice, loses patience."""

import asyncio
from functools import partial

from paydesk.errors import Refusal
from paydesk.vault.cards import Card, CardFacts, brand
from paydesk_sandbox.psp.cards import KNOWN, OWN
from paydesk_simulator import door
from paydesk_simulator.dice import Random
from paydesk_simulator.door import Payload, Shown
from paydesk_simulator.facts import Told
from paydesk_simulator.journal import Journal
from paydesk_simulator.merchant import NOT_DONE
from paydesk_simulator.process import Lost, Server

TRIES = 30
PAID = [card.number for card in KNOWN if card.decline_code is None]
DECLINED = [card.number for card in KNOWN if card.decline_code is not None]
AWKWARD = [card.number for card in OWN]
FINAL = ("captured", "declined", "not_sent")


class Shopper:
    """Pays one intent, or tries to."""

    def __init__(
        self, account: str, intent: str, *, server: Server, dice: Random, told: Told, journal: Journal
    ) -> None:
        self._account = account
        self._intent = intent
        self._server = server
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
            if shown is None or shown.intent_status == "succeeded" or self._dice.random() < 0.1:
                return
            if shown.intent_status == "processing" and not await self._wait():
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
            if got is not None and got.code not in NOT_DONE:
                return None if got.code != "operation_in_progress" else await self._seen()
            if self._dice.random() < 0.05:
                break
            await asyncio.sleep(self._dice.uniform(0.2, 5))
        if payload.facts.digest not in self._lost:
            self._told.refused_payloads.append(payload.facts.digest)
        return None

    async def _wait(self) -> bool:
        """Look at the status until it is no longer processing; False where the shopper has enough."""
        for _ in range(TRIES):
            await asyncio.sleep(self._dice.uniform(0.5, 30))
            shown = await self._seen()
            if shown and shown.intent_status != "processing":
                return shown.intent_status != "succeeded"
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
            if before != shown.attempt_status:
                self._journal.violated(f"{shown.attempt} was {before}, and then {shown.attempt_status}")
        self._note_intent(shown.intent_status)

    def _note_intent(self, status: str) -> None:
        if status == "succeeded":
            self._told.paid[self._intent] = None
        elif self._intent in self._told.paid:
            self._journal.violated(f"{self._intent} was succeeded, and then {status}")

    def _payload(self) -> Payload:
        calm = self._server.weather.calm
        numbers = self._dice.choices((PAID, DECLINED, PAID if calm else AWKWARD), (6, 2, 2))[0]
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
