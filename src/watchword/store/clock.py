"""The database's clock, by which all machines on one database agree."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from sqlalchemy.engine import Connection

from watchword.clock import SystemClock
from watchword.errors import StoreError

MEASURE_EVERY = 60.0  # seconds; clocks drift by milliseconds in that time
WORTH_SAYING = 2.0  # seconds

logger = logging.getLogger("watchword.store")


class Measured(Protocol):
    """A store that can tell how far its database's clock is ahead of this machine's."""

    def skew(self, wall: Callable[[], float]) -> float:
        """Return the seconds by which the database's clock is ahead of `wall`."""


def measure_skew(connection: Connection, wall: Callable[[], float] = time.time) -> float:
    """Return the seconds by which a server's clock is ahead of this machine's."""
    ask = "SELECT UNIX_TIMESTAMP(NOW(6))"
    if connection.dialect.name == "postgresql":
        ask = "SELECT EXTRACT(EPOCH FROM clock_timestamp())"
    before = wall()
    theirs = float(connection.exec_driver_sql(ask).scalar_one())
    return theirs - (before + wall()) / 2


class DatabaseClock(SystemClock):
    """Follow the database's clock: without it, a machine that is ahead would end waits early.

    The difference is measured at the start and then once a minute, beside the requests. Like
    every clock of ours it never goes back.
    """

    def __init__(
        self,
        store: Measured,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._machine, self._since_start = store, wall, steady
        self._skew = store.skew(wall)
        self._measured_at = steady()
        if abs(self._skew) > WORTH_SAYING:
            logger.warning("clock.skew seconds=%.1f; the database's clock is used", self._skew)
        super().__init__(lambda: wall() + self._skew, steady)

    def now(self) -> datetime:
        """Return the time of the database's clock."""
        steady = self._since_start()
        if steady - self._measured_at > MEASURE_EVERY:
            self._measured_at = steady
            threading.Thread(target=self.measure, name="watchword-clock", daemon=True).start()
        return super().now()

    def measure(self) -> None:
        """Measure the difference again; one that cannot be measured stays."""
        try:
            self._skew = self._store.skew(self._machine)
        except StoreError as fault:
            logger.info("the clocks could not be compared: %s", fault)
