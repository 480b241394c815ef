"""An attempt that never reached the PSP leaves the intent as it was: with the decline before it, or with none."""

from pathlib import Path
from typing import Any

from tests.journeys import psp
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.stage.shopper import DECLINED, VISA

TOLD = ("phase", "last_payment_error", "payment_method_details", "status")


def told(intent: dict[str, Any]) -> list[Any]:
    return [intent[name] for name in TOLD]


def test_the_decline_before_it_stays(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        assert (await house.pay(intent, DECLINED)).status_code == 402
        before = await house.read(intent)
        assert (before["phase"], before["last_payment_error"]["code"]) == ("failed", "card_declined")

        jwe = await house.seal(intent, psp.LIMITED)
        answer = await house.confirm(intent, jwe)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "psp_unavailable")
        assert told(await house.read(intent)) == told(before)
        assert (await house.confirm(intent, jwe)).status_code == 503, "a repeat says so again"

        assert (await house.pay(intent, VISA)).status_code == 200
        paid = await house.read(intent)
        assert (paid["last_payment_error"], paid["payment_method_details"]["card"]["last4"]) == (None, "4242")

    play(tmp_path, story)


def test_where_nothing_was_tried_before_nothing_is_told(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        assert (await house.pay(intent, psp.LIMITED)).status_code == 503
        seen = await house.read(intent)
        assert (seen["phase"], seen["last_payment_error"], seen["payment_method_details"]) == (
            "not_started",
            None,
            None,
        )

    play(tmp_path, story)
