"""Lists: what the database refuses is storage trouble, and nobody waits long for a connection."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from paydesk.assembly import migrate
from paydesk.errors import Refusal
from paydesk.payments.rows import Intent
from paydesk.store import StorageFault, lists
from paydesk.store.lists import Lists


def test_where_every_connection_is_taken_a_list_is_refused_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lists.POOL_SECONDS <= 2
    monkeypatch.setattr(lists, "POOL_SECONDS", 0.05)
    monkeypatch.setattr(lists, "POOL", 1)
    migrate.migrate(tmp_path / "paydesk.db")

    async def exam() -> None:
        reading = Lists(tmp_path / "paydesk.db")
        statement = sa.select(reading.table(Intent))
        async with reading._engine.connect():
            async with asyncio.timeout(10):
                with pytest.raises(Refusal) as refused:
                    await reading.rows(Intent, statement)
            assert (refused.value.code, refused.value.retry_after_seconds) == ("overloaded", 1)
        assert await reading.rows(Intent, statement) == []
        await reading.close()

    asyncio.run(exam())


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_what_the_database_refuses_is_storage_trouble(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "paydesk.db").write_bytes(content)

    async def exam() -> None:
        reading = Lists(tmp_path / "paydesk.db")
        with pytest.raises(StorageFault):
            await reading.rows(Intent, sa.select(reading.table(Intent)))
        await reading.close()

    asyncio.run(exam())
