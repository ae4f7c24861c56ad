"""Prove the promise on PostgreSQL with a synchronous standby: promoted while the load goes on.

python -m proofs.standby --size short
"""

import argparse
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence

import psycopg

from proofs.calling import Logins, calling, counts
from proofs.report import report
from tests.databases import PostgresServer
from watchword.home import Credentials
from watchword.torture import Count, Known, make_service, open_engine

SECRET = b"proof secret, 32 bytes or longer."
PROMOTIONS = {"short": 1, "usual": 3, "full": 20}
CALLERS = 4


class Primary(PostgresServer):
    """A primary that commits only what its standby has on disk too."""

    def command(self) -> Sequence[str]:
        return (*super().command(), "-c", "synchronous_standby_names=*", "-c", "wal_level=replica")


class Standby(Primary):
    """A copy of the primary that follows it."""

    def __init__(self, primary: Primary) -> None:
        self.primary = primary
        super().__init__(durable=True)

    def make(self) -> None:
        self.run(
            self.binaries / "pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast",
            "-d", self.primary.url("postgres"),
        )  # fmt: skip

    def command(self) -> Sequence[str]:
        return PostgresServer.command(self)  # alone after the promotion, it waits for nobody

    def promote(self) -> None:
        """Make it the primary."""
        self.run(self.binaries / "pg_ctl", "promote", "-D", self.data)


@contextlib.contextmanager
def pair() -> Iterator[tuple[Primary, Standby]]:
    """Start a primary and its synchronous standby."""
    primary = Primary(durable=True)
    primary.start("-c", "synchronous_standby_names=")
    primary.create("proof")
    standby = Standby(primary)
    standby.start()
    primary.stop()
    primary.start()
    try:
        with psycopg.connect(primary.url("postgres"), autocommit=True) as connection:
            while not connection.execute(
                "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
            ).fetchone():
                time.sleep(0.05)
        yield primary, standby
    finally:
        primary.remove()
        standby.remove()


def both(primary: Primary, standby: Standby) -> str:
    """Return the URL that names both, and takes the one that can be written to."""
    hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in (primary, standby))
    return f"postgresql://watchword@/proof?{hosts}&target_session_attrs=read-write"


def promotion() -> tuple[int, int, int, float]:
    """Kill the primary under load and promote the standby.

    Return the approved, those of them good twice, strange faults, and the seconds without answer.
    """
    with pair() as (primary, standby):
        engine = open_engine(Known(both(primary, standby), SECRET, Credentials.new()))
        make_service(engine)
        logins = Logins(engine)
        with calling(logins.log_in, CALLERS):
            time.sleep(2)
            began = time.monotonic()
            primary.stop(signal.SIGKILL)
            standby.promote()
            seconds = logins.seconds_until_the_next(began)
            time.sleep(1)
        twice = logins.good_twice()
        engine.close()
    return len(logins.approved), twice, logins.strange, seconds


def prove(times: int) -> Iterator[Count]:
    """Promote so many standbys."""
    approved, twice, strange, seconds = zip(*(promotion() for _ in range(times)), strict=True)
    around = f"around {times} promotions"
    yield from counts(sum(approved), sum(twice), sum(strange), max(seconds), around)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Prove the promise with a standby.")
    arguments.add_argument("--size", choices=list(PROMOTIONS), default="full")
    given = arguments.parse_args()
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it reports each connection we break
    counts = prove(PROMOTIONS[given.size])
    sys.exit(0 if report("PostgreSQL with a synchronous standby", counts) else 1)


if __name__ == "__main__":
    main()
