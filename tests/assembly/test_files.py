"""File descriptors: the listener never takes those that PSPs need."""

import resource
import subprocess
import sys

import pytest

from paydesk.assembly.files import connections_max
from paydesk.config import Config

LIMITS = (
    "import resource; from paydesk.assembly.files import raise_limit; "
    "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE); resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard)); "
    "assert raise_limit() == hard; assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)"
)


def test_the_soft_limit_becomes_the_hard_one() -> None:
    """In a process of its own: ours has enough."""
    subprocess.run([sys.executable, "-c", LIMITS], check=True, timeout=60)


@pytest.mark.parametrize(
    ("files", "most"),
    [(1_048_576, 8192), (resource.RLIM_INFINITY, 8192), (4096, 4096 - 1024 - 512 - 128), (1024, 512), (256, 128)],
)
def test_some_are_kept(files: int, most: int) -> None:
    assert connections_max(Config(), files) == most
