"""One merchant's view of a running PSP."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.sandbox.asking import PAYS, charge_body
from tests.sandbox.processes import Running


class Merchant:
    """With a key that is its name, and a reference that is too."""

    def __init__(self, psp: Running, name: str) -> None:
        self.psp = psp
        self.name = name
        self.http = httpx.Client(base_url=psp.url, timeout=20)

    def charge(self, key: str = "key-1", number: str = PAYS, **fields: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.name}", "Idempotency-Key": key}
        body = charge_body(number, reference=f"at_{self.name}", **fields)
        return self.http.post("/v1/charges", content=body, headers=headers)

    def change(self, charge: dict[str, Any], verb: str, key: str, body: object = None) -> httpx.Response:
        """A capture, a release, a refund."""
        headers = {"Authorization": f"Bearer {self.name}", "Idempotency-Key": key}
        return self.http.post(f"/v1/charges/{charge['id']}/{verb}", json=body or {}, headers=headers)

    def look_up(self, path: str) -> Any:
        return self.http.get(f"/v1/{path}", headers={"Authorization": f"Bearer {self.name}"}).json()

    def order(self, **fault: Any) -> None:
        self.http.post("/faults", json=fault).raise_for_status()

    def books(self) -> list[dict[str, Any]]:
        """This merchant's charges, as the books show them."""
        return self.all_books()["charges"]

    def all_books(self) -> dict[str, Any]:
        return self.http.get("/books", params={"reference": f"at_{self.name}"}).json()

    def hits(self, kind: str) -> int:
        return self.http.get("/faults").json()["hits"].get(kind, 0)

    @contextmanager
    def bare_charge(self, number: str = PAYS) -> Iterator[socket.socket]:
        """The same charge, written on a bare socket."""
        body = charge_body(number, reference=f"at_{self.name}")
        head = (
            f"POST /v1/charges HTTP/1.1\r\nHost: psp\r\nAuthorization: Bearer {self.name}\r\nIdempotency-Key: key-1\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.psp.port), timeout=20) as wire:
            wire.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            yield wire
