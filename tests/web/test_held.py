"""Requests that are held open: a place for each, few for one intent, and none for a caller who has left."""

import asyncio
from pathlib import Path
from typing import Any

from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.web.at_the_door import Asking


def asking(house: Turned, intent: dict[str, Any], what: str, method: str = "GET") -> Asking:
    path = f"/v1/payment_intents/{intent['id']}/{what}"
    return Asking(house.house, path, method=method, authorization=f"Bearer {intent['client_secret']}")


def test_a_held_status_gives_its_place_back_when_its_caller_leaves(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        held = asking(house, await house.open(), "status?wait=60")
        await asyncio.sleep(1)
        assert house.house.held == 1
        held.leave()
        await held.answer()
        assert house.house.held == 0

    play(tmp_path, story)


def test_one_intent_has_a_few_places_and_others_have_theirs(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent, other = await house.open("one"), await house.open("other")
        held = [asking(house, intent, "status?wait=60") for _ in range(4)]
        held += [asking(house, intent, "stream") for _ in range(4)]
        await asyncio.sleep(1)
        assert house.house.held == 8
        for what in ("status?wait=60", "stream"):
            refused = asking(house, intent, what)
            await refused.answer()
            assert refused.status == 503
            assert b"overloaded" in refused.body
        held.append(asking(house, other, "status?wait=60"))
        held.pop(0).leave()
        await asyncio.sleep(1)
        assert house.house.held == 8
        held.append(asking(house, intent, "status?wait=60"))
        await asyncio.sleep(1)
        assert house.house.held == 9
        for one in held:
            one.leave()
            await one.answer()
        assert house.house.held == 0
        assert house.house.held_by == {}

    play(tmp_path, story)


def test_the_head_of_a_stream_is_its_headers_alone(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        head = asking(house, await house.open(), "stream", "HEAD")
        await head.answer()
        assert (head.status, head.headers[b"content-type"], head.body) == (200, b"text/event-stream", b"")
        assert house.house.held == 0

    play(tmp_path, story)


def test_what_was_not_modified_has_no_length(tmp_path: Path) -> None:
    """RFC 9110, section 15.4.5: a length there would be that of the whole answer, and clients may believe it."""

    async def story(house: Turned) -> None:
        intent = await house.open()
        path = f"/v1/payment_intents/{intent['id']}/status"
        secret = f"Bearer {intent['client_secret']}"
        asked = Asking(house.house, path, authorization=secret, if_none_match=f'"{intent["version"]}"')
        await asked.answer()
        assert (asked.status, asked.body) == (304, b"")
        assert b"content-length" not in asked.headers

    play(tmp_path, story)
