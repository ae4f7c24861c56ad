"""Prove what is promised of the state, on every database, and print the counts.

    make proof                      # everything, an hour or more
    python -m proofs.state --size short --only sqlite --part writers

`torture` is T-01 double acceptance, T-02 limit overrun, T-04 double send and T-18 process kill;
`writers` is T-19 lock errors; `restarts` is T-20, the database killed under load; `thefts` is
T-31, codes used where they are not good. Exits with 1 when a count is not what it must be.
"""

import logging
import signal
import sys
import time
from collections import Counter as Tally
from collections.abc import Iterator
from functools import partial

from proofs.calling import Logins, calling, counts
from proofs.report import must_be_none
from proofs.stores import STORES, command_line, database, on_each
from proofs.writers import writers
from tests.conftest import KEYRING, NOON, make_engine
from tests.databases import Server
from tests.test_binding import THEFTS as WAYS
from tests.test_binding import steal
from watchword.clock import ManualClock
from watchword.home import Credentials
from watchword.senders.inbox import InboxSender
from watchword.store.sql import SqlStore
from watchword.torture import (
    SIZES,
    Count,
    Known,
    make_service,
    open_engine,
    torture,
)

SECRET = b"proof secret, 32 bytes or longer."
PARTS = ("torture", "writers", "restarts", "thefts")
WRITER_SECONDS = {"short": 5, "usual": 60, "full": 600}
THEFTS = {"short": 140, "usual": 1_400, "full": 10_010}
RESTARTS = {"short": 2, "usual": 10, "full": 200}
CALLERS = 4


def restarts(url: str, server: Server, times: int) -> Iterator[Count]:
    """T-20: the database is killed under load; nothing told is lost, no code is good twice."""
    known = Known(url, SECRET, Credentials.new())
    engine = open_engine(known)
    make_service(engine)
    logins = Logins(engine)
    slowest = 0.0
    with calling(logins.log_in, CALLERS):
        for _ in range(times):
            time.sleep(0.5)
            server.stop(signal.SIGKILL)
            server.start()
            slowest = max(slowest, logins.seconds_until_the_next(time.monotonic()))
    approved, twice = len(logins.approved), logins.good_twice()
    engine.close()
    yield from counts(approved, twice, logins.strange, slowest, f"over {times} kills")


def thefts(url: str, times: int) -> Iterator[Count]:
    """T-31: a right code is tried wherever it is not good."""
    store = SqlStore(url, KEYRING)
    clock = ManualClock(NOON)
    found = Tally(dict(steal(make_engine(store, InboxSender(), clock), clock, times // len(WAYS))))
    store.close()
    named = ", ".join(name for name, count in found.items() if count)
    yield must_be_none(f"codes taken of {times} stolen in {len(WAYS)} ways {named}", found.total())


def prove(kind: str, part: str, name: str) -> Iterator[Count]:
    """Run one part of the proof on one store."""
    with database(kind) as (url, server):
        if part == "torture":
            yield from torture(url, SIZES[name])
        elif part == "writers":
            known = Known(url, SECRET, Credentials.new())
            yield from writers(WRITER_SECONDS[name], known, print)
        elif part == "thefts":
            yield from thefts(url, THEFTS[name])
        elif server is not None:
            yield from restarts(url, server, RESTARTS[name])


def main() -> None:
    arguments = command_line("Prove what is promised of the state.", SIZES)
    arguments.add_argument("--part", choices=PARTS, action="append", help="these parts only")
    given = arguments.parse_args()
    held = True
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it reports each connection we break
    for part in given.part or PARTS:
        stores = [kind for kind in given.only or STORES if (kind, part) != ("sqlite", "restarts")]
        held = on_each(stores, part, partial(prove, part=part, name=given.size)) and held
    sys.exit(not held)


if __name__ == "__main__":
    main()
