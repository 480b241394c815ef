"""A shopper whose bank wants to hear from them (3-D Secure), on a turned clock: there, and back again."""

from typing import Any

import httpx

from tests.journeys.turned import Turned

APPROVES = "4000000000003220"
DISAPPOINTS = "4000008400001629"


class Challenged:
    """An intent in `requires_action`, and the shopper's browser."""

    def __init__(self, house: Turned, intent: dict[str, Any], told: dict[str, Any]) -> None:
        self.house = house
        self.intent = intent
        self.url = told["next_action"]["url"]
        self.path = "/" + self.url.split("/", 3)[3]

    async def page(self, **headers: str) -> httpx.Response:
        async with self.house.http() as browser:
            return await browser.get(self.path, headers=headers)

    def answer(self, *, approved: bool) -> None:
        """At the bank, where nothing happens any more once the time is over."""
        psp = self.house.world.psp
        [challenge] = [name for name, entry in psp.books.challenges.items() if entry.charge.reference == self.attempt]
        psp.answer_challenge(challenge, approved=approved, now_ms=self.house.world.now_ms())

    async def back(self, method: str = "GET", **more: Any) -> httpx.Response:
        async with self.house.http() as browser:
            return await browser.request(method, f"{self.path}/done", **more)

    async def read(self) -> dict[str, Any]:
        return await self.house.read(self.intent)

    @property
    def attempt(self) -> str:
        return self.path.rpartition("/")[2].partition(".")[0]


async def challenged(house: Turned, number: str = APPROVES, **fields: Any) -> Challenged:
    """Somebody pressed Pay, and the bank asks."""
    intent = await house.open(**fields)
    answer = await house.pay(intent, number)
    assert (answer.status_code, answer.json()["status"]) == (200, "requires_action"), answer.text
    return Challenged(house, intent, answer.json())
