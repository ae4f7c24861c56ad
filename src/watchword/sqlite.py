"""How a SQLite file is opened: private, one writer at a time, readers never blocked."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Literal

from watchword.errors import StoreError

BUSY_SECONDS = 30  # how long to wait for another process's commit, which takes a millisecond
WAL_TRIES = 200  # the switch to the write-ahead log does not wait for others by itself
WAL_PAUSE = 0.02


def make_private(path: Path) -> None:
    """Make the file, and the folder it lies in, readable by their owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    except OSError as fault:
        raise StoreError(
            f"{path} cannot be made ({fault.strerror}); set WATCHWORD_HOME to a folder of yours"
        ) from fault


class Place:
    """Where an open file lies: one that was moved or deleted is still written to, for nobody."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._look()

    def check(self) -> None:
        """Raise StoreError unless the file that was opened is still there."""
        if self._look() != self._file:
            raise StoreError(
                "the database file was moved, replaced or deleted while it was in use; nothing "
                "more is written to it: put it right (watchword doctor names it) and start again"
            )

    def _look(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116  # a third of the time of Path.stat
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


def use_wal(connection: sqlite3.Connection, *, synchronous: Literal["FULL", "OFF"]) -> None:
    """Switch a connection to the write-ahead log. With FULL, a commit that returned is on disk."""
    for tries_left in reversed(range(WAL_TRIES)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:  # another process is making the file at this moment
            if not tries_left:
                raise
            time.sleep(WAL_PAUSE)
    connection.execute(f"PRAGMA synchronous = {synchronous}")
