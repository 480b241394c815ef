"""What is owed and not done is counted by kind, and no further than makes a difference."""

import asyncio

import pytest
from msgspec.structs import replace

from paydesk.duties import backlog
from paydesk.duties.backlog import dead_by_kind, due_by_kind
from paydesk.duties.dead import bury
from paydesk.duties.rows import DeadDuty
from paydesk.store import Work
from paydesk.store.work import LEASE_MS
from tests.duties.office import DUTY, bystanders, office
from tests.store.exam_rows import ACCOUNT, Do
from tests.store.sitter import SqliteSitter

DEAD = DeadDuty(
    account=ACCOUNT,
    id="",
    kind="",
    subject="",
    note="",
    tries=0,
    failures=5,
    reason="x",
    lease=1,
    created_ms=1,
    died_ms=2,
)


def test_what_is_due_and_not_begun_is_counted(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter, runs=False) as here:
            for number, kind in enumerate(("chore", "question", "chore")):
                await here.owe(replace(DUTY, kind=kind, id=f"{kind}:{number}"), after_ms=1000 * (number + 1))
            assert await due_by_kind(here.reader, here.world.now_ms()) == {}
            await asyncio.sleep(2.5)
            assert await due_by_kind(here.reader, here.world.now_ms()) == {"chore": 1, "question": 1}

    sitter.run(exam())


def test_a_duty_whose_holder_is_dead_is_due(sitter: SqliteSitter) -> None:
    async def exam() -> None:
        async with office(sitter, runs=False) as here:
            here.runner.stop()
            await here.owe()
            await bystanders()
            assert await due_by_kind(here.reader, here.world.now_ms()) == {}
            await asyncio.sleep(LEASE_MS / 1000)
            assert await due_by_kind(here.reader, here.world.now_ms()) == {"chore": 1}

    sitter.run(exam())


def test_the_dead_are_counted_by_kind_up_to_a_limit_each(sitter: SqliteSitter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "COUNTED_MAX", 3)

    def act(work: Work) -> None:
        for number in range(5):
            bury(work, replace(DEAD, id=f"deliver:{number}", kind="deliver"))
        for kind in ("ask_psp", "zither"):
            bury(work, replace(DEAD, id=f"{kind}:1", kind=kind))

    async def exam() -> None:
        async with office(sitter, runs=False) as here:
            assert await dead_by_kind(here.reader) == {}
            await here.submit(Do(act=act))
            assert await dead_by_kind(here.reader) == {"ask_psp": 1, "deliver": 3, "zither": 1}

    sitter.run(exam())
