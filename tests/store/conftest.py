"""The engines that sit the exam."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.store.sitter import Sitter, SqliteSitter


@pytest.fixture(params=["sqlite", "sqlite-turned"])
def sitter(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Sitter]:
    sat = SqliteSitter(tmp_path, turned=request.param == "sqlite-turned")
    yield sat
    sat.close()


@pytest.fixture
def turned(tmp_path: Path) -> Generator[SqliteSitter]:
    """For what is about time: to the millisecond, and without waiting."""
    sat = SqliteSitter(tmp_path, turned=True)
    yield sat
    sat.close()
