"""A sandbox process on a free port, for as long as a `with` lasts."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Seen = TypeVar("Seen")


class Running:
    """Its address, and how to end it."""

    def __init__(self, process: subprocess.Popen[str], written: Path) -> None:
        self.process = process
        self._written = written
        assert process.stdout is not None
        self.first_line = process.stdout.readline()
        said, _, self.url = self.first_line.strip().partition(" on ")
        assert said == "listening", f"it said {self.first_line!r} and {self.written()!r}"

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def written(self) -> str:
        """Everything on stderr so far."""
        return self._written.read_text()

    def end(self) -> tuple[int, str]:
        """SIGTERM; the exit code, and what it wrote on stdout after its first line."""
        self.process.terminate()
        rest, _ = self.process.communicate(timeout=10)
        return self.process.returncode, rest


@contextmanager
def running(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """`python -m paydesk_sandbox …` with `--port 0`. What it writes on stderr must be nothing."""
    command = [sys.executable, "-m", "paydesk_sandbox", *arguments, "--port", "0"]
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "stderr")
        with written.open("w") as stderr:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)
        try:
            started = Running(process, written)
            yield started
            assert started.written() == ""
        finally:
            process.kill()
            process.communicate()


def until(look: Callable[[], Seen], timeout_seconds: float = 20) -> Seen:
    """What `look` gives as soon as it is true."""
    end = time.monotonic() + timeout_seconds
    while not (seen := look()):
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.01)
    return seen
