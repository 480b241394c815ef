"""A PSP's notices to a turned house: by hand, built and signed when a test says so, or as the PSP itself tells them."""

import asyncio
import contextlib
import hmac
import json
from typing import Any

import httpx

from paydesk.payments.rows import Attempt, Notice
from paydesk_sandbox.psp import notices as sandbox
from tests.journeys.turned import Turned

HOUR_S = 3_600.0


def body_of(notice_id: str, about: str, thing: dict[str, Any]) -> bytes:
    """The notice's body. Its object may claim whatever it likes: only what it names counts."""
    return json.dumps({"id": notice_id, "type": f"{about}.updated", "created_ms": 1, "object": thing}).encode()


def signed(body: bytes, secret: str, at_ms: int) -> dict[str, str]:
    seconds = str(at_ms // 1000)
    mac = hmac.digest(secret.encode(), f"{seconds}.".encode() + body, "sha256").hex()
    return {"psp-signature": f"t={seconds},v1={mac}", "content-type": "application/json"}


async def tell(house: Turned, notice_id: str, about: str, thing: dict[str, Any]) -> httpx.Response:
    """Send a notice that holds."""
    body = body_of(notice_id, about, thing)
    return await post(house, body, signed(body, house.facts["notice_secret"], house.world.wall_ms()))


async def post(house: Turned, body: bytes, headers: dict[str, str], path: str = "") -> httpx.Response:
    async with house.http() as client:
        return await client.post(path or path_of(house), content=body, headers=headers)


def path_of(house: Turned) -> str:
    return httpx.URL(house.facts["notice_url"]).path


def switch_on(house: Turned) -> None:
    """From now on the PSP tells this house's merchant of every change, each notice at its time, faults included."""
    merchant = house.world.psp.merchant_of("Bearer psp-key-of-tea")
    assert merchant
    endpoint = sandbox.NoticeEndpoint(url=house.facts["notice_url"], secret=house.facts["notice_secret"])
    house.world.psp.notices.send_to(merchant, endpoint)
    house.world.spawn(_keep_telling(house), "the PSP's notices")


async def _keep_telling(house: Turned) -> None:
    world = house.world
    while True:
        world.acted.clear()
        world.psp.due(world.now_ms())
        for told in world.psp.notices.take(world.now_ms()):
            world.spawn(_send(house, told), "a notice")
        next_ms = world.psp.next_ms
        wait_s = HOUR_S if next_ms is None else min(max(next_ms - world.now_ms(), 1) / 1000, HOUR_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await world.acted.wait()


async def _send(house: Turned, told: sandbox.Notice) -> None:
    world = house.world
    await asyncio.sleep(max(told.not_before_ms - world.now_ms(), 0) / 1000)
    answer = await post(house, told.body, dict(told.headers), httpx.URL(told.url).path)
    world.psp.notices.heard(told, answer.status_code == 200, world.now_ms())
    world.acted.set()


async def notice(house: Turned, notice_id: str) -> Notice:
    """What is stored of it."""
    found = await house.house.reader.get(Notice, house.facts["account_id"], "sandbox", notice_id)
    assert found, f"no notice {notice_id}"
    return found


def charge_of(house: Turned, attempt: str | None) -> dict[str, Any]:
    """The PSP's charge for this attempt, as far as a notice names it."""
    found = [entry.charge for entry in house.world.psp.books.entries.values() if entry.charge.reference == attempt]
    assert found, f"the PSP has no charge of {attempt}"
    return {"id": found[0].id, "reference": found[0].reference, "object": "charge"}


async def attempts(house: Turned, intent: dict[str, Any]) -> list[Attempt]:
    """Every attempt of an intent, oldest first."""
    columns = ", ".join(f'"{name}"' for name in Attempt.__struct_fields__)
    statement = f'SELECT {columns} FROM "attempts" WHERE "intent" = ? ORDER BY "id"'
    return await house.house.reader.query(Attempt, statement, (intent["id"],))
