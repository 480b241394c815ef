"""A request as handlers see it, and the answers they give. Plain bytes over ASGI; no request object is built that
nobody reads.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from paydesk.errors import Refusal
from paydesk.web.desk import DoorDesk

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

JSON: Headers = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
JSON_TYPES = ("application/json", "application/json;charset=utf-8", 'application/json;charset="utf-8"')


class Response(Struct, frozen=True, kw_only=True):
    """A whole answer."""

    status: int = 200
    body: bytes = b""
    headers: Headers = JSON


class Streaming(Struct, frozen=True, kw_only=True):
    """An answer that is written as it comes, until the iterator ends or the caller is gone."""

    headers: Headers
    chunks: AsyncGenerator[bytes]


def as_json(value: object, status: int = 200, headers: Headers | None = None) -> Response:
    return Response(status=status, body=msgspec.json.encode(value), headers=(*JSON, *(headers or ())))


class Call:
    """One request."""

    __slots__ = ("_body", "account", "desk", "receive", "request_id", "scope")

    def __init__(self, scope: Scope, receive: Receive, desk: DoorDesk, request_id: str) -> None:
        self.scope = scope
        self.receive = receive
        self.desk = desk
        self.request_id = request_id
        self.account = ""
        """Whose request it is, once that is known; for the log."""
        self._body: bytes | None = None

    @property
    def method(self) -> str:
        return self.scope["method"]

    @property
    def raw_path(self) -> bytes:
        return self.scope["raw_path"]

    @property
    def query(self) -> bytes:
        return self.scope["query_string"]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """As sent, repeated ones too."""
        return self.scope["headers"]

    @property
    def address(self) -> str:
        """Who is calling: the socket's other end."""
        client = self.scope.get("client")
        return client[0] if client else ""

    def part(self, name: str) -> str:
        """A part of the path."""
        return self.scope["path_params"][name]

    def header(self, name: bytes) -> str | None:
        """A header that may stand once; None where it does not."""
        found = [value for key, value in self.headers if key == name]
        if len(found) > 1:
            title = usual(name)
            raise Refusal("duplicate_header", f"{title} may stand once.", param=title)
        return found[0].decode("latin-1") if found else None

    async def body(self, bytes_max: int | None = None) -> bytes:
        """All of it; bounded by `body_bytes_max` here too, whatever stands in front, or by less."""
        if self._body is None:
            says = f"The body is larger than {bytes_max // 1024} KiB." if bytes_max else ""
            self._body = await self._read(bytes_max or self.desk.config.body_bytes_max, says)
        return self._body

    def parameters(self, *known: str) -> dict[str, str]:
        """The query's parameters, each once and each known."""
        try:
            pairs = parse_qsl(self.query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(self.query))
        except ValueError:
            raise Refusal("parameter_invalid", "The query can't be read: write name=value, joined with &.") from None
        found: dict[str, str] = {}
        for name, value in pairs:
            if name not in known:
                raise Refusal("parameter_unknown", f"Unknown parameter. Known here: {', '.join(known) or 'none'}.")
            if name in found:
                raise Refusal("parameter_invalid", f"{name} may stand once.", param=name)
            found[name] = value
        return found

    async def _read(self, bytes_max: int, says: str) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > bytes_max:
                raise Refusal("body_too_large", says)
            if not message.get("more_body"):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class ClientGone(Exception):
    """The caller went away before its request was whole: nothing to answer."""


def json_body(call: Call, body: bytes) -> bytes:
    """The body, if its headers say that it is JSON."""
    if not body:
        return b""
    content_type = (call.header(b"content-type") or "").lower().replace(" ", "").replace("\t", "")
    if content_type not in JSON_TYPES or call.header(b"content-encoding"):
        raise Refusal("unsupported_media_type")
    return body


def usual(name: bytes) -> str:
    """A header's name as people write it: ASGI has it in lower case."""
    return name.decode("latin-1").title().replace("-Id", "-ID")


def whole_number(parameters: dict[str, str], name: str, *, default: int, low: int, high: int) -> int:
    """A parameter that is a whole number in ASCII digits."""
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 16 and low <= int(text) <= high):
        raise Refusal("parameter_invalid", f"{name} must be a whole number from {low} to {high}.", param=name)
    return int(text)
