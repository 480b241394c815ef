"""Reading what is committed: by key, by a named statement, and as a list."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from paydesk.store import StorageFault, Work
from paydesk.store.lists import Lists
from paydesk.store.sqlite import SqliteReader
from tests.store.exam_rows import ACCOUNT, Counter, Do, Ticket, counting
from tests.store.opened import opened
from tests.store.sitter import SqliteSitter

BY_TEXT = 'SELECT "account", "id", "text" FROM "exam_tickets" WHERE "text" = ? ORDER BY "account", "id"'
HOW_MANY = 'SELECT max("value") FROM "exam_counters"'


def test_a_reader_sees_what_is_committed_and_nothing_else(turned: SqliteSitter) -> None:
    async def exam() -> None:
        async with opened(turned) as store:
            reader, gate = turned.reader(), store.session.hold_commit()
            (waiting,) = store.start(counting("a"))
            await gate.reached.wait()
            assert await reader.get(Counter, ACCOUNT, "a") is None
            gate.open()
            await waiting
            assert await reader.get(Counter, ACCOUNT, "a") == Counter(name="a", value=1)

    turned.run(exam())


def test_rows_by_keys_by_statement_and_a_number(turned: SqliteSitter) -> None:
    tickets = [Ticket(id=name, text="x") for name in ("a", "b")]
    for row in (*tickets, Ticket(id="c", text="y"), Counter(name="n", value=7, note="ü\x00", ballast=b"\x00\xff")):
        turned.store(row)

    async def exam() -> None:
        reader = turned.reader()
        assert await reader.get_all(Ticket, [(ACCOUNT, name) for name in "abz"]) == tickets
        assert await reader.get_all(Ticket, []) == []
        assert await reader.query(Ticket, BY_TEXT, ("x",)) == tickets
        assert await reader.number(HOW_MANY, ()) == 7
        assert await reader.number(f"{HOW_MANY} WHERE name = ?", ("none",)) is None
        assert await reader.get(Counter, ACCOUNT, "n") == Counter(name="n", value=7, note="ü\x00", ballast=b"\x00\xff")

    turned.run(exam())


def test_a_database_that_cannot_be_read_is_a_storage_fault(turned: SqliteSitter) -> None:
    async def exam(reader: SqliteReader) -> None:
        with pytest.raises(StorageFault):
            await reader.get(Ticket, ACCOUNT, "a")
        with pytest.raises(StorageFault):
            await reader.query(Ticket, BY_TEXT, ("x",))
        with pytest.raises(StorageFault):
            await reader.number(HOW_MANY, ())

    reader = turned.reader()
    turned.path.write_bytes(b"This was a database once. " * 1000)
    turned.run(exam(reader))


def test_a_reader_does_not_write(turned: SqliteSitter) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        turned.reader().database.execute('DELETE FROM "exam_tickets"')


@pytest.mark.parametrize("folder", ["plain", "with blank", "50%41#?é"])
def test_lists_are_ordinary_statements(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    sitter = SqliteSitter(tmp_path / folder, turned=False)
    for row in (Ticket(id="a", text="x"), Ticket(id="b", text="x"), Counter(name="n", note=None)):
        sitter.store(row)

    async def exam() -> None:
        lists = Lists(sitter.path)
        try:
            table = lists.table(Ticket)
            newest = table.select().where(table.c.text == "x").order_by(table.c.id.desc())
            assert await lists.rows(Ticket, newest) == [Ticket(id="b", text="x"), Ticket(id="a", text="x")]
            assert await lists.rows(Counter, lists.table(Counter).select()) == [Counter(name="n")]
        finally:
            await lists.close()

    try:
        asyncio.run(exam())
    finally:
        sitter.close()


def test_looking_sees_the_row_as_the_batch_has_it(turned: SqliteSitter) -> None:
    def act(work: Work) -> object:
        return work.look(Counter, ACCOUNT, "a")

    async def exam() -> None:
        async with opened(turned) as store:
            assert await store.together(counting("a"), Do(act=act)) == [1, Counter(name="a", value=1)]

    turned.run(exam())
