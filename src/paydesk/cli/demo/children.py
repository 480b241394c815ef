"""The demo's processes: started with what they say when they are ready, ended by their own process ids."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from paydesk.cli.demo.failed import DemoFailed
from paydesk.world import World

LOOK_SECONDS = 0.01  # A process says that it is ready by a line in its log.
START_SECONDS = 30.0
END_SECONDS = 15.0  # `serve` finishes what is under way; that is far below this.
TAIL_LINES = 12


class Child(Struct, frozen=True, kw_only=True):
    """A process, and where it writes."""

    name: str
    process: Process
    log: Path


class Children:
    """All processes of one demo. `trouble` hears of one that ends unasked."""

    def __init__(self, world: World, logs: Path, trouble: Callable[[DemoFailed], None]) -> None:
        self._world = world
        self._logs = logs
        self._trouble = trouble
        self._ending = False
        self.all: list[Child] = []

    async def start(self, name: str, *arguments: str, ready: str, environment: Mapping[str, str]) -> str:
        """Run `python -m …`; gives what `ready`, a pattern with one group, finds in its log."""
        child = await self._begun(name, arguments, environment)
        self.all.append(child)
        self._world.spawn(self._watch(child), f"watch {name}")
        try:
            async with asyncio.timeout(START_SECONDS):
                return await _said(child.log, re.compile(ready))
        except TimeoutError:
            raise DemoFailed(f"{name} was not ready within {START_SECONDS:.0f} s.{last_lines(child.log)}") from None

    async def end(self) -> None:
        """End them, the last one first, so that nobody misses the one it talks to."""
        self._ending = True
        for child in reversed(self.all):
            await _end(child.process)

    async def _begun(self, name: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Child:
        log = self._logs / f"{name.lower()}.log"
        with log.open("ab") as written:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                env={**_inherited(), **environment},
                start_new_session=True,  # Ctrl-C is for the demo; it ends the others itself.
            )
        return Child(name=name, process=process, log=log)

    async def _watch(self, child: Child) -> None:
        status = await child.process.wait()
        if not self._ending:
            self._trouble(DemoFailed(f"{child.name} ended with status {status}.{last_lines(child.log)}"))


def last_lines(log: Path) -> str:
    """The end of a log, as the end of a sentence about it."""
    lines = _text(log).splitlines()[-TAIL_LINES:]
    return "\n".join(["", f"The last lines of {log}:", *(lines or ["(nothing)"])])


def _inherited() -> dict[str, str]:
    """This process's environment without settings of Paydesk's own, which are meant for another data folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAYDESK_")}
    # Where the way out is a proxy, the way from the shop to Paydesk on this machine is not.
    return kept | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


async def _said(log: Path, ready: re.Pattern[str]) -> str:
    while not (found := ready.search(_text(log))):  # noqa: ASYNC110 (a file does not ring)
        await asyncio.sleep(LOOK_SECONDS)
    return found[1]


def _text(log: Path) -> str:
    return log.read_text(errors="replace")


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
