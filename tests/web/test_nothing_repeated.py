"""What was sent is not kept or repeated where it may be a card number: in a key, in the id of a path."""

from pathlib import Path

import pytest

from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned

CARD = "4242424242424242"


def test_an_idempotency_key_is_no_place_for_a_card_number(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        for method, path, body in (
            ("POST", "/v1/payment_intents", {"amount": 5, "currency": "usd"}),
            ("POST", "/v1/webhook_endpoints", {"url": "https://shop.example"}),
        ):
            answer = await house.send(method, path, json=body, headers={"Idempotency-Key": f"order:{CARD}"})
            error = answer.json()["error"]
            assert (answer.status_code, error["code"], error["param"]) == (
                400,
                "card_number_in_text",
                "Idempotency-Key",
            )
            assert CARD not in answer.text
        for table in ("idempotency_keys", "payment_intents", "webhook_endpoints"):
            assert await house.house.reader.number(f'SELECT count(*) FROM "{table}"', ()) == 0

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/webhook_endpoints/{}"),
        ("GET", "/v1/webhook_endpoints/{}"),
        ("GET", "/v1/payment_intents/{}"),
        ("GET", "/v1/payment_intents/{}/status"),
        ("GET", "/v1/events/{}"),
        ("GET", "/v1/idempotency_keys/{}"),
    ],
)
def test_no_answer_repeats_an_id_from_its_path(tmp_path: Path, method: str, path: str) -> None:
    async def story(house: Turned) -> None:
        answer = await house.send(method, path.format(CARD))
        assert answer.status_code == 404
        assert CARD not in answer.text

    play(tmp_path, story)
