"""Limits of one process: too much at once is refused before any effect, and says when to come back."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from paydesk_client import PaydeskAuth
from tests.journeys.psp import LATE
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.stage.shopper import VISA


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert int(answer.headers["retry-after"]) >= 1
    return answer.json()


def test_requests_per_key(tmp_path: Path) -> None:
    """Two a second and four at once; what was refused burnt no nonce."""

    async def story(house: Turned) -> None:
        answers = [await house.send("GET", "/v1/ping") for _ in range(4)]
        assert {answer.status_code for answer in answers} == {200}
        auth = PaydeskAuth(
            house.facts["key_id"],
            house.facts["secret"],
            clock=lambda: house.world.now_ms() / 1000,
            nonce=lambda: "not-burnt-by-429",
        )
        async with house.http(auth=auth) as client:
            whole = refused(await client.get("/v1/ping"), 429, "rate_limited")
            assert whole["error"]["type"] == "rate_limit_error"
            await asyncio.sleep(1)
            assert (await client.get("/v1/ping")).status_code == 200
            assert (await client.get("/v1/ping")).status_code == 401
        await asyncio.sleep(60)
        answers = [await house.send("GET", "/v1/ping") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]

    play(tmp_path, story, rate_limits=True, requests_per_second_per_key=2)


def test_a_stranger_uses_up_nobodys_limit_but_an_addresss(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        async with house.http(auth=PaydeskAuth(house.facts["key_id"], "sk_test_guessed")) as stranger:
            for _ in range(8):
                assert (await stranger.get("/v1/ping")).status_code == 401
        assert (await house.send("GET", "/v1/ping")).status_code == 200
        answers = [await house.send("GET", "/livez") for _ in range(12)]
        refused(answers[-1], 429, "rate_limited")

    play(tmp_path, story, rate_limits=True, requests_per_second_per_key=2, requests_per_second_per_address=10)


def test_questions_to_psps_at_once(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        first, second = await house.open("order-1"), await house.open("order-2")
        paying = asyncio.create_task(house.pay(first, LATE))
        await asyncio.sleep(1)
        refused(await house.pay(second, VISA), 503, "overloaded")
        assert (await house.read(second))["version"] == 1
        assert (await paying).status_code == 200
        assert (await house.pay(second, VISA)).status_code == 200
        assert house.captured() == [4200, 4200]

    play(tmp_path, story, asking_max=1)


def test_streams_and_held_requests_at_once(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        streaming = [asyncio.create_task(house.stream(intent, seconds)) for seconds in (20, 40)]
        await asyncio.sleep(1)
        held = f"/v1/payment_intents/{intent['id']}/status?wait=5"
        refused(await house.send("GET", held), 503, "overloaded")
        assert (await house.send("GET", held.partition("?")[0])).status_code == 200  # What is not held is answered.
        await asyncio.sleep(20)
        assert (await house.send("GET", held)).status_code == 200
        await asyncio.wait(streaming)
        assert house.house.held == 0
        assert house.house.published.watching == 0

    play(tmp_path, story, streams_max=2)


def test_a_stream_says_that_it_is_still_there_every_fifteen_seconds(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        (began, first), *comments = await house.stream(intent, 50)
        assert (round(began), first[:6]) == (0, b"id: 1\n")
        assert [(round(at), text) for at, text in comments] == [
            (15, b": still here\n\n"),
            (30, b": still here\n\n"),
            (45, b": still here\n\n"),
        ]

    play(tmp_path, story)
