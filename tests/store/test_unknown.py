"""A COMMIT whose fate is unknown is settled by its marker: the effect exists exactly once, and nobody sees a 503."""

import asyncio

import pytest

from paydesk.errors import Refusal
from paydesk.store.committer import UNKNOWN_RETRY_SECONDS
from paydesk.store.rows import Marker
from tests.store.exam_rows import Counter, Ticket, counting, refused, ticket
from tests.store.faults import Fate
from tests.store.opened import everybody_else, opened
from tests.store.sitter import Sitter, SqliteSitter


@pytest.mark.parametrize(
    ("fates", "batches"),
    [
        ([Fate.UNKNOWN_STORED], 1),
        ([Fate.UNKNOWN_LOST], 2),
        ([Fate.UNKNOWN_LOST, Fate.UNKNOWN_LOST, Fate.UNKNOWN_STORED], 3),
    ],
    ids=["stored", "lost", "lost-lost-stored"],
)
def test_the_effect_exists_exactly_once(sitter: Sitter, fates: list[Fate], batches: int) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            store.session.fates.extend(fates)
            one, no, two = await store.together(counting("a"), refused("a"), counting("a"))
            assert (one, two) == (1, 2)
            assert isinstance(no, Refusal)
            assert no.code == "invalid_state"
            assert store.committer.batches == batches
            assert await store.submit(counting("a")) == 3

    sitter.run(exam())
    assert sitter.stored(Counter) == [Counter(name="a", value=3, version=3)]
    assert len(sitter.stored(Marker)) == 2


@pytest.mark.parametrize("fate", [Fate.UNKNOWN_STORED, Fate.UNKNOWN_LOST])
def test_nobody_is_answered_while_the_database_cannot_be_asked(turned: SqliteSitter, fate: Fate) -> None:
    async def exam() -> None:
        async with opened(turned) as store:
            gate = store.session.hold_commit()
            store.session.fates.append(fate)
            (waiting,) = store.start(ticket("t"))
            await gate.reached.wait()
            store.session.begin_faults = 20
            began = store.world.monotonic()
            gate.open()
            await everybody_else()
            assert not waiting.done()
            assert await waiting == "t"
            assert store.world.monotonic() - began == pytest.approx(20 * UNKNOWN_RETRY_SECONDS)

    turned.run(exam())
    assert turned.stored(Ticket) == [Ticket(id="t")]


def test_what_waits_meanwhile_is_done_afterwards(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            gate = store.session.hold_commit()
            store.session.fates.append(Fate.UNKNOWN_LOST)
            first = store.start(counting("a"))
            await gate.reached.wait()
            later = store.start(counting("a"), counting("a"))
            gate.open()
            assert await asyncio.gather(*first, *later) == [1, 2, 3]

    sitter.run(exam())
