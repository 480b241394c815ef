"""Money that arrives when its payment was canceled, over real processes: a notice tells of it, and each merchant gets
what it chose.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from paydesk_client import Paydesk, PaydeskError
from tests.journeys import psp
from tests.journeys.cast import Cast, refused
from tests.stage.stage import SHOP, Merchant, Stage

LANDS_MS = 12_000  # Long after the stage's attempts end as not sent, which takes about five seconds.


def merchant(cast: Cast, stage: Stage, choice: str) -> Merchant:
    """One of whom the PSP tells everything, with a receiver of its own."""
    key = f"psp_late_{choice}_{id(cast)}"
    made = cast.operate(
        "merchants create",
        name=f"Late {choice}",
        origins=[SHOP],
        psp_url=stage.psp,
        psp_key=key,
        fee="1%",
        late_payments=choice,
    )
    endpoint = {"url": made["notice_url"], "secret": made["notice_secret"]}
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "notices"}
    assert httpx.post(f"{stage.psp}/v1/notice_endpoint", json=endpoint, headers=headers).status_code == 200
    return Merchant(stage, made, cast.receiver(made["merchant_id"]))


def canceled_and_paid(late: Merchant) -> dict[str, Any]:
    """An intent that was canceled when its only attempt had come to nothing; its late payment, as it was told."""
    intent = late.open(amount=1900)
    shopper = late.shopper(intent)
    assert shopper.pay().status_code == 202
    assert psp.settled(shopper)["status"] == "requires_payment_method"
    assert late.client.payment_intents.cancel(intent["id"])["status"] == "canceled"
    told = late.receiver.wait_for("late_payment.created").event["data"]["object"]
    assert (told["payment_intent"], told["amount"]) == (intent["id"], 1900)
    seen = late.client.payment_intents.retrieve(intent["id"])
    assert (seen["status"], seen["amount_received"]) == ("canceled", 0)
    return told


def test_each_merchant_gets_what_it_chose(cast: Cast, stage: Stage) -> None:
    merchants = {choice: merchant(cast, stage, choice) for choice in ("refund", "hold", "keep")}
    psp.order(stage, "lands_late", delay_ms=LANDS_MS, times=3)
    with ThreadPoolExecutor(3) as threads:
        told = dict(zip(merchants, threads.map(canceled_and_paid, merchants.values()), strict=True))
    assert {choice: late["status"] for choice, late in told.items()} == {
        "refund": "refunding",
        "hold": "held",
        "keep": "kept",
    }
    hold = merchants["hold"]
    assert (hold.client.late_payments.retrieve(told["hold"]["id"])["status"], hold.client.refunds.list()["data"]) == (
        "held",
        [],
    )
    decided_at_once(hold.client, told["hold"]["id"])
    for choice in ("refund", "hold"):
        gone = merchants[choice]
        (made,) = gone.client.refunds.list(payment_intent=told[choice]["payment_intent"])["data"]
        gone.receiver.wait_for("refund.updated", made["id"])
        (late,) = gone.client.late_payments.list(payment_intent=told[choice]["payment_intent"])["data"]
        assert (late["status"], late["refund"], made["late_payment"]) == ("refunded", made["id"], late["id"])
        assert gone.client.balance.retrieve()["pending"] in ([], [{"amount": 0} | _zero()])
    kept = merchants["keep"].client
    assert kept.balance.retrieve()["pending"][0]["amount"] == 1881
    assert kept.late_payments.retrieve(told["keep"]["id"])["status"] == "kept"
    with pytest.raises(PaydeskError) as no:
        kept.late_payments.refund(told["keep"]["id"])
    assert no.value.code == "invalid_state"
    refused(cast.signed(hold).get(f"/v1/late_payments/{told['keep']['id']}"), 404, "resource_missing")
    assert httpx.get(f"{stage.psp}/books").json()["refunded_twice"] == []
    for one in merchants.values():
        one.close()


def decided_at_once(client: Paydesk, late: str) -> None:
    """Six wishes to have it back are one refund."""

    def ask(number: int) -> str:
        try:
            return client.late_payments.refund(late, idempotency_key=f"back-{number}")["status"]
        except PaydeskError as why:
            return str(why.code)

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(ask, range(6)))
    assert sorted(answers) == [*["invalid_state"] * 5, "refunding"]


def _zero() -> dict[str, Any]:
    return {"amount_decimal": "0.00", "currency": "usd"}
