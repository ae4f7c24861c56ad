"""What a pair writes into SQLite's log, with sids that begin with the time and with random ones.

python -m benchmarks.pages [--stored 15000] [--measured 3000] [--json]

Pairs of a start and a right check, 64 at a time, in batches; first so many to fill the tables, then
those whose pages are counted.
"""

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from benchmarks.store_batches import check, open_engine, start
from watchword.engine import Engine
from watchword.sids import new_sid

CALLERS = 64
FRAME = 4096 + 24  # bytes of a page in the log, with its header


def random_sid(prefix: str) -> str:
    """Return a sid without a time in it."""
    return prefix + os.urandom(16).hex()


async def pairs(engine: Engine, count: int) -> None:
    """Run so many pairs."""
    waiting = iter(range(count))

    async def caller() -> None:
        for _ in waiting:
            started = await engine.submit(start())
            await engine.submit(check(started.verification.to, started.code))

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


def pages(make_sid: Callable[[str], str], stored: int, measured: int) -> float:
    """Return the pages that a pair writes when so many are stored."""
    folders = tempfile.TemporaryDirectory(prefix="watchword-bench-")
    with patch("watchword.engine.new_sid", make_sid), folders as folder:
        file = Path(folder) / "pages.db"
        engine = open_engine(f"sqlite:///{file}")

        async def run() -> float:
            await pairs(engine, stored)
            for pragma in ("wal_checkpoint(TRUNCATE)", "wal_autocheckpoint = 0"):
                _say(engine, f"PRAGMA {pragma}")
            await pairs(engine, measured)
            return file.with_name("pages.db-wal").stat().st_size / FRAME / measured

        found = asyncio.run(run())
        engine.close()
        return found


def _say(engine: Engine, pragma: str) -> None:
    """Say it on every connection that batches use."""
    for session in engine.store._idle:  # type: ignore[attr-defined]  # noqa: SLF001
        session.connection.execute(pragma).fetchall()


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int, default=15_000)
    parser.add_argument("--measured", type=int, default=3_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {
        "sids that begin with the time": pages(new_sid, given.stored, given.measured),
        "random sids": pages(random_sid, given.stored, given.measured),
    }
    if given.json:
        print(json.dumps({name: round(count, 2) for name, count in found.items()}, indent=2))
        return
    for name, count in found.items():
        print(f"{count:6.2f} pages a pair  {name}")


if __name__ == "__main__":
    main()
