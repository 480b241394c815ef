"""The socket in the data folder (0600) that the command line talks to a running `serve` through: one JSON line
there, one or more back.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec

from paydesk.assembly.operator import Request, tell
from paydesk.errors import Sentence
from paydesk.web.desk import DoorDesk

LINE_BYTES_MAX = 64 * 1024
ANSWER_BYTES_MAX = 16 * 1024 * 1024  # A long list.
SOCKET_PATH_MAX = 100  # A UNIX socket's address has 108 bytes.
ANSWER_SECONDS = 30.0


class NoAnswer(Sentence):
    """A `serve` was asked and said nothing."""


def socket_path(data: Path) -> Path:
    """Where the socket is; in a folder whose name is too long for one, relative to the working directory."""
    path = (data / "control.sock").absolute()
    return Path(os.path.relpath(path)) if len(str(path)) > SOCKET_PATH_MAX else path


async def listen(desk: DoorDesk, data: Path) -> asyncio.Server:
    """Serve the operator's requests until closed. The data folder's lock was taken, so an old socket is dead."""
    path = socket_path(data)
    path.unlink(missing_ok=True)
    mask = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(
            lambda reader, writer: _answer(desk, reader, writer), path=path, limit=LINE_BYTES_MAX
        )
    finally:
        os.umask(mask)


async def ask(data: Path, request: Request) -> dict[str, Any] | None:
    """What a running `serve` answers; None where none runs. NoAnswer: it ended or hangs."""
    if (lines := await follow(data, request)) is None:
        return None
    async with aclosing(lines):
        return await anext(lines)


async def follow(data: Path, request: Request) -> AsyncGenerator[dict[str, Any]] | None:
    """The lines that a running `serve` answers with; None where none runs. NoAnswer: it ended or hangs."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket_path(data), limit=ANSWER_BYTES_MAX)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        return None
    return _lines(reader, writer, request)


async def _lines(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request
) -> AsyncGenerator[dict[str, Any]]:
    """Up to the one that ends it."""
    try:
        writer.write(msgspec.json.encode(request) + b"\n")
        while True:
            answer = await _line(reader)
            yield answer
            if "done" in answer or "error" in answer:
                return
    finally:
        writer.close()


async def _line(reader: asyncio.StreamReader) -> dict[str, Any]:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await reader.readline()
    except (TimeoutError, ConnectionResetError):
        line = b""
    if not line:
        raise NoAnswer(
            "The running `serve` did not answer. Whether it did what was asked is unknown: look, then ask again."
        )
    return msgspec.json.decode(line)


async def _answer(desk: DoorDesk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        request = msgspec.json.decode(await reader.readline(), type=Request)
        async with aclosing(tell(desk, request)) as lines:
            async for line in lines:
                writer.write(msgspec.json.encode(line) + b"\n")
                await writer.drain()
    except ConnectionError:  # Whoever asked went away.
        pass
    except Exception as why:
        desk.log.error("control_failed", exc_info=why)
        answer = {"error": {"code": "internal_error", "message": f"{type(why).__name__}: see the log", "param": None}}
        writer.write(msgspec.json.encode(answer) + b"\n")
    writer.close()
