"""A disk that is full costs a 503 and nothing else; a disk that fails ends the committer, and nobody hangs."""

import asyncio
import resource
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from paydesk.errors import Refusal
from paydesk.store import DatabaseBroken
from tests.store.exam_rows import Counter, Do, Ticket, counting, ticket
from tests.store.faults import Fate
from tests.store.opened import Opened, opened
from tests.store.sitter import Sitter, SqliteSitter

BALLAST = 100_000


def heavy(name: str, size: int = BALLAST) -> Do:
    return Do(act=lambda work: work.add(Counter(name=name, ballast=bytes(size))).name)


def is_503(reply: object) -> bool:
    return isinstance(reply, Refusal) and (reply.code, reply.retry_after_seconds) == ("storage_unavailable", 1)


def test_without_room_nothing_is_stored_and_with_room_it_goes_on(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            await store.submit(counting("a"))
            with sitter.full(store.engine):
                assert [is_503(reply) for reply in await store.together(counting("a"), heavy("big"))] == [True, True]
                assert sitter.stored(Counter) == [Counter(name="a", value=1)]
            assert await store.together(counting("a"), heavy("big")) == [2, "big"]

    sitter.run(exam())
    assert len(sitter.stored(Counter)) == 2


@pytest.mark.parametrize("begin", [True, False], ids=["at BEGIN", "at COMMIT"])
def test_a_fault_before_anything_is_stored_is_a_503(sitter: Sitter, begin: bool) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            if begin:
                store.session.begin_faults = 1
            else:
                store.session.fates.append(Fate.FULL)
            assert [is_503(reply) for reply in await store.together(counting("a"), ticket("t"))] == [True, True]
            assert await store.together(counting("a"), ticket("t")) == [1, "t"]

    sitter.run(exam())


@pytest.fixture
def small_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Generator[Path]:
    """A file system of its own with room for a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as why:
        with capsys.disabled():
            print("\nNOT TRIED: a disk that is really full. Mounting a tmpfs is not allowed here (it takes root).")
        pytest.skip(f"NOT TRIED, mounting a tmpfs is not allowed here: {why}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("turned", [False, True], ids=["thread", "inline"])
def test_a_disk_that_is_really_full(small_disk: Path, turned: bool) -> None:
    ballast = small_disk / "ballast"
    sitter = SqliteSitter(small_disk, turned=turned)
    ballast.write_bytes(bytes(400_000))

    async def exam() -> None:
        async with opened(sitter) as store:
            stored = await fill(store)
            assert stored == [row.name for row in sitter.stored(Counter) if isinstance(row, Counter)]
            ballast.unlink()
            assert await store.submit(heavy("y")) == "y"

    try:
        sitter.run(exam())
        assert len(sitter.stored(Counter)) > 1
    finally:
        sitter.close()


async def fill(store: Opened) -> list[str]:
    """Submit until there is no room; the names of those that were stored."""
    stored: list[str] = []
    for number in range(100):
        reply = (await store.together(heavy(f"x{number:02}", 20_000)))[0]
        if is_503(reply):
            assert store.session.commits == len(stored) + 1, "it is COMMIT that finds the disk full"
            return stored
        stored.append(reply)
    raise AssertionError("the disk was never full")


@contextmanager
def files_of_at_most(size: int) -> Generator[None]:
    """Writing beyond `size` bytes of any file fails as a broken disk does, with another errno than a full one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_real_io_error_at_commit_breaks_the_database(sitter: Sitter) -> None:
    assert isinstance(sitter, SqliteSitter)

    async def exam() -> None:
        async with opened(sitter) as store:
            await store.submit(heavy("a", 2_000_000))
            with files_of_at_most(sitter.path.with_name("exam.db-wal").stat().st_size):
                broken = await store.together(heavy("b"), counting("c"))
            assert [type(reply) for reply in broken] == [DatabaseBroken] * 2
            assert len(store.broken) == 1

    sitter.run(exam())
    sitter.close()
    assert [row.name for row in sitter.stored(Counter) if isinstance(row, Counter)] == ["a"]


def test_a_broken_commit_fails_everyone_who_waits_and_everyone_who_comes(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            gate = store.session.hold_commit()
            store.session.fates.append(Fate.BROKEN)
            in_batch = store.start(counting("a"), ticket("t"))
            await gate.reached.wait()
            in_queue = store.start(counting("a"), ticket("u"))
            await asyncio.sleep(0)
            gate.open()
            replies = await asyncio.gather(*in_batch, *in_queue, return_exceptions=True)
            assert [type(reply) for reply in replies] == [DatabaseBroken] * 4
            assert [type(why) for why in store.broken] == [DatabaseBroken]
            assert is_503((await store.together(counting("a")))[0])

    sitter.run(exam())
    assert sitter.stored(Ticket) == []


def test_a_commit_that_breaks_in_the_second_half_fails_that_half_alone(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            store.session.refuses = lambda row: isinstance(row, Ticket) and row.id == "1"
            store.session.fates.extend([Fate.STORED, Fate.BROKEN])
            replies = await store.together(*[ticket(str(number)) for number in (0, 1, 2, 3)])
            assert replies[0] == "0"
            assert [type(reply).__name__ for reply in replies[1:]] == ["Conflict", "DatabaseBroken", "DatabaseBroken"]

    sitter.run(exam())
    assert sitter.stored(Ticket) == [Ticket(id="0")]


def test_what_nobody_expected_ends_the_committer_and_nobody_hangs(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            store.published.listen(Ticket, lambda key, row: 1 / 0)  # type: ignore[arg-type,func-returns-value]
            gate = store.session.hold_commit()
            first = store.start(ticket("t"))
            await gate.reached.wait()
            later = store.start(ticket("u"))
            await asyncio.sleep(0)
            gate.open()
            stored, unknown = await asyncio.gather(*first, *later, return_exceptions=True)
            assert stored == "t"
            assert isinstance(unknown, ZeroDivisionError)
            assert store.broken == [unknown]

    sitter.run(exam())


def test_the_loop_is_free_while_a_batch_is_committed(tmp_path: Path) -> None:
    """COMMIT stands in a thread: it ends here only because the loop goes on meanwhile."""
    sitter, went_on, waits = SqliteSitter(tmp_path, turned=False), threading.Event(), list[bool]()

    def held(statement: str) -> None:
        if statement == "COMMIT":
            waits.append(went_on.wait(10))

    async def exam() -> None:
        async with opened(sitter) as store:
            sitter.trace(store.engine, held)
            (waiting,) = store.start(counting("a"))
            while not store.session.commits:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            went_on.set()
            assert await waiting == 1

    try:
        sitter.run(exam())
        assert waits == [True]
    finally:
        sitter.close()


def test_a_lock_that_another_program_holds_is_waited_for(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            other = sitter.session()
            await other.begin()
            (waiting,) = store.start(counting("a"))
            await asyncio.sleep(0.02)
            assert not waiting.done()
            await other.rollback()
            assert await waiting == 1

    sitter.run(exam())


def test_a_lock_that_is_never_let_go_is_a_503(turned: SqliteSitter) -> None:
    async def exam() -> None:
        async with opened(turned) as store:
            other = turned.session()
            await other.begin()
            assert is_503((await store.together(counting("a")))[0])
            await other.rollback()
            assert await store.submit(counting("a")) == 1

    turned.run(exam())
