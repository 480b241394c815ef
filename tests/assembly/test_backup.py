"""A backup: one moment of the database, whole, for its owner alone, without the master key; or no file at all."""

import asyncio
import base64
import sqlite3
import stat
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from paydesk.assembly import backup as backups
from paydesk.assembly.backup import backup, backup_of
from paydesk.assembly.house import House
from paydesk.assembly.opened import opened
from paydesk.assembly.operator import Request, act, tell
from paydesk.config import Config
from paydesk.errors import Refusal
from paydesk.payments.create import Create
from paydesk.requests.once import Claim, Once
from paydesk.store import StorageFault, copying
from paydesk.store.copying import Copying
from paydesk.telemetry import Log
from tests.audit.test_verify import verified

Story = Callable[[House], Coroutine[Any, Any, None]]


def play(data: Path, story: Story) -> None:
    async def playing() -> None:
        async with opened(Config(data=data), {}, Log("error", BytesIO()), commits_only=True) as house:
            await story(house)

    asyncio.run(playing())


async def merchant(house: House) -> str:
    wanted = {"name": "Tea", "origins": [], "psp_url": "http://psp.example", "psp_key": None, "fee": "0"}
    return (await act(house, Request("merchants create", wanted)))["done"]["account_id"]


async def open_intent(house: House, account: str, order: str) -> str:
    """As a signed request does."""
    claim = Claim(
        account=account,
        key_id="key_test_tea",
        nonce=order,
        signed_ms=house.world.now_ms(),
        idempotency_key=order,
        fingerprint="",
        action="POST /v1/payment_intents",
        request_id="req_1",
    )
    inner = Create(
        account=account,
        livemode=False,
        amount_minor=4200,
        currency="usd",
        description=None,
        statement_descriptor=None,
        metadata="{}",
        return_url=None,
        capture_method="automatic",
        setup_future_usage=None,
        expires_after_ms=86_400_000,
        cause="key_test_tea",
    )
    return (await house.submit(Once(claim=claim, inner=inner))).object_id


async def taken(house: House, target: Path) -> dict[str, Any]:
    """The last line of a backup."""
    async with aclosing(tell(house, Request("backup", {"file": str(target)}))) as lines:
        return [line async for line in lines][-1]


def opened_copy(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)


def test_a_backup_is_one_moment_of_a_database_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits in between each step; the copy is that of the beginning, whole and by itself."""
    monkeypatch.setattr(copying, "STEP_PAGES", 4)
    target = tmp_path / "tea.backup"

    async def story(house: House) -> None:
        account = await merchant(house)
        for number in range(20):
            await open_intent(house, account, f"before-{number}")
        slowed(monkeypatch)
        working = house.world.spawn(note(taken(house, target)), "backup")
        during = 0
        while not working.done():
            await open_intent(house, account, f"during-{during}")
            during += 1
        assert during > 20, "nothing was committed while it was copied"

    play(tmp_path / "data", story)
    with closing(opened_copy(target)) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        intents = copy.execute("SELECT count(*) FROM payment_intents").fetchone()[0]
        row = backup_of(copy)
    assert 20 <= intents < 40
    (chain,) = verified(target)
    assert (chain.off, chain.lines) == (None, intents + 1)
    assert row
    assert (row.restored_ms, row.asked_ms) == (None, None)
    assert abs(row.taken_ms - time.time() * 1000) < 60_000
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "data.key", "tea.backup"]


async def note(work: Coroutine[Any, Any, dict[str, Any]]) -> None:
    assert "done" in await work


def slowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of a copy takes its time."""
    step = Copying._progress

    def slow(self: Copying, status: int, remaining: int, pages: int) -> None:
        step(self, status, remaining, pages)
        time.sleep(0.005)

    monkeypatch.setattr(Copying, "_progress", slow)


def test_the_master_key_is_not_in_it(tmp_path: Path) -> None:
    target = tmp_path / "tea.backup"

    async def story(house: House) -> None:
        await open_intent(house, await merchant(house), "order-1")
        assert "done" in await taken(house, target)

    play(tmp_path / "data", story)
    text = (tmp_path / "data.key").read_text().strip()
    key = base64.urlsafe_b64decode(text + "=")
    written = target.read_bytes()
    forms = (key, text.encode(), key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key).rstrip(b"="))
    assert not [form for form in forms if form in written]


def test_the_living_database_does_not_say_that_it_is_a_backup(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        assert "done" in await taken(house, tmp_path / "one")
        assert "done" in await taken(house, tmp_path / "two")

    play(tmp_path / "data", story)
    with closing(sqlite3.connect(tmp_path / "data" / "paydesk.db")) as database:
        assert backup_of(database) is None


def refused_names(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "there").write_text("an older backup")
    return {
        "is there already": tmp_path / "there",
        "can't be written": tmp_path / "no" / "such" / "folder",
        "Choose another name": tmp_path / "data" / "paydesk.db-wal2",
    }


def test_what_can_not_be_a_backup(tmp_path: Path) -> None:
    """Never over another file, nor among the database's own."""

    async def story(house: House) -> None:
        for said, target in refused_names(tmp_path).items():
            answer = await taken(house, target)
            assert said in answer["error"]["message"]
        assert "Choose" in (await taken(house, Path("relative")))["error"]["message"]

    play(tmp_path / "data", story)
    assert (tmp_path / "there").read_text() == "an older backup"


async def begun(house: House, target: Path) -> AsyncGenerator[dict[str, Any]]:
    """A backup that is under way."""
    lines = backup(house, file=str(target))
    assert "pages" in await anext(lines)
    return lines


@pytest.mark.parametrize("how", ["left alone", "the process stops"])
def test_a_backup_that_is_broken_off_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(copying, "STEP_PAGES", 1)
    monkeypatch.setattr(backups, "LOOK_SECONDS", 0.01)
    slowed(monkeypatch)

    async def story(house: House) -> None:
        lines = await begun(house, tmp_path / "tea.backup")
        if how == "left alone":
            await lines.aclose()
        else:
            house.stop_holding()
            with pytest.raises(Refusal, match="stopping"):
                await anext(lines)

    play(tmp_path / "data", story)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "data.key"]


@pytest.mark.parametrize("why", [StorageFault("database or disk is full"), OSError(5, "Input/output error")])
def test_a_backup_that_fails_says_so_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: Exception
) -> None:
    def fail(self: Copying) -> None:
        raise why

    monkeypatch.setattr(Copying, "run", fail)

    async def story(house: House) -> None:
        answer = await taken(house, tmp_path / "tea.backup")
        assert "No backup was written" in answer["error"]["message"]

    play(tmp_path / "data", story)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "data.key"]


def test_a_copy_that_is_damaged_is_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked through after it was written: here somebody spoils a page of it in between."""

    def spoil(self: Copying) -> None:
        with self._target.open("r+b") as file:
            file.seek(3 * 4096)
            file.write(b"\x0a" + b"\xff" * 500)
        look(self)

    look = Copying._look_through
    monkeypatch.setattr(Copying, "_look_through", spoil)

    async def story(house: House) -> None:
        await open_intent(house, await merchant(house), "order-1")
        answer = await taken(house, tmp_path / "tea.backup")
        assert "No backup was written" in answer["error"]["message"]

    play(tmp_path / "data", story)
    assert not (tmp_path / "tea.backup").exists()
