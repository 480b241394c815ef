"""A migrated database for all runs of this folder."""

from collections.abc import Generator
from pathlib import Path

import pytest

from paydesk_simulator.storage import template


@pytest.fixture(scope="session")
def migrated() -> Generator[Path]:
    with template() as file:
        yield file
