"""The engines that duties are tried on."""

from collections.abc import Generator
from pathlib import Path

import pytest

from paydesk.duties.rows import DeadDuty
from tests.store.sitter import KINDS, SqliteSitter


@pytest.fixture
def sitter(tmp_path: Path) -> Generator[SqliteSitter]:
    sat = SqliteSitter(tmp_path, turned=True, kinds=(*KINDS, DeadDuty))
    yield sat
    sat.close()
