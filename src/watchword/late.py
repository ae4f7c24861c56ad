"""Messages still under way after their callers were answered: watched until they end."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any

from watchword.senders.base import Receipt
from watchword.senders.portal import begin

logger = logging.getLogger("watchword")
LONGEST_SECONDS = 15.0  # how long an end is put off for them; a sender's own timeout is shorter


class Late:
    """Hold what is under way, in threads and in event loops."""

    def __init__(self) -> None:
        self._sendings: set[Future[Any]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, sending: Future[Receipt], finish: Callable[[Receipt], None]) -> None:
        """Call `finish` with the receipt when it comes, in a thread of its own."""
        ended: Future[None] = Future()
        self._sendings.add(ended)

        def run() -> None:
            try:
                finish(sending.result())
            except Exception as fault:  # nobody is left to be told
                _say(fault)
            finally:
                self._sendings.discard(ended)
                ended.set_result(None)

        # A commit may wait for the database, which the senders' event loop must not.
        sending.add_done_callback(lambda _: Thread(target=run, name="watchword-late").start())

    def go_on(self, finishing: Coroutine[Any, Any, None]) -> None:
        """Let a coroutine end behind its caller's back."""
        task = asyncio.get_running_loop().create_task(finishing)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def begin(self, ending: Coroutine[Any, Any, None]) -> None:
        """Let a coroutine end behind its caller's back, in his loop or else in the senders'."""
        try:
            self.go_on(ending)
        except RuntimeError:  # no event loop runs here
            running = begin(ending, waits=True)
            self._sendings.add(running)
            running.add_done_callback(self._sendings.discard)

    def wait(self) -> None:
        """Return when the threads' messages have ended, or after a while."""
        wait(tuple(self._sendings), timeout=LONGEST_SECONDS)

    async def drain(self) -> None:
        """Return when this loop's messages have ended, or after a while."""
        here = asyncio.get_running_loop()
        mine = [task for task in self._tasks if task.get_loop() is here]
        if mine:
            await asyncio.wait(mine, timeout=LONGEST_SECONDS)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            _say(fault)


def _say(fault: BaseException) -> None:
    logger.error("a delivery could not be recorded: %s", type(fault).__name__)
