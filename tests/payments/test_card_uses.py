"""A card payload that was used, sent again: a repeat where it was used, nothing anywhere else, and always the truth."""

from pathlib import Path

import httpx
import pytest

from paydesk.errors import Refusal
from paydesk.payments.confirm import Confirm, used_key
from paydesk.payments.rows import CardUse, Intent
from paydesk.store import Stamp, Work
from paydesk.store.work import WorkingSet
from paydesk.vault.cards import CardFacts
from paydesk_sandbox.psp.faults import Fault
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.stage.shopper import DECLINED, VISA

ACCOUNT = "acct_b6jxhdg7"
INCORRECT_CVC = "4000000000000127"


def error_code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_payload_that_paid_one_intent_is_refused_at_another(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        paid, other = await house.open("paid"), await house.open("other")
        jwe = await house.seal(paid, VISA)
        assert (await house.confirm(paid, jwe)).status_code == 200
        assert (await house.confirm(paid, jwe)).status_code == 200, "there it is a repeat"
        assert error_code(await house.confirm(other, jwe)) == (400, "card_payload_invalid")

    play(tmp_path, story)


def test_the_decision_refuses_it_too() -> None:
    """Two confirms at once: neither has seen the other's use when it looks."""
    rows = WorkingSet()
    facts = CardFacts(
        brand="visa", last4="4242", exp_month=12, exp_year=2030, fingerprint="f", jti="j" * 16, digest="d" * 64
    )
    intent = Intent(
        account=ACCOUNT,
        id="pi_other",
        amount_minor=1,
        currency="usd",
        capture_method="automatic",
        status="requires_payment_method",
        livemode=0,
        created_ms=1,
    )
    account, mark = used_key(ACCOUNT, facts.digest)
    use = CardUse(account=account, mark=mark, intent="pi_paid", attempt="at_1", expires_ms=2)
    rows.learn([], [intent, use])
    command = Confirm(account=ACCOUNT, intent="pi_other", card=facts, psp="sandbox", psp_url="", attempts_max=10)
    with pytest.raises(Refusal) as refused:
        command.decide(Work(rows, Stamp(now_ms=1, random62=1, process="here")))
    assert refused.value.code == "card_payload_invalid"


def test_a_repeat_of_a_declined_payload_after_a_newer_decline_does_not_read_as_paid(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        jwe = await house.seal(intent, DECLINED)
        assert error_code(await house.confirm(intent, jwe)) == (402, "card_declined")
        assert error_code(await house.pay(intent, INCORRECT_CVC)) == (402, "incorrect_cvc")
        answer = await house.confirm(intent, jwe)
        assert error_code(answer) == (402, "incorrect_cvc"), "the intent as it is now"
        assert answer.json()["payment_intent"]["status"] == "requires_payment_method"

        assert (await house.pay(intent, VISA)).status_code == 200
        answer = await house.confirm(intent, jwe)
        assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")

    play(tmp_path, story)


def test_a_repeat_of_a_declined_payload_while_another_card_is_asked_is_202(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        jwe = await house.seal(intent, DECLINED)
        assert error_code(await house.confirm(intent, jwe)) == (402, "card_declined")
        house.world.psp.order(Fault(fault="garbage", on="any", times=7))
        assert (await house.pay(intent, VISA)).status_code == 202
        answer = await house.confirm(intent, jwe)
        assert (answer.status_code, answer.json()["status"]) == (202, "processing")

    play(tmp_path, story)
