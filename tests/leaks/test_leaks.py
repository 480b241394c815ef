"""A run with marked cards leaves nothing of them behind, anywhere."""

import pytest

from tests.leaks.forms import search
from tests.leaks.paying import pay_in_every_way
from tests.leaks.play import Left, playing
from tests.leaks.wrong_places import put_numbers_everywhere

pytestmark = pytest.mark.xdist_group("leaks")  # One run for all of them.


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    with playing(tmp_path_factory.mktemp("leaks")) as play:
        pay_in_every_way(play)
        put_numbers_everywhere(play)
        return play.left()


def test_the_run_wrote_what_is_searched(left: Left) -> None:
    names = left.kept.keys()
    wanted = {"data/paydesk.db", "data/paydesk.db-wal", "data/paydesk.db-shm", "paydesk.err", "psp.err", "shop.err"}
    assert wanted <= names
    assert [name for name in names if name.startswith("webhook ")]
    assert b'"event":"request"' in left.kept["paydesk.err"]
    assert left.marks[0].number[-4:].encode() in left.kept["data/paydesk.db-wal"] + left.kept["data/paydesk.db"]
    assert len(left.marks) > 60
    assert set(left.counts) == {"2xx", "4xx", "5xx"}


@pytest.mark.parametrize("place", ["kept", "answers"])
def test_no_card_is_found(left: Left, place: str) -> None:
    traces = {mark.used_for: mark.traces for mark in left.marks}
    found = search(left.kept if place == "kept" else left.answers, traces)
    assert not found, "\n".join(found)


def test_no_secret_is_in_logs_rows_or_events(left: Left) -> None:
    """The client secret is answered to who may have it, and the endpoint's once; neither is kept."""
    found = search(left.kept, left.secrets)
    assert not found, "\n".join(found)
