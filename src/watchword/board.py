"""How all workers of this machine are doing: a file for each, in a folder.

A worker knows only its own counts and breakers. It writes them here every few seconds; whoever
wants to see all of them, a worker asked for its metrics or `watchword senders`, reads the folder.
No number, address or code is among them.
"""

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from watchword.counts import Counts
from watchword.senders.dispatch import Health, dispatch_of

WRITE_EVERY = 2.0  # seconds
FORGET_AFTER = 60.0  # seconds without a word; a worker that was killed says none


class Worker(msgspec.Struct, frozen=True):
    """What one process said last."""

    pid: int
    written_at: float
    senders: tuple[Health, ...]
    counts: Counts = msgspec.field(default_factory=Counts)

    @classmethod
    def of(cls, sender: object, counts: Counts) -> "Worker":
        """Say how this process is doing now."""
        dispatch = dispatch_of(sender)
        healths = dispatch.health() if dispatch is not None else ()
        return cls(os.getpid(), time.time(), tuple(healths), counts)


class Board:
    """The folder's reader and writer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, tell: Callable[[], Worker]) -> None:
        """Write this process's part until cancelled; then take it away."""
        try:
            while True:
                self.write(tell())
                await asyncio.sleep(WRITE_EVERY)
        finally:
            with contextlib.suppress(OSError):
                self._path().unlink(missing_ok=True)

    def write(self, told: Worker) -> None:
        """Write this process's part; a disk that is full costs the figures and nothing else."""
        draft = self._folder / f".{os.getpid()}.{secrets.token_hex(4)}"
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.encode(told))
            draft.replace(self._path())

    def read(self) -> list[Worker]:
        """Return what every living worker said last, by its process id."""
        found = []
        for path in self._folder.glob("*.json"):
            with contextlib.suppress(OSError, msgspec.DecodeError):
                worker = msgspec.json.decode(path.read_bytes(), type=Worker)
                if time.time() - worker.written_at < FORGET_AFTER:
                    found.append(worker)
                else:
                    path.unlink(missing_ok=True)
        return sorted(found, key=lambda worker: worker.pid)

    def _path(self) -> Path:
        return self._folder / f"{os.getpid()}.json"
