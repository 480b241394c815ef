"""A run: a server, a merchant to whom everything has happened, and all bad input on every route."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from tests.bad_input.asking import ADMIN, BY_NAME, Asker
from tests.bad_input.furnished import LIMITS, Furnished
from tests.bad_input.generated import Generated
from tests.bad_input.listed import Bad, listed, no_requests
from tests.bad_input.tally import ELSEWHERE, Report, Tally
from tests.journeys.cast import Cast
from tests.stage.stage import staged


class Plan(Struct, frozen=True, kw_only=True):
    """How a run goes."""

    seed: int
    examples: int
    """Made up for each route by each strategy, at most."""
    seconds: float
    """For all that is made up."""
    every: int = 1
    """How much of the list: each, every second …"""


def run(folder: Path, plan: Plan, say: Callable[[str], None]) -> Report:
    """All of it. `say` hears of the progress."""
    tally = Tally()
    with furnished(folder) as house:
        asker = Asker(house)
        _well(asker, tally)
        say(f"{len(BY_NAME)} routes, each asked well once")
        _list(asker, tally, plan, say)
        _at_once(asker, tally)
        say("two of every change at once")
        _made_up(asker, tally, plan, say)
        missed = [f"{name}: never answered well" for name in tally.never_reached()]
        assert house.stage.server
        log = house.stage.server.err
    return Report(rows=tally.rows, violations=tally.violations + missed + faults_in(log))


@contextmanager
def furnished(folder: Path) -> Iterator[Furnished]:
    """Real processes, and the merchant."""
    with staged(folder, **LIMITS) as stage:
        cast = Cast(stage)
        try:
            yield Furnished(stage, cast)
        finally:
            cast.leave()


def faults_in(log: Path) -> list[str]:
    """The lines of a server's log that tell of a fault of its own, or that are none of its lines."""
    found: list[str] = []
    for line in log.read_text().splitlines():
        try:
            said = json.loads(line)
            fault = said["level"] == "error" or said.get("status", 0) >= 500
        except (ValueError, LookupError, TypeError):
            fault = True
        if fault:
            found.append(f"in the log: {line[:500]}")
    return found


def _well(asker: Asker, tally: Tally) -> None:
    for name, route in BY_NAME.items():
        data = asker.request(route, **asker.wish(name))
        tally.take(name, "a good request", partial(asker.wire(name).ask, data))


def _list(asker: Asker, tally: Tally, plan: Plan, say: Callable[[str], None]) -> None:
    def send(name: str, server: str, bad: Bad) -> None:
        ask = partial(asker.wire(server).ask, bad.data, more=bad.more, times=bad.times)
        tally.take(name, bad.what, ask, refused=bad.refused)

    for server in ("", ADMIN):
        for bad in list(no_requests())[:: plan.every]:
            send(ELSEWHERE, server, bad)
    for number, (name, route) in enumerate(BY_NAME.items(), 1):
        chosen = [bad for n, bad in enumerate(listed(asker, route)) if (n + number + plan.seed) % plan.every == 0]
        for bad in chosen:
            send(name, name, bad)
        say(f"[{number}/{len(BY_NAME)}] {name}: {len(chosen)} of the list")


def _at_once(asker: Asker, tally: Tally) -> None:
    """Two of every change at once: the same bytes, and the same wish in other bytes."""
    with ThreadPoolExecutor(3) as threads:
        for name, route in BY_NAME.items():
            if route.method == "GET":
                continue
            wish = asker.wish(name)
            one, other = asker.request(route, **wish), asker.request(route, **wish)
            asked = [threads.submit(asker.wire(name).ask, data) for data in (one, one, other)]
            for future in asked:
                tally.take(name, "two at once", future.result)


def _made_up(asker: Asker, tally: Tally, plan: Plan, say: Callable[[str], None]) -> None:
    """The time is shared: what a strategy leaves of it, the next ones have."""
    jobs = list(Generated(asker, tally).jobs())
    until = time.monotonic() + plan.seconds
    for number, job in enumerate(jobs):
        seconds = max(until - time.monotonic(), 0) / (len(jobs) - number)
        job.run(dice=plan.seed + number, examples=plan.examples, seconds=seconds)
        if number + 1 == len(jobs) or jobs[number + 1].name != job.name:
            asked = tally.rows[job.name]["asked"]
            say(f"[{number + 1}/{len(jobs)}] {job.name}: {asked} asked")
