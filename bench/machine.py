"""What the operating system says: a process's CPU and memory, how long this disk takes to keep what it is given."""

import os
import platform
import resource
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = resource.getpagesize()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all its threads so far (proc(5), fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int) -> float:
    """Resident memory, in megabytes of 10^6 bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES / 1e6


def fsync_us(folder: Path, times: int) -> list[float]:
    """How long `times` appends of 4 KiB each take to be on disk, in the filesystem of `folder`."""
    path = folder / "fsync"
    taken: list[float] = []
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for _ in range(times):
            began = time.perf_counter_ns()
            os.write(file, bytes(4096))
            os.fdatasync(file)
            taken.append((time.perf_counter_ns() - began) / 1000)
    finally:
        os.close(file)
        path.unlink()
    return taken


def facts() -> dict[str, Any]:
    """The machine that the figures are of."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "cores": os.cpu_count(),
        "processor": processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load_before": round(os.getloadavg()[0], 2),
    }


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def percentile(values: list[int] | list[float], share: float) -> float:
    """The value that `share` of all values do not exceed (0.5: the median, 0.99)."""
    return median(values) if share == 0.5 else sorted(values)[min(int(len(values) * share), len(values) - 1)]
