"""HTTP as a browser and a merchant's server speak it; what is not as expected is a sentence."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from msgspec import Struct

from paydesk.cli.demo.failed import DemoFailed
from paydesk.requests.signature import Signed, canonical, sign
from paydesk.world import World

ANSWER_SECONDS = 30.0


class Key(Struct, frozen=True, kw_only=True):
    """What a merchant's server signs with."""

    id: str
    secret: str


@asynccontextmanager
async def asking() -> AsyncGenerator[httpx.AsyncClient]:
    """A client for this machine: no proxy that the environment names is asked."""
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as http:
        try:
            yield http
        except httpx.HTTPError as why:
            raise DemoFailed(f"No answer: {type(why).__name__} {why}".rstrip()) from why


async def ask(
    http: httpx.AsyncClient, method: str, url: str, *, bearer: str = "", json: Any = None, status: int = 200
) -> Any:
    """The answer's JSON, if it has the status that was hoped for."""
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    return read(await http.request(method, url, headers=headers, json=json), status)


async def ask_signed(http: httpx.AsyncClient, world: World, key: Key, url: str) -> Any:
    """A merchant's signed GET."""
    return read(await http.get(url, headers=signed_headers(key, httpx.URL(url).path, world)), 200)


def signed_headers(key: Key, path: str, world: World) -> dict[str, str]:
    """The headers of a GET without query, signed with PD1."""
    seconds = world.now_ms() // 1000
    request = Signed(
        method="GET",
        path=path,
        query="",
        key_id=key.id,
        timestamp=f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}",
        timestamp_ms=seconds * 1000,
        nonce=world.random(16).hex(),
        idempotency_key="",
        signatures=(),
    )
    return {
        "Authorization": f"Bearer {request.key_id}",
        "X-Request-Timestamp": request.timestamp,
        "X-Request-Nonce": request.nonce,
        "X-Signature": sign(key.secret, canonical(request, b"")),
    }


def read(response: httpx.Response, status: int) -> Any:
    """The JSON of an answer, if it has this status."""
    if response.status_code != status:
        request = response.request
        raise DemoFailed(f"{request.method} {request.url} was answered {response.status_code}: {response.text[:500]}")
    return response.json()
