"""A run: everything is done with marked cards, then all that was written is searched."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tests.leaks.life import live_through_all
from tests.leaks.paying import pay_in_every_way
from tests.leaks.play import Left, playing
from tests.leaks.wrong_places import put_numbers_everywhere


class Place(Struct, frozen=True, kw_only=True):
    """A line of the table."""

    name: str
    bytes_searched: int
    hits: list[str]


class Report(Struct, frozen=True, kw_only=True):
    """What was found where."""

    places: list[Place]

    @property
    def violations(self) -> list[str]:
        """Every hit, and every place where there was nothing to search."""
        empty = [f"{place.name}: nothing was there to be searched" for place in self.places if not place.bytes_searched]
        return empty + [f"{place.name}: {hit}" for place in self.places for hit in place.hits]

    @property
    def table(self) -> str:
        width = max(len(place.name) for place in self.places)
        lines = [f"{'place':<{width}}{'bytes':>12}{'hits':>6}"]
        return "\n".join(
            lines + [f"{one.name:<{width}}{one.bytes_searched:>12}{len(one.hits):>6}" for one in self.places]
        )


def run(folder: Path, *, seed: int, rounds: int, say: Callable[[str], None]) -> Left:
    """Real processes and marked cards. `say` hears of the progress."""
    with playing(folder, seed) as play:
        for number in range(1, rounds + 1):
            for act in (pay_in_every_way, live_through_all, put_numbers_everywhere):
                act(play)
                said = act.__name__.replace("_", " ")
                say(f"round {number} of {rounds}: {said}; {len(play.marks.made)} cards, {len(play.answers)} answers")
        return play.left()


def searched(left: Left) -> Report:
    """The table, place by place."""
    return Report(
        places=[
            Place(name=name, bytes_searched=sum(map(len, contents.values())), hits=left.found(name))
            for name, contents in left.places.items()
        ]
    )
