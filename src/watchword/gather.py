"""Group commit: the commands of one turn of the event loop become one batch."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from watchword.batch import Outcome
from watchword.commands.base import Command
from watchword.counts import Counts
from watchword.record import Record
from watchword.room import Room
from watchword.waits import Pause, Wait, Waits, attempt, resume, run_here

LONGEST_WAIT = 5.0  # seconds; whoever has waited so long has gone, or soon will
MANY = 8  # commands; the commit of so many is waited for beside the loop
SLOW = 0.05  # seconds; a batch on a database nearby takes a tenth of it

Runner = Callable[[list[Command[Any]]], Waits[list[Outcome]]]


class Waiting(Record, frozen=True):
    """A command in the queue: since when, and whose; our own have no account."""

    command: Command[Any]
    future: asyncio.Future[Outcome]
    since: float
    account: str | None
    starts: bool
    about: str


class Batch(Record, frozen=True):
    """A batch under way: whom it answers, what is left of its work, and when it began."""

    waiting: list[Waiting]
    work: Waits[list[Outcome]]
    begun: float


class Gatherer:
    """Collect what arrives in a turn of the loop and run it as one batch at the turn's end.

    The first command of a turn schedules the run; those whose tasks are ready in the same turn
    come before it in the loop's queue. Nothing waits for company: a lone command runs at once.

    While a batch of many waits for the disk, in a thread, the loop goes on, and what arrives
    meanwhile gathers for the next. With `lanes`, for a database behind a network, all of a batch
    runs in a thread. Where one is slow, for a lock that somebody holds or a server far away,
    another begins beside it, up to so many; before that, two half as large would only cost more.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        run: Runner,
        max_batch: int,
        *,
        lanes: int = 0,
        room: Room | None = None,
        counts: Counts | None = None,
    ) -> None:
        self.loop = loop
        self._run = run
        self._max_batch = max_batch
        self._counts = counts or Counts()
        self.room = room or Room(loop.time, self._counts)
        self._waiting: list[Waiting] = []
        self._is_free = True
        self._lanes = lanes
        self._spare_lanes = lanes - 1
        self._threads = ThreadPoolExecutor(max(lanes, 1), "watchword-batch")

    def add(
        self,
        command: Command[Any],
        account: str | None = None,
        *,
        starts: bool = False,
        about: str = "",
    ) -> asyncio.Future[Outcome]:
        """Take a command in; the future gets its outcome, an exception included, as a value.

        Raises Overloaded for a caller's command when there is no room. What has no `account` is
        our own and follows from a command that was let in.
        """
        if account is not None:
            self.room.enter(account, starts=starts, about=about)
        future: asyncio.Future[Outcome] = self.loop.create_future()
        if not self._waiting:
            self.loop.call_soon(self._flush)
        self._waiting.append(Waiting(command, future, self.loop.time(), account, starts, about))
        return future

    def close(self) -> None:
        """Let the batches under way end, and start no other."""
        self._threads.shutdown()

    def _flush(self) -> None:
        if not self._waiting or not self._is_free:
            return  # a batch under way that ends, or that is slow, looks here again
        waiting = self._next_batch()
        if not waiting:
            if self._waiting:
                self.loop.call_soon(self._flush)
            return
        self._is_free = False
        work = self._run([each.command for each in waiting])
        batch = Batch(waiting, work, self.loop.time())
        if not self._lanes:
            self._go_on(batch)
            return
        running = self._in_thread(partial(run_here, work))
        slow = self.loop.call_later(SLOW, self._lend)
        running.add_done_callback(lambda done: self._end_lane(batch, slow, done))

    def _go_on(self, batch: Batch, fault: BaseException | None = None) -> None:
        """Run a batch here until it waits; wait for that in the thread, and come back."""
        try:
            wait = resume(batch.work, fault)
            while self._waits_here(batch, wait):
                wait = resume(batch.work, attempt(wait))
        except StopIteration as end:
            self._end(batch, end.value)
        except Exception as unforeseen:  # noqa: BLE001  # a caller must not wait for ever
            self._end(batch, [unforeseen] * len(batch.waiting))
        else:
            self._in_thread(wait).add_done_callback(
                lambda done: self._go_on(batch, _fault_of(done))
            )

    def _waits_here(self, batch: Batch, wait: Wait) -> bool:
        """Tell whether the loop waits itself.

        A commit of a few commands is not worth two changes of threads, and a flood would fill the
        loop's next turn with refusals before anybody is answered.
        """
        if isinstance(wait, Pause):
            return False
        return len(batch.waiting) < MANY or self.room.is_pressed

    def _in_thread(self, call: Callable[[], Any]) -> asyncio.Future[Any]:
        try:
            return self.loop.run_in_executor(self._threads, call)
        except RuntimeError as closed:  # in the middle of it; then nothing of it is to happen
            future = self.loop.create_future()
            future.set_exception(closed)
            return future

    def _lend(self) -> None:
        """Let another batch begin beside one that is slow."""
        if self._spare_lanes and not self._is_free:
            self._spare_lanes -= 1
            self._is_free = True
            self._flush()

    def _next_batch(self) -> list[Waiting]:
        """Take the next ones out of the queue, without those nobody waits for any more."""
        taken, self._waiting = self._waiting[: self._max_batch], self._waiting[self._max_batch :]
        batch = []
        oldest = self.loop.time() - LONGEST_WAIT
        for waiting in taken:
            if waiting.account is not None:
                self.room.leave(waiting.account, starts=waiting.starts, about=waiting.about)
                if waiting.future.done():  # cancelled: it was never begun
                    continue
                if waiting.since < oldest:
                    waiting.future.set_result(self.room.refuse())
                    continue
            batch.append(waiting)
        return batch

    def _end_lane(
        self, batch: Batch, slow: asyncio.TimerHandle, done: asyncio.Future[list[Outcome]]
    ) -> None:
        slow.cancel()
        self._spare_lanes += self._is_free
        fault = _fault_of(done)
        self._end(batch, [fault] * len(batch.waiting) if fault is not None else done.result())

    def _end(self, batch: Batch, outcomes: list[Outcome]) -> None:
        """Answer a batch; what its answers lead to at once is part of the next."""
        self._is_free = True
        self._counts.batch_commands.add(len(outcomes))
        self._counts.batch_seconds.add(self.loop.time() - batch.begun)
        for waiting, outcome in zip(batch.waiting, outcomes, strict=True):
            if not waiting.future.done():  # its caller may have gone; what was committed stays
                waiting.future.set_result(outcome)
        if self._waiting:
            self.loop.call_soon(self._flush)


def _fault_of(done: asyncio.Future[Any]) -> BaseException | None:
    return asyncio.CancelledError() if done.cancelled() else done.exception()
