"""Work that waits for a disk or a server in places: who runs it says where the waiting is done.

Such work is a generator of calls that wait. It does everything else itself, so what it does
between two waits is done in one thread, and an event loop need not stand still while a disk
writes.
"""

import time
from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")

Wait = Callable[[], object]
Waits = Generator[Wait, None, T]


class Pause:
    """A wait for somebody else, who may take long: no loop is to stand still for it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self) -> None:
        time.sleep(self.seconds)


def resume(work: Waits[T], fault: BaseException | None) -> Wait:
    """Go on with work whose wait is over, or ended in a fault, and return the next wait.

    Raises StopIteration, with what the work came to, when there is none.
    """
    return next(work) if fault is None else work.throw(fault)


def attempt(wait: Wait) -> BaseException | None:
    """Wait here and return the fault it ended in, if it did."""
    try:
        wait()
    except BaseException as fault:
        return fault
    return None


def run_here(work: Waits[T]) -> T:
    """Do work and all its waiting in this thread."""
    fault: BaseException | None = None
    while True:
        try:
            wait = resume(work, fault)
        except StopIteration as end:
            result: T = end.value
            return result
        fault = attempt(wait)
