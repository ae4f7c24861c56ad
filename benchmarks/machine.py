"""What a figure was measured on: processor, cores, kernel, pace, disk, versions."""

import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PACE_ROUNDS = 200
SYNC_BYTES = 4096
PACKAGES = ("watchword", "uvicorn", "uvloop", "httptools", "sqlalchemy", "psycopg", "pymysql")


def use_a_disk() -> None:
    """Put temporary files where a commit costs what it costs: /tmp may be memory."""
    if "TMPDIR" not in os.environ and os.access("/var/tmp", os.W_OK):
        tempfile.tempdir = os.environ["TMPDIR"] = "/var/tmp"


def describe(sync_seconds: float = 1.0) -> dict[str, object]:
    """Say what this machine is and how fast it is at this moment."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "pace_us": round(pace(), 1),
        "fdatasync_per_second": round(fdatasyncs(sync_seconds)),
        "load_average_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{package: version(package) for package in PACKAGES},
        "commit": _commit(),
    }


def pace() -> float:
    """Return the microseconds that `sum(range(10000))` takes, the best of many."""
    best = float("inf")
    for _ in range(PACE_ROUNDS):
        began = time.perf_counter()
        sum(range(10_000))
        best = min(best, time.perf_counter() - began)
    return best * 1e6


def fdatasyncs(seconds: float) -> float:
    """Return how often a second the disk under the temporary files takes 4 KiB for good."""
    with tempfile.TemporaryFile() as file:
        handle = file.fileno()
        os.pwrite(handle, bytes(SYNC_BYTES * 256), 0)
        os.fdatasync(handle)
        return rate(lambda number: _sync(handle, number), seconds)


def _sync(handle: int, number: int) -> None:
    os.pwrite(handle, b"x" * SYNC_BYTES, number % 256 * SYNC_BYTES)
    os.fdatasync(handle)


def rate(step: Callable[[int], object], seconds: float) -> float:
    """Return how often a second a step runs."""
    began = now = time.perf_counter()
    count = 0
    while now < began + seconds:
        step(count)
        count += 1
        now = time.perf_counter()
    return count / (now - began)


class Meter:
    """The CPU time that processes and all their descendants use from now on."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._before = self._now()

    def used(self) -> float:
        """Return the seconds since the meter was made."""
        return self._now() - self._before

    def _now(self) -> float:
        ticks = 0
        for pid in (member for parent in self._pids for member in family(parent)):
            with suppress(FileNotFoundError):  # a database's processes come and go
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(int(field) for field in fields[11:15])  # and what it has waited for
        return ticks / CLOCK_TICKS


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [pid, *(descendant for child in children for descendant in family(int(child)))]


def resident_mib(pid: int) -> float:
    """Return the memory that a process holds now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    """Return the commit of the checkout, with a + when files differ from it; "" outside one."""
    here = Path(__file__).parent
    asked = ["git", "-C", str(here), "describe", "--always", "--dirty=+"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
