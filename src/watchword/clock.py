"""The clock: aware UTC, in whole milliseconds, and within one process it never goes back."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol


class Clock(Protocol):
    """Tell the time."""

    def now(self) -> datetime:
        """Return the present moment as an aware UTC datetime."""


class SystemClock:
    """Follow the machine's clock forwards; when it is set back, go on at its own pace.

    So a code does not live longer, and a wait does not end later in real time, because somebody
    corrected the clock of a running process.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._lock = Lock()
        self._seen = wall()
        self._seen_at = steady()

    def now(self) -> datetime:
        """Return the later of the wall clock and what has passed since it was last believed."""
        with self._lock:
            steady = self._steady()
            self._seen = max(self._wall(), self._seen + steady - self._seen_at)
            self._seen_at = steady
            return whole_milliseconds(self._seen)


class ManualClock:
    """Stand still until it is turned: for tests."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or whole_milliseconds(time.time())

    def now(self) -> datetime:
        """Return the moment the clock was last turned to."""
        return self._now

    def advance(self, **duration: float) -> datetime:
        """Turn the clock on, by `timedelta`'s arguments such as `minutes=2`; return the time."""
        self._now += timedelta(**duration)
        return self._now


def whole_milliseconds(seconds: float) -> datetime:
    """Return the aware UTC moment of a Unix time; every store keeps milliseconds and no more."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
