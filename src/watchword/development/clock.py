"""A clock that can be turned on: for tests, and for a server in development."""

from datetime import datetime, timedelta

from watchword.clock import Clock
from watchword.development.controls import Controls


class TurnedClock:
    """Tell another clock's time, turned on by what the controls say."""

    def __init__(self, base: Clock, controls: Controls) -> None:
        self.controls = controls
        self._base = base

    def now(self) -> datetime:
        """Return the present moment as it is turned to."""
        return self._base.now() + self.controls.read().offset

    def advance(self, **duration: float) -> datetime:
        """Turn the clock on, by `timedelta`'s arguments such as `minutes=2`; return the time."""
        self.controls.turn_clock(timedelta(**duration))
        return self.now()
