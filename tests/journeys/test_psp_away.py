"""A PSP that was never reached, or says that it took nothing: 503, nothing charged, the intent payable as before."""

import httpx

from tests.journeys import psp
from tests.journeys.cast import Cast, refused
from tests.stage.stage import Merchant, Stage


def away(answer: httpx.Response) -> None:
    whole = refused(answer, 503, "psp_unavailable")
    assert whole["error"]["type"] == "api_error"
    assert int(answer.headers["retry-after"]) > 0
    assert whole["payment_intent"]["status"] == "requires_payment_method"
    assert "outcome" not in whole["payment_intent"]


def pays(stage: Stage, merchant: Merchant, intent_id: str) -> None:
    intent = merchant.client.payment_intents.retrieve(intent_id)
    assert merchant.shopper(intent).pay().json()["status"] == "succeeded"
    assert psp.captured(stage, merchant, intent_id) == [(4200, "usd")]


def test_a_psp_that_refuses_connections(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant(receiver=True)
    intent = tea.open()
    shopper = tea.shopper(intent)
    jwe = shopper.seal()
    psp.order(stage, "refuse", for_ms=1500)
    away(shopper.confirm(jwe))
    away(shopper.confirm(jwe))  # The same payload is a repeat, not another try.
    before = tea.client.payment_intents.retrieve(intent["id"])
    assert (before["status"], before["phase"], before["last_payment_error"]) == (
        "requires_payment_method",
        "not_started",
        None,
    )
    listening_again(stage)
    pays(stage, tea, intent["id"])
    tea.receiver.wait_for("payment_intent.succeeded", intent["id"])
    assert tea.receiver.of(intent["id"]) == ["payment_intent.created", "payment_intent.succeeded"]


def listening_again(stage: Stage) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as patient:
        assert patient.get(f"{stage.psp}/livez").status_code == 200


def test_a_psp_that_limits_requests_took_nothing(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = tea.open()
    away(tea.shopper(intent).pay(psp.LIMITED))
    pays(stage, tea, intent["id"])


def test_attempts_that_never_reached_the_psp_do_not_count(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = tea.open()
    shopper = tea.shopper(intent)
    for _ in range(12):
        away(shopper.pay(psp.LIMITED))
    pays(stage, tea, intent["id"])


def test_a_merchant_whose_psp_is_nowhere(cast: Cast) -> None:
    """Another merchant's PSP works, and is not asked instead."""
    lost = cast.merchant("Lost", psp_url="http://127.0.0.1:1")
    shopper = lost.shopper(lost.open())
    away(shopper.pay())
    away(shopper.pay())
