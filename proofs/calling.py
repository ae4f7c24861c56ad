"""Callers: threads that do one thing over and over while something else is done to a server."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


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
