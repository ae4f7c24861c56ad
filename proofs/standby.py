"""Prove the promise on PostgreSQL with a synchronous standby: promoted while the load goes on.

python -m proofs.standby --size short
"""

import argparse
import contextlib
import itertools
import logging
import signal
import sys
import time
from collections import Counter as Tally
from collections.abc import Iterator, Sequence

import psycopg

from proofs.calling import calling
from proofs.report import report
from tests.databases import PostgresServer
from watchword.errors import Refusal, StoreError
from watchword.home import Credentials
from watchword.torture import Count, Known, check, make_service, open_engine, start

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


def promotion(told: list[tuple[str, str]], seen: Tally[str]) -> tuple[int, float]:
    """Kill the primary under load and promote the standby; return codes good twice, and seconds."""
    with pair() as (primary, standby):
        engine = open_engine(Known(both(primary, standby), SECRET, Credentials.new()))
        make_service(engine)
        mine: list[tuple[str, str]] = []
        numbers = itertools.count(1_000_000)

        def call(_caller: int) -> None:
            try:
                begun = engine.perform(start(engine, next(numbers)))
                to, code = begun.verification.to, begun.code
                if check(engine, to, code):
                    mine.append((to, code))
            except (StoreError, Refusal) as fault:
                seen[type(fault).__name__] += 1
            except Exception as fault:
                seen["strange"] += 1
                print(f"strange: {type(fault).__name__}")

        with calling(call, CALLERS):
            time.sleep(2)
            began = time.monotonic()
            primary.stop(signal.SIGKILL)
            standby.promote()
            answered = len(mine)
            while len(mine) == answered and time.monotonic() < began + 30:
                time.sleep(0.01)
            seconds = time.monotonic() - began
            time.sleep(1)
        twice = sum(check(engine, to, code) for to, code in mine)
        engine.close()
    told += mine
    return twice, seconds


def prove(times: int) -> Iterator[Count]:
    """Promote so many standbys."""
    told: list[tuple[str, str]] = []
    seen: Tally[str] = Tally()
    outcomes = [promotion(told, seen) for _ in range(times)]
    twice = sum(count for count, _ in outcomes)
    tenths = round(max(seconds for _, seconds in outcomes) * 10)
    what = f"codes good twice, of {len(told)} approved around {times} promotions"
    yield Count(what, twice, "0", not twice)
    yield Count("faults other than StoreError (503)", seen["strange"], "0", not seen["strange"])
    yield Count("tenths of a second until it answered again", tenths, "<= 50", tenths <= 50)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Prove the promise with a standby.")
    arguments.add_argument("--size", choices=list(PROMOTIONS), default="full")
    given = arguments.parse_args()
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it reports each connection we break
    counts = prove(PROMOTIONS[given.size])
    sys.exit(0 if report("PostgreSQL with a synchronous standby", counts) else 1)


if __name__ == "__main__":
    main()
