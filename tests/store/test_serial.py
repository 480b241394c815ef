"""Whatever is submitted together gives what it would have given one by one, in the order the batches settled on."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from paydesk.errors import Refusal
from paydesk.store import Row, Work
from tests.store.exam_rows import ACCOUNT, Counter, Do, Ticket, count, counter_key, ticket_key
from tests.store.opened import opened
from tests.store.sitter import SqliteSitter

NAMES = ("a", "b", "c")


class Step(Struct, frozen=True):
    """One command of a random history."""

    deed: str
    name: str
    other: str
    by: int
    hinted: bool


def raised(work: Work, step: Step) -> int:
    return count(work, step.name, step.by).value


def moved(work: Work, step: Step) -> tuple[int, int]:
    """From one to the other, refused below zero only after both were changed."""
    there = count(work, step.other, step.by).value
    here = count(work, step.name, -step.by).value
    if here < 0:
        raise Refusal("invalid_state")
    return here, there


def nested(work: Work, step: Step) -> int:
    """The inner change counts only where the sum is even."""
    outer = count(work, step.name, step.by)
    try:
        with work.nested() as inner:
            if count(inner, step.other, step.by).value % 2:
                raise Refusal("invalid_state")
    except Refusal:
        return outer.value
    return -outer.value


def forgotten(work: Work, step: Step) -> int | None:
    counter = work.find(Counter, ACCOUNT, step.name)
    if counter:
        work.remove(counter)
    return counter and counter.value


def put_in(work: Work, step: Step) -> str:
    return work.add(Ticket(id=step.name, text=str(step.by))).id


def taken(work: Work, step: Step) -> str:
    row = work.get(Ticket, ACCOUNT, step.name)
    work.remove(row)
    return row.text


def replaced(work: Work, step: Step) -> str:
    return taken(work, step) + put_in(work, step)


def failed(work: Work, step: Step) -> None:
    raise ZeroDivisionError(f"{raised(work, step)} {put_in(work, step)}")


DEEDS: dict[str, Callable[[Work, Step], Any]] = {
    deed.__name__: deed for deed in (raised, moved, nested, forgotten, put_in, taken, replaced, failed)
}
STEPS = st.builds(
    Step,
    deed=st.sampled_from(sorted(DEEDS)),
    name=st.sampled_from(NAMES),
    other=st.sampled_from(NAMES),
    by=st.integers(0, 5),
    hinted=st.booleans(),
)


def command(step: Step, index: int, decided: list[int]) -> Do:
    """The step as a command that notes when it was decided; only the last time counts."""

    def act(work: Work) -> Any:
        decided.append(index)
        return DEEDS[step.deed](work, step)

    hints = [make(name) for make in (counter_key, ticket_key) for name in (step.name, step.other)]
    return Do(act=act, hints=tuple(hints) if step.hinted else ())


def plain(reply: object) -> object:
    """A reply that can be compared. How a bug shows depends on who is beside it."""
    if isinstance(reply, Refusal):
        return reply.code
    return "a bug" if isinstance(reply, Exception) else reply


def performed(
    sitter: SqliteSitter, batches: list[list[tuple[int, Step]]]
) -> tuple[dict[int, object], list[Row], list[int]]:
    """The replies, the rows at the end, and the order in which the steps were decided for good."""
    decided, replies = list[int](), dict[int, object]()

    async def perform() -> None:
        async with opened(sitter) as store:
            for batch in batches:
                given = await store.together(*[command(step, index, decided) for index, step in batch])
                replies.update({index: plain(reply) for (index, _), reply in zip(batch, given, strict=True)})

    sitter.clear()
    try:
        sitter.run(perform())
        rows = sitter.stored(Counter) + sitter.stored(Ticket)
    finally:
        sitter.close()
    last = {index: place for place, index in enumerate(decided)}
    return replies, rows, sorted(last, key=last.__getitem__)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(history=st.lists(st.lists(STEPS, min_size=1, max_size=12), min_size=1, max_size=4))
def test_batches_give_what_single_commands_give(turned: SqliteSitter, history: list[list[Step]]) -> None:
    steps = [step for batch in history for step in batch]
    numbers = iter(range(len(steps)))
    together, rows, order = performed(turned, [[(next(numbers), step) for step in batch] for batch in history])
    alone, rows_alone, _ = performed(turned, [[(index, steps[index])] for index in order])
    assert together == alone
    assert rows == rows_alone
