"""A charge pays one attempt: a PSP that names the same charge for two of them is not believed."""

from pathlib import Path

from paydesk.ledger.rows import LedgerTransaction
from paydesk.psp.base import Captured, CardDetails, Promises, Question, Verdict
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.stage.shopper import VISA


class OneCharge:
    """A PSP that answers every question with the same charge."""

    promises = Promises(
        idempotency_window_seconds=3600, replays_errors=True, max_in_flight_seconds=30, look_up_reads_own_writes=True
    )

    async def authorise(self, question: Question, card: CardDetails) -> Verdict:
        return await self.look_up(question)

    async def look_up(self, question: Question) -> Verdict:
        return Captured(psp_reference="ch_same", amount_minor=question.amount_minor, currency=question.currency)


def test_the_charge_of_another_attempt_pays_nothing_and_is_said_loudly(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        house.house.psps["sandbox"] = OneCharge()
        paid, other = await house.open("paid"), await house.open("other")
        assert (await house.pay(paid, VISA)).status_code == 200

        answer = await house.pay(other, VISA)
        assert (answer.status_code, answer.json()["outcome"]) == (202, "unknown")
        seen = await house.read(other)
        assert (seen["status"], seen["amount_received"]) == ("processing", 0)
        assert b"charge_of_another_attempt" in house.log.getvalue()
        house.log.seek(0)
        house.log.truncate()
        assert (await house.read(paid))["amount_received"] == 4200
        key = (house.facts["account_id"], "sandbox", "ch_same", "capture")
        posted = await house.house.reader.get(LedgerTransaction, *key)
        assert posted
        assert posted.subject == paid["id"]

    play(tmp_path, story)
