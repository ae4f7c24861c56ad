"""Prove what is promised of the state, on every database, and print the counts.

    make proof                      # everything, an hour or more
    python -m proofs.state --size short --only sqlite

T-01 double acceptance, T-02 limit overrun, T-04 double send, T-18 process kill, T-19 lock errors,
T-20 restart of the database under load. Exits with 1 when a count is not what it must be.
"""

import argparse
import contextlib
import logging
import multiprocessing
import signal
import sys
import tempfile
import threading
import time
from collections import Counter as Tally
from collections.abc import Iterator
from pathlib import Path

from tests.databases import SERVERS, Missing, Server
from watchword.errors import Refusal, StoreError
from watchword.home import Credentials
from watchword.torture import (
    SIZES,
    Count,
    Known,
    Size,
    check,
    make_service,
    open_engine,
    start,
    torture,
)

SECRET = b"proof secret, 32 bytes or longer."
STORES = ("sqlite", "postgres", "mariadb")
WRITER_SECONDS = {"short": 5, "usual": 60, "full": 600}
WRITERS = 32
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


def lock_errors(url: str, seconds: float) -> Iterator[Count]:
    """T-19: many writers at once, of whom none may see a lock's fault."""
    known = Known(url, SECRET, Credentials.new())
    engine = open_engine(known)
    make_service(engine)
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(4) as pool:
        work = [(known, seconds)] * WRITERS
        tallies = pool.starmap(_write, work, chunksize=WRITERS // 4)
    engine.close()
    total = sum((Tally(tally) for tally in tallies), Tally[str]())
    errors = total["errors"]
    what = f"errors seen by {WRITERS} writers in {seconds:.0f} s and {total['done']} requests"
    yield Count(what, errors, "0", errors == 0)


def _write(known: Known, seconds: float) -> dict[str, int]:
    engine = open_engine(known)
    tally: Tally[str] = Tally()
    end = time.monotonic() + seconds / (WRITERS // 4)
    while time.monotonic() < end:
        with contextlib.suppress(Refusal):
            try:
                started = engine.perform(start(engine, 3_000_000 + int(tally["done"]) % 20))
                check(engine, started.verification.to, started.code)
                tally["done"] += 2
            except StoreError:
                tally["errors"] += 1
    engine.close()
    return dict(tally)


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


def prove(kind: str, name: str, size: Size) -> Iterator[Count]:
    """Run every proof on one store."""
    with database(kind) as (url, server):
        yield from torture(url, size)
        yield from lock_errors(url, WRITER_SECONDS[name])
        if server is not None:
            yield from restarts(url, server, RESTARTS[name])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--size", choices=list(SIZES), default="full")
    arguments.add_argument("--only", choices=STORES, action="append")
    given = arguments.parse_args()
    broken = False
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it reports each connection we break
    for kind in given.only or STORES:
        print(f"\n{kind}")
        try:
            for count in prove(kind, given.size, SIZES[given.size]):
                broken = broken or not count.ok
                mark = "ok  " if count.ok else "FAIL"
                print(
                    f"{mark}  {count.found:8,}  {count.what} (must be {count.wanted})", flush=True
                )
        except Missing as missing:
            print(f"left out: {missing}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
