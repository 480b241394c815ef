"""A demo as somebody at a terminal or a script starts it, and whether its processes are gone afterwards."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PAYDESK = Path(sys.executable).parent / "paydesk"
SECONDS = 60.0


def once(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`paydesk demo --once`, piped."""
    command = [PAYDESK, "demo", "--once", "--data", str(data), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


@contextmanager
def staying(data: Path) -> Generator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A demo that paid and stays up, with what it said as JSON."""
    command = [PAYDESK, "demo", "--json", "--data", str(data)]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said: dict[str, Any] = {}
    try:
        assert demo.stdout
        lines: list[str] = []
        while not lines or lines[-1] != "}\n":
            lines.append(demo.stdout.readline())
            assert lines[-1], demo.communicate()[1]
        said = json.loads("".join(lines))
        yield demo, said
    finally:
        demo.kill()
        demo.communicate()
        for pid in said.get("processes", {}).values():  # Left behind only where a test failed.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def gone(pid: int) -> bool:
    """Whether the process ended, waiting for it for a while: a killed one is reaped a moment later."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False
