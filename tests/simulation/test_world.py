"""The simulator's own parts: time that jumps, and a crash that nobody gets to tidy up after."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from paydesk.world import Outgoing
from paydesk_simulator.clock import EPOCH_MS, Deadlock, VirtualLoop
from paydesk_simulator.crashes import ANY_AWAIT, BEFORE_DUTY, Crashes
from paydesk_simulator.dice import dice_of
from paydesk_simulator.journal import Journal
from paydesk_simulator.network import Network
from paydesk_simulator.world import Dead, MortalWorld


class Life:
    """A world on a loop, and a list of what was done in it."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.journal = Journal(self.loop)
        self.crashes = Crashes(dice_of(1, "crashes"), self.journal)
        network = Network(self.loop, dice_of(1, "network"))
        self.world = MortalWorld(self.loop, dice_of(1, "world"), network, self.crashes, self.journal)
        self.done: list[str] = []

    def crash_at(self, point: str, after: int) -> None:
        self.crashes.point, self.crashes._left = point, after

    def run(self, outside: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(outside)
        self.loop.set_exception_handler(lambda loop, context: None)
        self.world.bury()
        self.loop.close()


async def tidy(life: Life, waits: float) -> None:
    try:
        async with asyncio.timeout(10):
            life.done.append("begun")
            await asyncio.sleep(waits)
        life.done.append("slept")
    except TimeoutError:
        life.done.append("timed out")
    finally:
        life.done.append("tidied up")


def test_a_day_passes_at_once() -> None:
    life = Life()
    life.run(asyncio.sleep(86_400))
    assert life.loop.time() == pytest.approx(86_400)
    assert life.loop.now_ms() == EPOCH_MS + 86_400_000


def test_nobody_waiting_for_the_time_is_a_deadlock() -> None:
    loop = VirtualLoop()

    async def for_ever() -> None:
        await loop.create_future()

    with pytest.raises(Deadlock):
        loop.run_until_complete(for_ever())
    loop.set_exception_handler(lambda loop, context: None)
    loop.close()


@pytest.mark.parametrize(("waits", "end"), [(5.0, "slept"), (20.0, "timed out")])
def test_what_lives_ends_as_it_should(waits: float, end: str) -> None:
    life = Life()
    life.world.spawn(tidy(life, waits), "work")
    life.run(asyncio.sleep(60))
    assert life.done == ["begun", end, "tidied up"]


@pytest.mark.parametrize("waits", [5.0, 20.0])
def test_after_a_crash_nothing_is_tidied_up(waits: float) -> None:
    life = Life()

    async def outside() -> None:
        life.world.spawn(tidy(life, waits), "work")
        await asyncio.sleep(1)
        life.world.kill("a test")
        await asyncio.sleep(60)  # The dead one's timers ring, and it does not hear them.
        assert life.done == ["begun"]

    life.run(outside())


def test_a_crash_strikes_between_two_steps() -> None:
    life = Life()
    life.crash_at(ANY_AWAIT, after=1)
    life.world.spawn(tidy(life, 5), "work")

    async def outside() -> None:
        await life.world.ended
        assert life.done == ["begun"]

    life.run(outside())
    assert life.journal.counts == {f"crash {ANY_AWAIT}": 1}


@pytest.mark.parametrize(("name", "begins"), [("ask_psp:at_1", False), ("request 1", True)])
def test_a_crash_before_a_duty_is_one_before_a_duty(name: str, begins: bool) -> None:
    life = Life()
    life.crash_at(BEFORE_DUTY, after=0)
    life.world.duties = ("ask_psp:",)
    life.world.spawn(tidy(life, 5), name)
    life.run(asyncio.sleep(1))
    assert life.world.alive == begins
    assert ("begun" in life.done) == begins


def test_every_handle_of_a_dead_world_refuses() -> None:
    life = Life()
    world, nothing = life.world, tidy(life, 1)
    world.kill("a test")
    for handle in (world.now_ms, world.monotonic, lambda: world.random(1), lambda: world.spawn(nothing, "x")):
        with pytest.raises(Dead):
            handle()
    with pytest.raises(Dead):
        life.loop.run_until_complete(world.send(Outgoing(method="GET", url="https://shop.example/")))
    nothing.close()
    life.loop.close()
