"""A command without a running `serve` does what it was asked and nothing that is due: its settings are others."""

import asyncio
from io import BytesIO
from pathlib import Path

from paydesk.assembly.control import Request
from paydesk.assembly.serving import opened, with_house
from paydesk.config import Config
from paydesk.store import Command, Duty, Work
from paydesk.telemetry import Log


class Owe(Command[Duty], frozen=True):
    """A duty that is due at once, left to whoever comes."""

    def decide(self, work: Work) -> Duty:
        return work.owe(Duty(account="acct_b6jxhdg7", id="dispatch:evt_1", kind="dispatch", subject="evt_1"))


def test_what_is_due_is_left_alone(tmp_path: Path) -> None:
    config = Config(data=tmp_path / "data", drain_seconds=0)
    written = BytesIO()
    log = Log("error", written)
    wanted = {"name": "Tea House", "origins": [], "psp_url": "https://psp.example", "psp_key": None, "fee": "0"}

    async def exam() -> None:
        async with opened(config, {}, log, commits_only=True) as house:
            owed = await house.submit(Owe())
        answer = await with_house(config, {}, log, Request("merchants create", wanted))
        assert "done" in answer
        async with opened(config, {}, log, commits_only=True) as house:
            found = await house.reader.get(Duty, owed.account, owed.id)
            assert found
            assert (found.tries, found.owner) == (0, "")
            assert house.runner.running() == 0

    asyncio.run(exam())
    assert written.getvalue() == b"", "nobody tried to dispatch what is not there"
