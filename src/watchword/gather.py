"""Group commit: the commands of one turn of the event loop become one batch."""

import asyncio
from collections.abc import Callable
from typing import Any

from watchword.batch import Outcome
from watchword.commands.base import Command

Runner = Callable[[list[Command[Any]]], list[Outcome]]


class Gatherer:
    """Collect what arrives in a turn of the loop and run it as one batch at the turn's end.

    The first command of a turn schedules the run; those whose tasks are ready in the same turn
    come before it in the loop's queue. Nothing waits for company: a lone command runs at once.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, run: Runner, max_batch: int) -> None:
        self.loop = loop
        self._run = run
        self._max_batch = max_batch
        self._waiting: list[tuple[Command[Any], asyncio.Future[Outcome]]] = []

    def add(self, command: Command[Any]) -> asyncio.Future[Outcome]:
        """Take a command in; the future gets its outcome, an exception included, as a value."""
        future: asyncio.Future[Outcome] = self.loop.create_future()
        if not self._waiting:
            self.loop.call_soon(self._flush)
        self._waiting.append((command, future))
        return future

    def _flush(self) -> None:
        batch, self._waiting = self._waiting[: self._max_batch], self._waiting[self._max_batch :]
        if self._waiting:
            self.loop.call_soon(self._flush)
        outcomes = self._run([command for command, _ in batch])
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if not future.done():  # its caller may have gone away; what was committed stays
                future.set_result(outcome)
