"""One stage for all journeys of a worker; every journey has merchants of its own."""

from collections.abc import Generator

import pytest

from tests.journeys.cast import Cast
from tests.stage.stage import Stage, staged


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    with staged(tmp_path_factory.mktemp("stage")) as playing:
        yield playing


@pytest.fixture
def cast(stage: Stage) -> Generator[Cast]:
    """Whoever this test needs."""
    playing = Cast(stage)
    yield playing
    playing.leave()
