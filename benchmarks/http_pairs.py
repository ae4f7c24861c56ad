"""Pairs of start and right check per second through HTTP, every commit on disk, with CPU per pair.

python -m benchmarks.http_pairs [--seconds 10] [--connections 64] [--workers 1] [--json]
"""

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from twilio.rest import Client

from benchmarks.load import run_pairs
from tests.server import serving

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time that these processes have used."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / CLOCK_TICKS


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(descendant for child in children for descendant in family(int(child)))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["WATCHWORD_HOME"] = home
        with serving("--workers", str(arguments.workers)) as server:
            known = server.credentials
            client = Client(known.account_sid, known.auth_token)
            client.verify.base_url = server.url
            client.verify.v2.services(known.service_sid).update(custom_code_enabled=True)
            parts = urlsplit(server.url)
            address = (parts.hostname or "", parts.port or 0)
            run_pairs(address, known, connections=8, seconds=1, first=0)
            pids = family(server.pid)
            before = cpu_seconds(pids)
            result = run_pairs(
                address,
                known,
                connections=arguments.connections,
                seconds=arguments.seconds,
                first=10_000_000,
            )
            used = cpu_seconds(pids) - before
    figures = {
        "pairs per second": round(result.pairs_per_second),
        "server CPU, µs per pair": round(used / max(result.pairs, 1) * 1e6),
        "p50, ms": round(result.percentile(0.5), 2),
        "p99, ms": round(result.percentile(0.99), 2),
        "failures": result.failures,
        "durability": "SQLite, synchronous=FULL",
        "connections": arguments.connections,
        "workers": arguments.workers,
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
    }
    if arguments.json:
        print(json.dumps(figures, indent=2, ensure_ascii=False))
    else:
        for name, value in figures.items():
            print(f"{name:26} {value}")


if __name__ == "__main__":
    main()
