"""Without `--once` the demo stays up; it ends when it is told to, or when one of its processes dies."""

import os
import signal
from pathlib import Path

import httpx

from tests.demo.running import gone, staying


def test_it_stays_up_until_it_is_told_to_end(tmp_path: Path) -> None:
    with staying(tmp_path / "data") as (demo, said):
        assert demo.poll() is None
        assert httpx.get(said["places"]["shop"]).status_code == 200
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(60) == 0
        assert all(gone(pid) for pid in said["processes"].values())


def test_a_process_that_dies_ends_it_with_a_sentence(tmp_path: Path) -> None:
    with staying(tmp_path / "data") as (demo, said):
        os.kill(said["processes"]["PSP"], signal.SIGKILL)
        assert demo.wait(60) == 1
        assert demo.stderr
        told = demo.stderr.read()
        assert told.startswith("paydesk: PSP ended with status -9.\nThe last lines of ")
        assert "psp.log:" in told
        assert all(gone(pid) for pid in said["processes"].values())
