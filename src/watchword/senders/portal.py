"""Sending from synchronous code: drive a sender that never waits, lend the others an event loop."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

from watchword.senders.base import Receipt

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def begin(sending: Coroutine[Any, Any, Receipt], *, waits: bool) -> Future[Receipt]:
    """Begin to send, from a thread without an event loop of its own; return the receipt to be."""
    if waits:
        return asyncio.run_coroutine_threadsafe(sending, _loop())
    sent: Future[Receipt] = Future()
    sent.set_result(_drive(sending))
    return sent


def _drive(sending: Coroutine[Any, Any, Receipt]) -> Receipt:
    try:
        sending.send(None)
    except StopIteration as end:
        receipt: Receipt = end.value
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
