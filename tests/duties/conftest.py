"""The engines that duties are tried on."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.store.sitter import SqliteSitter


@pytest.fixture
def sitter(tmp_path: Path) -> Generator[SqliteSitter]:
    sat = SqliteSitter(tmp_path, turned=True)
    yield sat
    sat.close()
