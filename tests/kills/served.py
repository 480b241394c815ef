"""`paydesk serve` as a process of its own, forked from one that has imported it: what a start does is the same, and
three quarters of its time were imports.
"""

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

READY_SECONDS = 30.0

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["paydesk.cli.app", "paydesk.assembly.serving"])


class Served:
    """One life of the server. What it prints is of this life, its log of all of them."""

    def __init__(self, data: Path, log: Path, *, port: int, environment: Mapping[str, str]) -> None:
        self._out, self._err = log.with_suffix(".out"), log.with_suffix(".err")
        self._out.unlink(missing_ok=True)
        arguments = ["paydesk", "serve", "--port", str(port), "--data", str(data), "--json"]
        inside = (arguments, self._out, self._err, dict(environment))
        self._process: ForkServerProcess = FORKS.Process(target=_serve, args=inside, daemon=True)
        self._process.start()

    def wait(self) -> str:
        """Until it is ready; where it is."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until and self._process.is_alive():
            if self._out.exists() and (said := self._out.read_text()).endswith("}\n"):
                return json.loads(said)["serving"]
            time.sleep(0.005)
        raise AssertionError(f"not ready; exit status {self._process.exitcode}\n{self._err.read_text()[-3000:]}")

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def stop(self) -> int | None:
        """SIGTERM; the exit status."""
        self._process.terminate()
        self._process.join(READY_SECONDS)
        return self._process.exitcode


def _serve(arguments: list[str], out: Path, err: Path, environment: Mapping[str, str]) -> None:
    """Become `paydesk serve`."""
    from paydesk.cli import main

    for path, standard in ((out, sys.stdout), (err, sys.stderr)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, standard.fileno())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in [name for name in os.environ if name.startswith("PAYDESK_")]:
        del os.environ[name]
    os.environ.update(environment)
    sys.argv = arguments
    main()
