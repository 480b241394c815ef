"""Pruning goes on for as long as the process does, whatever one sweep runs into."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from paydesk.requests.rows import Kept, Nonce
from paydesk.store import table_of
from paydesk.worker import pruning
from paydesk.worker.pruning import SWEEPS, Forget, Sweep, prune_for_ever
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned


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


@pytest.mark.parametrize("together", [True, False])
def test_two_processes_that_sweep_the_same_rows(tmp_path: Path, together: bool) -> None:
    async def story(turned: Turned) -> None:
        await turned.open()
        desk = turned.house
        (nonce,) = await desk.reader.query(Nonce, SWEEPS[0].statement, (1 << 60, 9))
        forget = Forget(rows=(nonce,))
        if together:
            await asyncio.gather(desk.submit(forget), desk.submit(forget))
        else:
            await desk.submit(forget)
            await desk.submit(forget)
        assert not await desk.reader.query(Nonce, SWEEPS[0].statement, (1 << 60, 9))

    play(tmp_path, story)


def test_an_answer_that_another_process_keeps_on_is_not_forgotten(tmp_path: Path) -> None:
    async def story(turned: Turned) -> None:
        await turned.open("order-1")
        desk = turned.house
        kept = await desk.reader.get(Kept, turned.facts["account_id"], "order-1")
        assert kept
        await desk.submit(Forget(rows=(replace(kept, version=kept.version - 1),)))
        assert await desk.reader.get(Kept, kept.account, kept.idempotency_key) == kept

    play(tmp_path, story)
