"""A database that can't be read: told as what it is, and never to a shopper whose payment is under way."""

from pathlib import Path
from typing import Any

import httpx

from paydesk.events.rows import Endpoint
from paydesk.payments.rows import Attempt, Intent
from paydesk.store import Row, StorageFault
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.stage.shopper import VISA


class Broken:
    """From now on rows of one kind can't be read, after the first `spared`."""

    def __init__(self, house: Turned, kind: type[Row], spared: int = 0) -> None:
        self._house = house
        self._kind = kind
        self._get: Any = house.house.reader.get
        self._spared = spared
        house.house.reader.get = self.get  # type: ignore[method-assign]

    async def get(self, kind: type[Row], *key: str) -> Row | None:
        if kind is self._kind:
            self._spared -= 1
            if self._spared < 0:
                raise StorageFault("disk I/O error")
        return await self._get(kind, *key)

    def mend(self, logged: bytes) -> None:
        self._house.house.reader.get = self._get  # type: ignore[method-assign]
        assert logged in self._house.log.getvalue()
        self._house.log.seek(0)
        self._house.log.truncate()


def unavailable(answer: httpx.Response) -> bool:
    code = answer.json()["error"]["code"]
    return (answer.status_code, code, answer.headers["retry-after"]) == (503, "storage_unavailable", "1")


def test_a_read_that_the_disk_refuses_says_so(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        broken = Broken(house, Intent)
        assert unavailable(await house.send("GET", f"/v1/payment_intents/{intent['id']}"))
        broken.mend(b"storage_unreadable")
        assert (await house.read(intent))["id"] == intent["id"]

    play(tmp_path, story)


def test_after_an_attempt_was_recorded_its_shopper_is_told_that_it_is_processing(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        jwe = await house.seal(intent, VISA)
        broken = Broken(house, Intent, spared=1)  # The look at the intent before anything is done.
        answer = await house.confirm(intent, jwe)
        broken.mend(b"outcome_unreadable")
        assert (answer.status_code, answer.json()["status"]) == (202, "processing")
        assert (await house.confirm(intent, jwe)).json()["status"] == "succeeded"
        assert house.captured() == [4200]

    play(tmp_path, story)


def test_where_the_attempt_itself_cannot_be_read_nobody_is_told_to_try_again(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        jwe = await house.seal(intent, VISA)
        assert (await house.confirm(intent, jwe)).status_code == 200
        broken = Broken(house, Attempt)
        assert (await house.confirm(intent, jwe)).status_code == 202
        broken.mend(b"outcome_unreadable")

    play(tmp_path, story)


def test_an_endpoint_that_was_made_is_answered_with_its_secret_all_the_same(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        broken = Broken(house, Endpoint)
        answer = await house.send("POST", "/v1/webhook_endpoints", json={"url": "https://shop.example/hooks"})
        assert answer.status_code == 200
        assert answer.json()["secret"].startswith("whsec_")
        broken.mend(b"")

    play(tmp_path, story)
