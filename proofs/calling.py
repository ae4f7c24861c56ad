"""Callers: threads that do one thing over and over while something else is done to a server."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from watchword.engine import Engine
from watchword.errors import Refusal, StoreError
from watchword.torture import Count, check, start_one

PATIENCE = 30.0  # seconds within which somebody is answered again


@contextmanager
def calling(call: Callable[[int], None], callers: int) -> Iterator[None]:
    """Call from so many threads, with the caller's number, until the block and the calls end."""
    stop = threading.Event()

    def go_on(number: int) -> None:
        while not stop.is_set():
            call(number)

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


class Logins:
    """Callers who log in one number after another, and what they were told."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._numbers = count(1_000_000)
        self.approved: list[tuple[str, str]] = []
        self.strange = 0  # faults that are neither a refusal nor a 503

    def log_in(self, _caller: int) -> None:
        """Start, check, and keep what was approved."""
        try:
            to, code = start_one(self._engine, next(self._numbers))
            if check(self._engine, to, code):
                self.approved.append((to, code))
        except (StoreError, Refusal):
            pass
        except Exception as fault:
            self.strange += 1
            print(f"strange: {type(fault).__name__}")

    def seconds_until_the_next(self, began: float) -> float:
        """Wait until another one is approved; return the seconds since `began`."""
        before = len(self.approved)
        while len(self.approved) == before and time.monotonic() < began + PATIENCE:
            time.sleep(0.01)
        return time.monotonic() - began

    def good_twice(self) -> int:
        """Try every code that was approved again, and count those that are good."""
        return sum(check(self._engine, to, code) for to, code in self.approved)


def counts(approved: int, twice: int, strange: int, slowest: float, around: str) -> Iterator[Count]:
    """Say what became of logins around something that was done to the database."""
    what = f"codes good twice, of {approved} approved {around}"
    yield Count(what, twice, "0", not twice)
    yield Count("faults other than StoreError (503)", strange, "0", not strange)
    tenths = round(slowest * 10)
    yield Count("tenths of a second until it answered again", tenths, "<= 50", tenths <= 50)
