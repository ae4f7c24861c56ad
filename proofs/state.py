"""Prove what is promised of the state, on every database, and print the counts.

    make proof                      # everything, an hour or more
    python -m proofs.state --size short --only sqlite --part writers

`torture` is T-01 double acceptance, T-02 limit overrun, T-04 double send and T-18 process kill;
`writers` is T-19 lock errors; `restarts` is T-20, the database killed under load; `thefts` is
T-31, codes used where they are not good. Exits with 1 when a count is not what it must be.
"""

import argparse
import contextlib
import logging
import signal
import sys
import tempfile
import threading
import time
from collections import Counter as Tally
from collections.abc import Iterator
from pathlib import Path

from proofs.report import must_be_none, report
from proofs.writers import writers
from tests.conftest import KEYRING, NOON, make_engine
from tests.databases import SERVERS, Server
from tests.test_binding import THEFTS as WAYS
from tests.test_binding import steal
from watchword.clock import ManualClock
from watchword.errors import Refusal, StoreError
from watchword.home import Credentials
from watchword.senders.inbox import InboxSender
from watchword.store.sql import SqlStore
from watchword.torture import (
    SIZES,
    Count,
    Known,
    check,
    make_service,
    open_engine,
    start,
    torture,
)

SECRET = b"proof secret, 32 bytes or longer."
STORES = ("sqlite", "postgres", "mariadb")
PARTS = ("torture", "writers", "restarts", "thefts")
WRITER_SECONDS = {"short": 5, "usual": 60, "full": 600}
THEFTS = {"short": 140, "usual": 1_400, "full": 10_010}
RESTARTS = {"short": 2, "usual": 10, "full": 200}


@contextlib.contextmanager
def database(kind: str) -> Iterator[tuple[str, Server | None]]:
    """Start a durable server of that kind, or make a file."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'proof.db'}", None
        return
    server = SERVERS[kind](durable=True)
    server.start()
    server.create("proof")
    try:
        yield server.url("proof"), server
    finally:
        server.remove()


def restarts(url: str, server: Server, times: int) -> Iterator[Count]:
    """T-20: the database is killed under load; nothing told is lost, no code is good twice."""
    known = Known(url, SECRET, Credentials.new())
    engine = open_engine(known)
    make_service(engine)
    told: list[tuple[str, str]] = []
    seen: Tally[str] = Tally()
    stop = threading.Event()

    def load(number: int) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            try:
                started = engine.perform(start(engine, number * 100_000 + count))
                to, code = started.verification.to, started.code
                if check(engine, to, code):
                    told.append((to, code))
            except Refusal:
                seen["refusals"] += 1
            except StoreError:
                seen["store errors"] += 1
            except Exception as fault:
                seen[type(fault).__name__] += 1

    threads = [threading.Thread(target=load, args=(10 + number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    slowest = 0.0
    for _ in range(times):
        time.sleep(0.5)
        server.stop(signal.SIGKILL)
        server.start()
        back = time.monotonic()
        answered = len(told)
        while len(told) == answered and time.monotonic() < back + 30:
            time.sleep(0.01)
        slowest = max(slowest, time.monotonic() - back)
    stop.set()
    for thread in threads:
        thread.join()
    twice = sum(check(engine, to, code) for to, code in told)
    engine.close()
    strange = sum(count for name, count in seen.items() if name not in ("refusals", "store errors"))
    yield Count(
        f"codes good twice, of {len(told)} approved over {times} kills", twice, "0", not twice
    )
    yield Count("faults other than StoreError (503)", strange, "0", not strange)
    tenths = round(slowest * 10)
    yield Count("tenths of a second until it answered again", tenths, "<= 50", tenths <= 50)


def thefts(url: str, times: int) -> Iterator[Count]:
    """T-31: a right code is tried wherever it is not good."""
    store = SqlStore(url, KEYRING)
    clock = ManualClock(NOON)
    found = Tally(dict(steal(make_engine(store, InboxSender(), clock), clock, times // len(WAYS))))
    store.close()
    named = ", ".join(name for name, count in found.items() if count)
    yield must_be_none(f"codes taken of {times} stolen in {len(WAYS)} ways {named}", found.total())


def prove(part: str, kind: str, name: str) -> Iterator[Count]:
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
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--size", choices=list(SIZES), default="full")
    arguments.add_argument("--only", choices=STORES, action="append", help="these stores only")
    arguments.add_argument("--part", choices=PARTS, action="append", help="these parts only")
    given = arguments.parse_args()
    held = True
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it reports each connection we break
    for part in given.part or PARTS:
        for kind in given.only or STORES:
            if part == "restarts" and kind == "sqlite":
                continue  # it is no server
            held = report(f"{kind}, {part}", prove(part, kind, given.size)) and held
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
