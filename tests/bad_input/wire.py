"""Requests byte by byte: signed after protocol.md alone, sent on a socket, so that no client tidies anything up."""

import hashlib
import hmac
import json
import secrets
import socket
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

ANSWER_SECONDS = 30.0

Header = tuple[bytes, bytes]


class Answered(Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The error, after a look at its one shape."""
        assert self.headers["content-type"] == "application/json", self
        whole = json.loads(self.body)
        assert set(whole) <= {"error", "server_time", "payment_intent"}, whole
        error = whole["error"]
        assert set(error) >= {"type", "code", "message", "param", "doc_url", "request_id"}, error
        assert error["request_id"] == self.headers["request-id"], self
        return error

    def refused(self, status: int, code: str, param: str | None = None) -> None:
        """See that it was refused so; with `param`, that this is the field that is named."""
        assert (self.status, self.error["code"]) == (status, code), self
        if param is not None:
            assert self.error["param"] == param, self


class Signer:
    """A key and its secret, with every part of a request as bytes."""

    def __init__(self, key_id: str, secret: str) -> None:
        self.key_id = key_id
        self.secret = secret

    def headers(
        self,
        method: str,
        target: bytes,
        body: bytes = b"",
        *,
        idempotency_key: str | None = None,
        timestamp: str | None = None,
        nonce: str | None = None,
    ) -> dict[str, str]:
        """The headers of a request that is signed well."""
        stamp = at(0) if timestamp is None else timestamp
        chosen = secrets.token_urlsafe(16) if nonce is None else nonce
        path, _, query = target.partition(b"?")
        lines = [b"PD1-HMAC-SHA256", method.encode(), path, query, self.key_id.encode(), stamp.encode()]
        lines += [chosen.encode(), (idempotency_key or "").encode(), hashlib.sha256(body).hexdigest().encode()]
        signature = hmac.new(self.secret.encode(), b"\n".join(lines), hashlib.sha256).hexdigest()
        signed = {
            "Authorization": f"Bearer {self.key_id}",
            "X-Request-Timestamp": stamp,
            "X-Request-Nonce": chosen,
            "X-Signature": f"sha256={signature}",
        }
        return signed if idempotency_key is None else signed | {"Idempotency-Key": idempotency_key}


def at(seconds: int) -> str:
    """A timestamp so many seconds from now."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def head(method: str, target: bytes, headers: Sequence[Header]) -> bytes:
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return b"%s %s HTTP/1.1\r\nHost: paydesk\r\n%s\r\n" % (method.encode(), target, lines)


def whole(method: str, target: bytes, headers: dict[str, str] | Sequence[Header], body: bytes = b"") -> bytes:
    """A request, closed after its answer. A Content-Length is put in if there is a body and none was given."""
    if isinstance(headers, dict):
        headers = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    given = [*headers, (b"Connection", b"close")]
    if body and not any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in given):
        given.append((b"Content-Length", b"%d" % len(body)))
    return head(method, target, given) + body


class Wire:
    """Where a server listens."""

    def __init__(self, server: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.where = (urlsplit(server).hostname or "", urlsplit(server).port or 0)
        self.answer_seconds = answer_seconds

    def ask(self, data: bytes, *, more: bytes = b"", times: int = 0) -> Answered:
        """Send `data`, then `more` so many times for as long as it is read, and read the answer to its end."""
        with socket.create_connection(self.where, timeout=self.answer_seconds) as connection:
            try:
                connection.sendall(data)
                for _ in range(times):
                    connection.sendall(more)
            except (BrokenPipeError, ConnectionResetError):
                pass  # It has answered already, and reads no further.
            return read(connection)


def read(connection: socket.socket) -> Answered:
    """One answer; of a stream, which need not end, what stands before it."""
    with connection.makefile("rb") as stream:
        status_line = stream.readline()
        assert status_line.startswith(b"HTTP/1.1 "), f"no answer, but {status_line!r}"
        headers: dict[str, str] = {}
        while line := stream.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            assert name.lower() not in headers, f"{name} stands twice"
            headers[name.lower()] = value.strip()
        if headers.get("content-type") == "text/event-stream":
            body = b""
        else:
            body = stream.read(int(headers["content-length"])) if "content-length" in headers else stream.read()
    return Answered(status=int(status_line.split()[1]), headers=headers, body=body)
