"""A command without a running `serve` does what it was asked and nothing that is due: its settings are others."""

import asyncio
from contextlib import aclosing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from paydesk.assembly import books
from paydesk.assembly.control import NoAnswer, Request, follow, socket_path
from paydesk.assembly.serving import opened, told, with_house
from paydesk.config import Config
from paydesk.ledger import Chart, Line, post
from paydesk.store import Command, Duty, Work
from paydesk.telemetry import Log


class Owe(Command[Duty], frozen=True):
    """A duty that is due at once, left to whoever comes."""

    def decide(self, work: Work) -> Duty:
        return work.owe(Duty(account="acct_b6jxhdg7", id="dispatch:evt_1", kind="dispatch", subject="evt_1"))


class Move(Command[None], frozen=True):
    """A transaction of two postings."""

    reference: str

    def decide(self, work: Work) -> None:
        chart = Chart("acct_b6jxhdg7", "usd")
        post(
            work,
            account=chart.account,
            psp="sandbox",
            reference=self.reference,
            kind="capture",
            subject="pi_1",
            currency=chart.currency,
            lines=[Line(chart.psp_clearing("sandbox"), 5), Line(chart.fees, -5)],
        )


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


def test_a_long_recount_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, log = Config(data=tmp_path / "data", drain_seconds=0), Log("error", BytesIO())
    monkeypatch.setattr(books, "STEP", 2)
    monkeypatch.setattr(books, "TELL", 4)

    async def exam() -> list[dict[str, Any]]:
        async with opened(config, {}, log, commits_only=True) as house:
            for number in range(3):
                await house.submit(Move(reference=f"ch_{number}"))
        async with aclosing(told(config, {}, log, Request("ledger verify", {}))) as lines:
            return [line async for line in lines]

    *far, last = asyncio.run(exam())
    assert last == {"done": {"ok": True, "transactions": 3, "postings": 6, "ledger_accounts": 2, "days": 0}}
    assert far == [{"checked": number, "of": 15} for number in (4, 8, 12, 15)]


def test_a_serve_that_dies_meanwhile_is_told_in_a_sentence(tmp_path: Path) -> None:
    """Whoever reads must not take half of the books for all of them."""

    async def dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"rows": []}\n')
        await writer.drain()
        writer.close()

    async def exam() -> None:
        async with await asyncio.start_unix_server(dying, path=socket_path(tmp_path)):
            lines = await follow(tmp_path, Request("ledger export", {"account": None}))
            assert lines is not None
            async with aclosing(lines):
                assert await anext(lines) == {"rows": []}
                with pytest.raises(NoAnswer, match="did not answer"):
                    await anext(lines)

    asyncio.run(exam())
