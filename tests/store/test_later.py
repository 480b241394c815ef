"""Lists are loaded when the first one is asked for."""

import asyncio
import subprocess
import sys
from pathlib import Path

from paydesk.assembly import migrate
from paydesk.payments.rows import Intent
from paydesk.store.later import ListsLater


def test_a_start_does_not_load_what_only_lists_and_migrations_need() -> None:
    source = "import sys, paydesk.cli.app, paydesk.assembly.serving; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", source], check=False, timeout=60).returncode == 0


def test_first_lists_asked_for_together_are_read_from_the_same_ones(tmp_path: Path) -> None:
    migrate.migrate(tmp_path / "paydesk.db")

    async def exam() -> None:
        later = ListsLater(tmp_path / "paydesk.db")
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(later.loaded()) for _ in range(3)]
        lists = asking[0].result()
        assert all(one.result() is lists for one in asking)
        assert await lists.loaded() is lists
        assert await lists.rows(Intent, lists.table(Intent).select()) == []
        await later.close()

    asyncio.run(exam())


def test_lists_that_nobody_asked_for_are_closed_all_the_same(tmp_path: Path) -> None:
    asyncio.run(ListsLater(tmp_path / "none.db").close())
