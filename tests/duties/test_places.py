"""Who is begun when there is more than may run: each kind by itself, each account in turn, none more than its share."""

import asyncio

import pytest
from msgspec.structs import replace

from paydesk.duties import places
from paydesk.duties.places import Places
from paydesk.store import Duty
from tests.duties.office import DUTY, bystanders, chore, office
from tests.store.sitter import SqliteSitter


def of(account: str, number: int) -> Duty:
    return replace(chore(number), account=account)


def bounded(monkeypatch: pytest.MonkeyPatch, *, running: int = 1024, share: int = 128, backlog: int = 100) -> None:
    monkeypatch.setattr(places, "RUNNING_MAX", running)
    monkeypatch.setattr(places, "SHARE_MAX", share)
    monkeypatch.setattr(places, "BACKLOG_MAX", backlog)


def test_one_account_does_not_take_every_place(monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, running=4, share=3)
    here = Places()
    assert [here.take(of("dead", number)) for number in range(10)] == [True] * 3 + [False] * 7
    assert here.take(of("alive", 1))
    assert not here.take(of("alive", 2)), "now there is no place at all"


def test_those_that_wait_are_taken_account_by_account(monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, running=1)
    here = Places()
    running = of("a", 0)
    assert here.take(running)
    for account, number in (("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 5)):
        assert not here.take(of(account, number))
    order: list[str] = []
    while True:
        here.leave(running)
        for running in here.next():
            order.append(running.subject)
            assert here.take(running)
        if len(order) == 5:
            break
    assert order == ["1", "4", "5", "2", "3"]


def test_no_more_wait_than_may_and_each_is_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, running=1, backlog=2)
    here = Places()
    assert here.take(of("a", 0))
    for number in range(1, 9):
        assert not here.take(of("a", number))
    here.leave(of("a", 0))
    assert [duty.subject for duty in here.next()] == ["1", "2"]
    assert list(here.next()) == []


def test_a_kind_whose_places_are_all_taken_holds_no_other_kind_up(
    sitter: SqliteSitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Webhooks to a dead receiver must not delay the look-up of a payment whose outcome is unknown."""
    bounded(monkeypatch, running=2, backlog=2)

    async def exam() -> None:
        async with office(sitter) as here:
            leave = asyncio.Event()

            async def act(duty: Duty) -> None:
                if duty.kind == "chore":
                    await leave.wait()
                await here.finish(duty)

            here.act = act
            chores = await here.owe_many(4)
            await bystanders()
            question = replace(DUTY, id="question:1", kind="question")
            await here.owe(question)
            await here.gone(question)
            assert here.runner.running("chore") == 2
            assert here.runner.running("chore", DUTY.account) == 2
            assert here.runner.running("chore", "acct_another") == 0
            leave.set()
            await here.gone(*chores)

    sitter.run(exam())
