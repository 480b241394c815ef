"""Real processes: started with what they print when they are ready, ended by their own process id."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

READY_SECONDS = 30.0


class Process:
    """A Python module run as a process; its standard output and error are kept in files."""

    def __init__(self, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.out, self.err = log.with_suffix(".out"), log.with_suffix(".err")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PAYDESK_")}
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments], stdout=out, stderr=err, env={**inherited, **(environment or {})}
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for(self, text: str) -> str:
        """The first line on standard output that holds `text`; fails when the process ends or takes too long."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            for line in self.out.read_text().splitlines():
                if text in line:
                    return line
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"no {text!r}; exit status {self._process.poll()}\n{self.err.read_text()[-3000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM, within_seconds: float = 30.0) -> int:
        """Send the signal and wait for the end; the exit status."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        try:
            return self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"it did not end within {within_seconds} s of {how.name}") from None


@contextlib.contextmanager
def running(
    arguments: Sequence[str], *, log: Path, ready: str, environment: Mapping[str, str] | None = None
) -> Generator[tuple[Process, str]]:
    """A process for as long as the block runs, with the line that said that it is ready."""
    process = Process(arguments, log=log, environment=environment)
    try:
        yield process, process.wait_for(ready)
    finally:
        process.stop()
