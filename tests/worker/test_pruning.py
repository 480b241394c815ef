"""Pruning goes on for as long as the process does, whatever one sweep runs into."""

import asyncio
from typing import Any

import pytest

from paydesk.store import table_of
from paydesk.worker import pruning
from paydesk.worker.pruning import SWEEPS, Sweep, prune_for_ever


class Log:
    def __init__(self) -> None:
        self.errors: list[Any] = []

    def error(self, event: str, **facts: Any) -> None:
        self.errors.append((event, facts["table"]))


class Desk:
    log = Log()


def test_a_bug_in_one_sweep_is_logged_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def exam() -> None:
        swept: list[str] = []
        twice = asyncio.Event()

        async def prune(desk: object, sweep: Sweep) -> int:
            swept.append(sweep.kind.TABLE)
            if len(swept) == 2 * len(SWEEPS):
                twice.set()
            if sweep is SWEEPS[0]:
                raise ZeroDivisionError
            return 0

        monkeypatch.setattr(pruning, "prune", prune)
        monkeypatch.setattr(pruning, "PAUSE_SECONDS", 0)
        desk: Any = Desk()
        pruner = asyncio.create_task(prune_for_ever(desk))
        async with asyncio.timeout(10):
            await twice.wait()
        pruner.cancel()
        assert swept[: 2 * len(SWEEPS)] == [sweep.kind.TABLE for sweep in SWEEPS] * 2
        assert desk.log.errors[0] == ("pruning_failed", table_of(SWEEPS[0].kind).name)

    asyncio.run(exam())
