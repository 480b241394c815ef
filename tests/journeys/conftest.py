"""One stage for all journeys of a worker; every journey has merchants of its own."""

import json
from collections.abc import Generator

import pytest

from tests.journeys.cast import Cast
from tests.stage.stage import Stage, staged


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """At its end a look into the log: no journey may have met a fault of ours."""
    with staged(tmp_path_factory.mktemp("stage")) as playing:
        yield playing
        assert playing.server
    lines = [json.loads(line) for line in playing.server.err.read_bytes().splitlines()]
    assert [line for line in lines if line["level"] == "error"] == []


@pytest.fixture
def cast(stage: Stage) -> Generator[Cast]:
    """Whoever this test needs."""
    playing = Cast(stage)
    yield playing
    playing.leave()
