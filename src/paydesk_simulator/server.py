"""The server: one to three processes on one database, asked over lines that can break.

Of several, each has a committer, caches and duties of its own. They share the rows alone: no process is told what
another has committed, and what a dead one had begun is found when its lease runs out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from paydesk.assembly.house import House
from paydesk.config import Config
from paydesk.sealing.sealer import Sealer
from paydesk_simulator.clock import VirtualLoop
from paydesk_simulator.dice import dice_of
from paydesk_simulator.journal import Journal
from paydesk_simulator.network import Network
from paydesk_simulator.process import Files, Lost, Process
from paydesk_simulator.weather import Weather

T = TypeVar("T")

PROCESSES = (1, 1, 1, 1, 2, 3)
"""How many there may be; `hasty` seeds draw."""


def processes(number: int) -> str:
    """What seeds with so many are counted as."""
    return f"seeds with {number} processes"


class Server:
    """What merchants, shoppers and the PSP ask. `hasty`: holds and challenges end soon, and there may be company."""

    def __init__(
        self, seed: int, data: Path, loop: VirtualLoop, network: Network, journal: Journal, *, hasty: bool
    ) -> None:
        self._dice = dice_of(seed, "server")
        config = Config(
            data=data,
            rate_limits=False,
            capture_within_seconds=self._dice.choice((40, 90, 240)) if hasty else 600,
            challenge_within_seconds=self._dice.choice((30, 60)) if hasty else 120,
        )
        self.weather = Weather(dice_of(seed, "weather"), journal)
        files = Files(config=config, sealer=Sealer(self._dice.randbytes(32)), alone=lambda: not self._living())
        self.processes = [
            Process(f"process {number}", seed, files, loop=loop, network=network, journal=journal, weather=self.weather)
            for number in range(1, (self._dice.choice(PROCESSES) if hasty else 1) + 1)
        ]
        journal.count(processes(len(self.processes)))

    async def run(self) -> None:
        """Live, die and live again, for ever."""
        async with asyncio.TaskGroup() as lives:
            for process in self.processes:
                lives.create_task(process.run())

    async def ask(self, request: Callable[[House], Awaitable[T]]) -> T:
        """What one of the processes answers. Raises its Refusal, or Lost."""
        await asyncio.sleep(self._dice.uniform(0.0005, 0.02))
        living = self._living()
        if not living or self.weather.strikes("client request lost"):
            raise Lost
        answer = await self._dice.choice(living).ask(request)
        if self.weather.strikes("client answer lost"):
            raise Lost
        return answer

    def begin_storm(self) -> None:
        """From now on everything goes wrong, and processes die."""
        self.weather.calm = False
        for process in self.processes:
            process.crashes.calm = False
            process.crashes.arm()

    def end_storm(self) -> None:
        """Nothing goes wrong any more, and whoever lives, lives on."""
        self.weather.calm = True
        for process in self.processes:
            process.crashes.disarm()

    async def stop(self) -> None:
        """Stop every process as SIGTERM does."""
        for process in self.processes:
            await process.stop()

    def bury(self) -> None:
        """The run is over."""
        for process in self.processes:
            process.bury()

    def _living(self) -> list[Process]:
        return [process for process in self.processes if process.house]
