"""The banks' doings: shoppers answer there, cardholders dispute, refunds come back, holds end early."""

import asyncio
from typing import Literal

from paydesk.payments.rows import Attempt
from paydesk.store import account_of
from paydesk_sandbox.psp.disputes import CloseOrder, DisputeOrder
from paydesk_sandbox.psp.rules import Psp
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.dice import Random
from paydesk_simulator.facts import Database
from paydesk_simulator.journal import Journal
from paydesk_simulator.weather import Weather

PAUSE_SECONDS = 5.0
DECIDED: tuple[Literal["won", "lost"], ...] = ("won", "lost")


class Bank:
    """Whoever has a say in a charge beside its merchant and its shopper."""

    def __init__(
        self, psp: Psp, *, loop: VirtualLoop, dice: Random, weather: Weather, journal: Journal, database: Database
    ) -> None:
        self._psp = psp
        self._loop = loop
        self._dice = dice
        self._weather = weather
        self._journal = journal
        self._database = database

    def answer(self, attempt_id: str, *, approved: bool) -> None:
        """The shopper's answer on the bank's page, where there is one."""
        attempt = self._database.find(Attempt, account_of(attempt_id), attempt_id)
        if attempt and attempt.challenge_url:
            challenge = attempt.challenge_url.rpartition("/")[2]
            self._psp.answer_challenge(challenge, approved=approved, now_ms=self._loop.now_ms())

    async def run(self) -> None:
        """Have a say now and then, for as long as things go wrong."""
        while True:
            await asyncio.sleep(self._dice.expovariate(1 / PAUSE_SECONDS))
            if not self._weather.calm:
                self._have_a_say()

    def _have_a_say(self) -> None:
        now_ms, books = self._loop.now_ms(), self._psp.books
        charges = [entry.charge for entry in books.charges.all.values()]
        captured = [charge for charge in charges if charge.status == "captured"]
        held = [charge for charge in charges if charge.status == "authorised"]
        given = [entry.refund.id for entry in books.refunds.all.values() if entry.refund.status != "failed"]
        disputed = [entry.dispute.id for entry in books.disputes.all.values() if entry.dispute.status not in DECIDED]
        if captured and self._weather.strikes("bank disputes"):
            charge = self._dice.choice(captured)
            amount = self._dice.choice((None, charge.amount_captured // 2 or None))
            self._psp.dispute(charge.id, DisputeOrder(amount=amount), now_ms)
        if disputed and self._weather.strikes("bank decides"):
            order = CloseOrder(status=self._dice.choice(DECIDED))
            self._psp.close_dispute(self._dice.choice(disputed), order, now_ms)
        if given and self._weather.strikes("bank returns refund"):
            self._psp.fail_refund(self._dice.choice(given), now_ms)
        if held and self._weather.strikes("bank ends hold"):
            self._psp.expire(self._dice.choice(held).id, now_ms)
