"""Work that waits for a disk or a server in places: who runs it says where the waiting is done.

Such work is a generator of calls that wait. It does everything else itself, so what it does
between two waits is done in one thread, and an event loop need not stand still while a disk
writes.
"""

from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")

Wait = Callable[[], object]
Waits = Generator[Wait, None, T]


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
