"""Measure the resend ladder: cycles of check_count, add_count and delete_count in one thread.

    python -m benchmarks.ladder_cycles [--seconds 5]

Ours on SQLite with every commit on disk, and beside it the same three steps written plainly with
peewee, on a file set up the same way. Also a guarded verification with its right check, against
what the disk's fdatasync allows for the commits they need.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import peewee

from benchmarks import store_batches
from watchword.commands.ladder import Climb, DeleteCounter, LookAtCounter
from watchword.commands.verifications import GuardedStart


def rate(step: Callable[[int], None], seconds: float) -> float:
    """Return how often a step runs in a second."""
    began = time.perf_counter()
    count = 0
    while time.perf_counter() < began + seconds:
        step(count)
        count += 1
    return count / (time.perf_counter() - began)


def watchword_cycle(folder: Path) -> Callable[[int], None]:
    engine = store_batches.open_engine(f"sqlite:///{folder / 'ours.db'}")

    def cycle(number: int) -> None:
        pair = f"unique{number}", "user"
        engine.perform(LookAtCounter(*pair))
        found = engine.store.counter(*pair)
        assert found is not None
        assert found.id is not None
        engine.perform(Climb(found.id, *pair))
        engine.perform(DeleteCounter(found.id))

    return cycle


def peewee_cycle(folder: Path) -> Callable[[int], None]:
    pragmas = {"journal_mode": "wal", "synchronous": 2}
    database = peewee.SqliteDatabase(str(folder / "theirs.db"), pragmas=pragmas)

    class Svretries(peewee.Model):
        userId = peewee.CharField(null=True)  # noqa: N815
        uniqueId = peewee.CharField(null=True)  # noqa: N815
        count = peewee.IntegerField(null=True)
        expires = peewee.DateTimeField(null=True)
        createdAt = peewee.DateTimeField(default=datetime.now)  # noqa: N815

    Svretries._meta.set_database(database)  # noqa: SLF001
    database.create_tables([Svretries])

    def cycle(number: int) -> None:
        pair = {"uniqueId": f"unique{number}", "userId": "user"}
        row: Any = Svretries.get_or_none(**pair) or Svretries.create(**pair, count=0)
        row.count += 1
        row.expires = datetime.now() + timedelta(minutes=2)  # noqa: DTZ005
        row.save()
        Svretries.get_by_id(row.id).delete_instance()

    return cycle


def guarded_pair(folder: Path) -> Callable[[int], None]:
    engine = store_batches.open_engine(f"sqlite:///{folder / 'pairs.db'}")

    def pair(number: int) -> None:
        guarded = engine.perform(GuardedStart(store_batches.start(), f"unique{number}", "user"))
        started = guarded.started
        engine.perform(store_batches.check(started.verification.to, started.code))

    return pair


def syncs(folder: Path) -> Callable[[int], None]:
    file = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY)

    def sync(number: int) -> None:
        os.pwrite(file, b"x" * 4096, number % 256 * 4096)
        os.fdatasync(file)

    return sync


def main() -> None:
    arguments = argparse.ArgumentParser(description="Measure the resend ladder.")
    arguments.add_argument("--seconds", type=float, default=5)
    seconds = arguments.parse_args().seconds
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        ours = rate(watchword_cycle(folder), seconds)
        theirs = rate(peewee_cycle(folder), seconds)
        pairs = rate(guarded_pair(folder), seconds)
        disk = rate(syncs(folder), seconds)
    more = f"peewee {theirs:,.0f}: {ours / theirs:.1f} times"
    print(f"check + add + delete    {ours:8,.0f} cycles/s, {more}")
    print(f"guarded start + check   {pairs:8,.0f} pairs/s")
    share = f"3 commits a pair: {pairs * 3 / disk:.0%} of it"
    print(f"fdatasync               {disk:8,.0f} /s; {share}")


if __name__ == "__main__":
    main()
