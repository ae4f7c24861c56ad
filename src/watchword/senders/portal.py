"""Sending from synchronous code: drive a sender that never waits, lend the others an event loop."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}
_ending: set[asyncio.Task[None]] = set()
CLOSE_SECONDS = 2.0


def begin(sending: Coroutine[Any, Any, T], *, waits: bool) -> Future[T]:
    """Begin to send, from a thread without an event loop of its own; return the answer to be."""
    if waits:
        return asyncio.run_coroutine_threadsafe(sending, _loop())
    sent: Future[T] = Future()
    sent.set_result(_drive(sending))
    return sent


def end(loop: asyncio.AbstractEventLoop, closing: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Close what was opened in a loop, whether that is this one, another thread's, or at rest."""
    if loop.is_closed():
        return
    if not loop.is_running():
        loop.run_until_complete(closing())
    elif loop is running_loop():
        _ending.add(task := loop.create_task(closing()))
        task.add_done_callback(_ending.discard)
    else:
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(closing(), loop).result(CLOSE_SECONDS)


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that this thread is in, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _drive(sending: Coroutine[Any, Any, T]) -> T:
    try:
        sending.send(None)
    except StopIteration as end:
        receipt: T = end.value
        return receipt
    sending.close()
    raise RuntimeError("a sender that says it never waits has waited")


def _loop() -> asyncio.AbstractEventLoop:
    """Return this process's loop for senders; a forked child makes its own."""
    with _lock:
        if os.getpid() not in _loops:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="watchword-senders", daemon=True).start()
            _loops.clear()
            _loops[os.getpid()] = loop
        return _loops[os.getpid()]
