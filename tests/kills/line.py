"""One client's line to Paydesk, as a merchant's server and as a shopper's browser: asks until it is answered."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from msgspec import Struct

from paydesk_client import PaydeskAuth
from tests.kills.promises import Asked, Promise

SECONDS = 600.0  # For one answer. An outcome may stay unknown for minutes, where look-ups go wrong, too.
AGAIN_SECONDS = 0.1
SOON_SECONDS = 0.1
PASSING = ("storage_unavailable", "overloaded", "psp_unavailable")
"""What a 503 may say; each promises that no PSP acted."""
Wanted = Callable[[dict[str, Any]], bool]


class Shop(Struct, frozen=True, kw_only=True):
    """Whose client it is."""

    paydesk: str
    psp: str
    origin: str
    key_id: str
    secret: str


class GivenUp(Exception):
    """Something was answered that should not be, or nothing for too long."""


class Line:
    """Threads may share it. After `over` nothing is waited for any more."""

    def __init__(self, shop: Shop) -> None:
        self.counts: Counter[str] = Counter()
        self.over = threading.Event()
        auth = PaydeskAuth(shop.key_id, shop.secret)
        self._merchant = httpx.Client(base_url=shop.paydesk, auth=auth, timeout=30, trust_env=False)
        self._browser = httpx.Client(base_url=shop.paydesk, timeout=30, trust_env=False)
        self.psp = httpx.Client(base_url=shop.psp, timeout=30, trust_env=False)
        """Where banks are told what to do."""

    def close(self) -> None:
        self._merchant.close()
        self._browser.close()
        self.psp.close()

    def ask(self, asked: Asked) -> httpx.Response | None:
        """As the merchant's server; each time with a nonce of its own."""
        headers = {"idempotency-key": asked.key, "content-type": "application/json"}
        return self.send(lambda: self._merchant.post(asked.path, content=asked.body, headers=headers))

    def read(self, path: str, wanted: Wanted = bool) -> Any:
        """As the merchant's server, until it is as wanted."""
        return self._until(lambda: self._merchant.get(path), wanted)

    def see(self, path: str, promise: Promise, wanted: Wanted = bool) -> Any:
        """As the shopper's browser."""
        return self._until(lambda: self._browser.get(path, headers=_bearer(promise)), wanted)

    def confirm(self, promise: Promise, sealed: str) -> httpx.Response | None:
        url = f"/checkout/{promise.intent['id']}/confirm"
        return self.send(lambda: self._browser.post(url, json={"card": sealed}, headers=_bearer(promise)))

    def send(self, request: Callable[[], httpx.Response]) -> httpx.Response | None:
        """The answer; None where none came, which says nothing about what was done."""
        try:
            return request()
        except httpx.TransportError:
            self.counts["no answer"] += 1
            time.sleep(AGAIN_SECONDS)
            return None

    def takes(self, answer: httpx.Response, *statuses: int) -> bool:
        """Whether it is one of these; a 503 that promises to have done nothing is asked again."""
        if answer.status_code in statuses:
            return True
        if answer.status_code == 503 and code(answer) in PASSING:
            time.sleep(AGAIN_SECONDS)
            return False
        raise unexpected(answer)

    def tries(self) -> Iterator[None]:
        """Again and again; GivenUp when it is enough."""
        until = time.monotonic() + SECONDS
        while not self.over.is_set() and time.monotonic() < until:
            yield
        raise GivenUp(f"nothing came of it for {SECONDS} s")

    def _until(self, request: Callable[[], httpx.Response], wanted: Wanted) -> Any:
        for _ in self.tries():
            answer = self.send(request)
            if not answer or not self.takes(answer, 200):
                continue
            if wanted(seen := answer.json()):
                return seen
            time.sleep(SOON_SECONDS)
        return None


def code(answer: httpx.Response) -> str:
    return answer.json().get("error", {}).get("code", "")


def unexpected(answer: httpx.Response) -> GivenUp:
    request = answer.request
    return GivenUp(f"{request.method} {request.url.path}: {answer.status_code} {answer.text}")


def _bearer(promise: Promise) -> dict[str, Any]:
    return {"authorization": f"Bearer {promise.intent['client_secret']}"}
