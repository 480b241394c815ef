"""The short form of `make leaks`: one round with marked cards leaves nothing of them behind, anywhere."""

from pathlib import Path

import msgspec
import pytest

from tests.leaks.campaign import run, searched
from tests.leaks.play import ANSWERS, FILES, Left

pytestmark = pytest.mark.xdist_group("leaks")  # One run for all of them.


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    said: list[str] = []
    return run(tmp_path_factory.mktemp("leaks"), seed=20_260_301, rounds=1, say=said.append)


def test_the_run_wrote_what_is_searched(left: Left) -> None:
    assert {*FILES, ANSWERS, "webhooks", "printed by commands", "metrics"} == left.places.keys()
    assert b'"event":"request"' in left.places["log of the server"]["paydesk.err"]
    database = b"".join([*left.places["database"].values(), *left.places["write-ahead log"].values()])
    assert left.marks[0].number[-4:].encode() in database
    assert len(left.marks) > 60
    assert set(left.counts) == {"2xx", "4xx", "5xx"}


def test_no_card_and_no_secret_is_found(left: Left) -> None:
    report = searched(left)
    assert not report.violations, "\n".join(report.violations)


@pytest.mark.parametrize("place", [*FILES, ANSWERS, "webhooks", "printed by commands", "metrics"])
def test_a_leak_would_be_found(left: Left, place: str) -> None:
    """Planted in the last of what lies there."""
    mark, key = left.marks[-1], left.secrets["the master key"][-1]
    assert isinstance(key, bytes)
    name, content = list(left.places[place].items())[-1]
    for planted in (mark.number, f'{{"cvc":"{mark.cvc}"}}', key.hex()):
        leaking = msgspec.structs.replace(left, places={place: {name: content[:999] + planted.encode()}})
        hits = searched(leaking).places[0].hits
        assert bool(hits) == (place != ANSWERS or planted != key.hex())


def test_a_place_with_nothing_in_it_is_told(left: Left, tmp_path: Path) -> None:
    empty = msgspec.structs.replace(left, places={"metrics": {"metrics": b""}})
    assert searched(empty).violations == ["metrics: nothing was there to be searched"]
