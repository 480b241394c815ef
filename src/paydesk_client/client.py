"""The two senders. What they share is data in calls.py or pure in retries.py and errors.py; here is the waiting."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from paydesk_client.auth import PaydeskAuth
from paydesk_client.calls import Call, Calls
from paydesk_client.errors import ConnectionFailed, Json, PaydeskError, read
from paydesk_client.retries import Retries


class Paydesk(Calls[Json]):
    """Calls that block until they are answered, for one key. Threads may share it; close it, or use it in a `with`.

    `base_url` is Paydesk's address without a path; `secret` may be two while it is being rolled.
    Calls raise the tree in errors.py.
    """

    def __init__(
        self,
        base_url: str,
        key_id: str,
        secret: str | Sequence[str],
        *,
        timeout_seconds: float = 30.0,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(self._send)
        self._timeout_seconds = timeout_seconds
        self._retries = retries or Retries()
        self._sleep = sleep
        self._http = httpx.Client(base_url=_origin(base_url), auth=PaydeskAuth(key_id, secret), transport=transport)

    def _send(self, call: Call) -> Json:
        repeats = 0
        while isinstance(answer := self._attempt(call), PaydeskError):
            pause_seconds = self._retries.pause_seconds(call, repeats, answer)
            if pause_seconds is None:
                raise answer
            self._sleep(pause_seconds)
            repeats += 1
        return answer

    def _attempt(self, call: Call) -> Json | PaydeskError:
        try:
            response = self._http.send(_request(self._http, call, self._timeout_seconds))
        except httpx.RequestError as why:
            return _told(call, _no_answer(why))
        return _told(call, read(response))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncPaydesk(Calls[Coroutine[Any, Any, Json]]):
    """The same calls, awaited. On another loop than asyncio's, give its `sleep`."""

    def __init__(
        self,
        base_url: str,
        key_id: str,
        secret: str | Sequence[str],
        *,
        timeout_seconds: float = 30.0,
        retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(self._send)
        self._timeout_seconds = timeout_seconds
        self._retries = retries or Retries()
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            base_url=_origin(base_url), auth=PaydeskAuth(key_id, secret), transport=transport
        )

    async def _send(self, call: Call) -> Json:
        repeats = 0
        while isinstance(answer := await self._attempt(call), PaydeskError):
            pause_seconds = self._retries.pause_seconds(call, repeats, answer)
            if pause_seconds is None:
                raise answer
            await self._sleep(pause_seconds)
            repeats += 1
        return answer

    async def _attempt(self, call: Call) -> Json | PaydeskError:
        try:
            response = await self._http.send(_request(self._http, call, self._timeout_seconds))
        except httpx.RequestError as why:
            return _told(call, _no_answer(why))
        return _told(call, read(response))

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _origin(base_url: str) -> str:
    url = httpx.URL(base_url)
    if url.scheme not in ("http", "https") or not url.host or url.path != "/" or url.query or url.fragment:
        # A proxy that takes a prefix off the path would break every signature, since the path is signed.
        raise ValueError("base_url is Paydesk's address without a path, such as https://pay.example")
    return base_url


def _request(http: httpx.Client | httpx.AsyncClient, call: Call, timeout_seconds: float) -> httpx.Request:
    headers = {"Accept": "application/json"}
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    if call.idempotency_key is not None:
        headers["Idempotency-Key"] = call.idempotency_key
    timeout = httpx.Timeout(timeout_seconds, read=timeout_seconds + call.wait_seconds)
    path = f"{call.path}?{urlencode(call.params)}" if call.params else call.path
    return http.build_request(call.method, path, content=call.body, headers=headers, timeout=timeout)


def _no_answer(why: httpx.RequestError) -> ConnectionFailed:
    failure = ConnectionFailed(f"No answer from {why.request.url.host}: {str(why) or type(why).__name__}")
    failure.__cause__ = why
    return failure


def _told(call: Call, answer: Json | PaydeskError) -> Json | PaydeskError:
    """An error also says which Idempotency-Key its call had, so that the caller can repeat it."""
    if isinstance(answer, PaydeskError):
        answer.idempotency_key = call.idempotency_key
    return answer
