"""What errors say to people: headers by their usual names, how far a clock is off, a page to a browser."""

import asyncio
from pathlib import Path

import pytest

from paydesk_client import PaydeskAuth
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned


def test_a_header_that_stands_twice_has_its_usual_name(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        bearer = f"Bearer {intent['client_secret']}"
        async with house.http() as client:
            for name, path in (
                ("Authorization", f"/checkout/{intent['id']}/session"),
                ("Last-Event-ID", f"/v1/payment_intents/{intent['id']}/stream"),
                ("If-None-Match", f"/v1/payment_intents/{intent['id']}/status"),
            ):
                headers = [("Authorization", bearer), (name, "1"), *([(name, "1")] if name != "Authorization" else [])]
                error = (await client.get(path, headers=headers)).json()["error"]
                assert (error["code"], error["param"]) == ("duplicate_header", name)
                assert error["message"] == f"{name} may stand once."

    play(tmp_path, story)


def test_a_last_event_id_that_is_none_is_named(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        headers = {"Authorization": f"Bearer {intent['client_secret']}", "Last-Event-ID": "last"}
        async with house.http(headers=headers) as client:
            error = (await client.get(f"/v1/payment_intents/{intent['id']}/stream")).json()["error"]
        assert (error["code"], error["param"]) == ("parameter_invalid", "Last-Event-ID")
        assert error["message"].startswith("Last-Event-ID must be a whole number from 0 to")

    play(tmp_path, story)


@pytest.mark.parametrize(("off_seconds", "shown"), [(-3600, "-3600 s"), (0, "+0 s"), (90, "+90 s")])
def test_a_wrong_signature_shows_how_far_the_clock_is_off(tmp_path: Path, off_seconds: int, shown: str) -> None:
    async def story(house: Turned) -> None:
        await asyncio.sleep(1)
        now_s = int(house.world.wall_ms() / 1000)
        auth = PaydeskAuth(house.facts["key_id"], "sk_test_another", clock=lambda: now_s + off_seconds)
        async with house.http(auth=auth) as client:
            error = (await client.get("/v1/ping")).json()["error"]
        assert error["code"] == "invalid_signature"
        assert error["explain"]["clock_offset"] == f"{shown} from the server's clock"
        assert error["explain"]["server_time"].startswith("2027-01-15T")

    play(tmp_path, story)


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="utf-8"', ';\tCharset="UTF-8"'])
def test_the_charset_may_stand_in_quotes(tmp_path: Path, charset: str) -> None:
    async def story(house: Turned) -> None:
        headers = {"Idempotency-Key": "order-1", "Content-Type": f"application/json{charset}"}
        body = b'{"amount":5,"currency":"usd"}'
        assert (await house.send("POST", "/v1/payment_intents", content=body, headers=headers)).status_code == 200

    play(tmp_path, story)


NOBODYS = ("pi_none", "pi_" + "0" * 34, "x")
HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("asked", "language", "says"),
    [
        ({}, "en", "There is no such payment"),
        ({"Accept-Language": "de-AT,de;q=0.9"}, "de", "Diese Zahlung gibt es nicht"),
    ],
)
def test_a_browser_gets_a_page_where_there_is_no_payment(
    tmp_path: Path, asked: dict[str, str], language: str, says: str
) -> None:
    async def story(house: Turned) -> None:
        async with house.http(headers={"Accept": HTML} | asked) as client:
            for intent in NOBODYS:
                answer = await client.get(f"/checkout/{intent}")
                assert answer.status_code == 404
                assert answer.headers["content-type"] == "text/html; charset=utf-8"
                assert answer.headers["content-security-policy"].startswith("default-src 'none'")
                assert answer.headers["cache-control"] == "no-store"
                assert f'<html lang="{language}">' in answer.text
                assert says in answer.text

    play(tmp_path, story)


def test_a_program_gets_the_error(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        for headers in ({}, {"Accept": "application/json"}, {"Accept": "*/*"}):
            async with house.http(headers=headers) as client:
                answer = await client.get("/checkout/pi_none")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")

    play(tmp_path, story)
