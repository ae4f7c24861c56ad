"""Group commit: the commands of one turn of the event loop become one batch.

The queue before a batch is short on purpose. What would have to wait longer than its caller does is
refused at once, so that what is let in is answered in time, and one account leaves room for others.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from watchword.batch import Outcome
from watchword.commands.base import Command
from watchword.errors import Overloaded
from watchword.record import Record

logger = logging.getLogger("watchword")

MAX_WAITING = 128  # commands; at a thousand a second, the last one waits for an eighth of one
LONGEST_WAIT = 5.0  # seconds; whoever has waited so long has gone, or soon will
SHARED_FOR = 60.0  # seconds after another account was heard of
SAY_EVERY = 10.0  # seconds between two lines in the log

Runner = Callable[[list[Command[Any]]], list[Outcome]]


class Waiting(Record, frozen=True):
    """A command in the queue: since when, and whose; our own have no account."""

    command: Command[Any]
    future: asyncio.Future[Outcome]
    since: float
    account: str | None


class Gatherer:
    """Collect what arrives in a turn of the loop and run it as one batch at the turn's end.

    The first command of a turn schedules the run; those whose tasks are ready in the same turn
    come before it in the loop's queue. Nothing waits for company: a lone command runs at once.

    With `lanes`, for a database behind a network, so many batches may be under way in threads
    while the loop goes on; what arrives meanwhile gathers for the next.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        run: Runner,
        max_batch: int,
        *,
        lanes: int = 0,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.loop = loop
        self._run = run
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waiting: list[Waiting] = []
        self._held: Counter[str] = Counter()  # by account: places in the queue
        self._newest_account: str | None = None
        self._shared_until = 0.0
        self._refused = 0
        self._said_at = -SAY_EVERY
        self._free_lanes = lanes
        self._threads = ThreadPoolExecutor(lanes, "watchword-batch") if lanes else None

    @property
    def is_full(self) -> bool:
        """Tell whether a caller would be refused, whoever it is."""
        return len(self._waiting) >= self._max_waiting

    def add(self, command: Command[Any], account: str | None = None) -> asyncio.Future[Outcome]:
        """Take a command in; the future gets its outcome, an exception included, as a value.

        Raises Overloaded for a caller's command when the queue is full, or half full of the same
        `account`'s while there are others. What has none is our own and follows from a command
        that was let in.
        """
        if account is not None:
            if self.is_full or self._held[account] >= self._share(account):
                raise self.refusal()
            self._held[account] += 1
        future: asyncio.Future[Outcome] = self.loop.create_future()
        if not self._waiting:
            self.loop.call_soon(self._flush)
        self._waiting.append(Waiting(command, future, self.loop.time(), account))
        return future

    def turns_away(self) -> bool:
        """Tell whether the queue is full, and count a caller who is told so."""
        if self.is_full:
            self.refusal()
            return True
        return False

    def refusal(self) -> Overloaded:
        """Return what a caller is refused with, and say now and then how many were."""
        self._refused += 1
        if self.loop.time() - self._said_at >= SAY_EVERY:
            logger.warning("overloaded: %d requests refused since this was said", self._refused)
            self._said_at, self._refused = self.loop.time(), 0
        return Overloaded()

    def close(self) -> None:
        """Let the batches under way end, and start no other."""
        if self._threads is not None:
            self._threads.shutdown()

    def _share(self, account: str) -> int:
        """Return how many places an account may hold: half of them while it is not the only one."""
        now = self.loop.time()
        if account != self._newest_account:
            if self._newest_account is not None:
                self._shared_until = now + SHARED_FOR
            self._newest_account = account
        return self._max_waiting // 2 if now < self._shared_until else self._max_waiting

    def _flush(self) -> None:
        if not self._waiting or (self._threads is not None and not self._free_lanes):
            return  # a lane that becomes free looks here again
        batch = self._next_batch()
        if self._waiting:
            self.loop.call_soon(self._flush)
        if not batch:
            return
        commands = [waiting.command for waiting in batch]
        if self._threads is None:
            _answer(batch, self._run(commands))
        else:
            self._free_lanes -= 1
            running = self.loop.run_in_executor(self._threads, self._run, commands)
            running.add_done_callback(lambda done: self._end(batch, done))

    def _next_batch(self) -> list[Waiting]:
        """Take the next ones out of the queue, without those nobody waits for any more."""
        taken, self._waiting = self._waiting[: self._max_batch], self._waiting[self._max_batch :]
        batch = []
        oldest = self.loop.time() - LONGEST_WAIT
        for waiting in taken:
            if waiting.account is not None:
                self._held[waiting.account] -= 1
                if not self._held[waiting.account]:
                    del self._held[waiting.account]
                if waiting.future.done():  # cancelled: it was never begun
                    continue
                if waiting.since < oldest:
                    waiting.future.set_result(self.refusal())
                    continue
            batch.append(waiting)
        return batch

    def _end(self, batch: list[Waiting], done: asyncio.Future[list[Outcome]]) -> None:
        self._free_lanes += 1
        fault = asyncio.CancelledError() if done.cancelled() else done.exception()
        _answer(batch, [fault] * len(batch) if fault is not None else done.result())
        self._flush()


def _answer(batch: list[Waiting], outcomes: list[Outcome]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        if not waiting.future.done():  # its caller may have gone away; what was committed stays
            waiting.future.set_result(outcome)
