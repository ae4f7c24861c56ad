"""What an engine refuses is counted beside its work and written by it, a few seconds later."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from watchword.batch import Outcome
from watchword.commands.base import Command
from watchword.commands.refusals import WRITE_EVERY, AddRefused, Refusals
from watchword.errors import Refusal

Run = Callable[[Command[Any]], Outcome]
Gather = Callable[[Command[Any]], asyncio.Future[Outcome]]


class Tally:
    """Count refusals and write them through the engine they came from.

    `run` runs a command at once, `gather` with others of this turn of the loop; `go_on` keeps a
    coroutine that nobody awaits.
    """

    def __init__(
        self,
        run: Run,
        gather: Gather,
        now: Callable[[], datetime],
        go_on: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self.refusals = Refusals()
        self._run = run
        self._gather = gather
        self._now = now
        self._go_on = go_on
        self._planned_in: asyncio.AbstractEventLoop | None = None

    def count(self, refusal: Refusal, account_sid: str, service_sid: str) -> None:
        """Count a refusal that no command came to: that of what is no number."""
        self.refusals.count(refusal, account_sid, service_sid, "", self._now())
        self._write_if_due()

    def count_async(self, refusal: Refusal, account_sid: str, service_sid: str) -> None:
        """Count a refusal that no command came to, else `count`; the loop writes it when due."""
        self.refusals.count(refusal, account_sid, service_sid, "", self._now())
        self._plan()

    def note(self, command: Command[Any], refusal: Refusal) -> None:
        """Count a refused command, and write the counts if it is time."""
        self.refusals.note(command, refusal, self._now())
        self._write_if_due()

    def note_async(self, command: Command[Any], refusal: Refusal) -> None:
        """Count a refused command; the counts are written by the loop when it is time."""
        self.refusals.note(command, refusal, self._now())
        self._plan()

    def write(self) -> None:
        """Write what was refused since the last time; counts that cannot be written are kept."""
        taken = self.refusals.take()
        if taken is not None:
            self._keep_unwritten(taken, self._run(taken))

    async def write_async(self) -> None:
        """Write what was refused since the last time; else `write`."""
        taken = self.refusals.take()
        if taken is not None:
            self._keep_unwritten(taken, await self._gather(taken))

    def _write_if_due(self) -> None:
        if self.refusals.is_due():
            self.write()

    def _plan(self) -> None:
        loop = asyncio.get_running_loop()
        if self._planned_in is not loop:
            self._planned_in = loop
            loop.call_later(WRITE_EVERY, self._begin)

    def _begin(self) -> None:
        self._planned_in = None
        self._go_on(self.write_async())

    def _keep_unwritten(self, taken: AddRefused, outcome: Outcome) -> None:
        if isinstance(outcome, BaseException):
            self.refusals.put_back(taken)
