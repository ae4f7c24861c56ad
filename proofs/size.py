"""Prove that a full database is as quick as an empty one: T-29, taken in one run.

python -m proofs.size --size short --only sqlite
"""

import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from proofs.stores import command_line, database, on_each
from watchword.home import Credentials
from watchword.store.connect import connect
from watchword.store.tables import metadata
from watchword.torture import Count, Known, check, make_service, open_engine, start

SECRET = b"proof secret, 32 bytes or longer."
ROWS = {"short": (20_000, 4_000), "usual": (200_000, 40_000), "full": (1_000_000, 200_000)}
PAIRS = 300
LOT = 2_000


def costs(*databases: Known) -> list[float]:
    """Return the median seconds of a start and its right check on each, taken in turns."""
    engines = [open_engine(known) for known in databases]
    for engine in engines:
        make_service(engine)
    taken: list[list[float]] = [[] for _ in engines]
    for number in range(PAIRS):
        for engine, seconds in zip(engines, taken, strict=True):
            began = time.perf_counter()
            started = engine.perform(start(engine, number))
            check(engine, started.verification.to, started.code)
            seconds.append(time.perf_counter() - began)
    for engine in engines:
        engine.close()
    return [statistics.median(seconds) for seconds in taken]


def fill(url: str, verifications: int, subjects: int) -> None:
    """Put that many rows beside those in use."""
    engine = connect(url)
    with engine.begin() as connection:
        for at in range(0, subjects, LOT):
            rows = [_subject() for _ in range(at, min(at + LOT, subjects))]
            connection.execute(metadata.tables["subjects"].insert(), rows)
        table = metadata.tables["verifications"]
        for at in range(0, verifications, LOT):
            rows = [_verification(number) for number in range(at, min(at + LOT, verifications))]
            connection.execute(table.insert(), rows)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))
    engine.dispose()


def _subject() -> dict[str, Any]:
    return {
        "key": secrets.token_hex(16),
        "service_sid": "VA" + "0" * 32,
        "verification_sid": "VE" + secrets.token_hex(16),
        "failures": 0,
        "updated_at": 1_700_000_000_000,
    }


def _verification(number: int) -> dict[str, Any]:
    moment = 1_700_000_000_000 + number
    return {
        "sid": "VE" + secrets.token_hex(16),
        "service_sid": "VA" + "0" * 32,
        "account_sid": "AC" + "0" * 32,
        "subject": secrets.token_hex(16),
        "sealed_to": secrets.token_hex(40),
        "channel": "sms",
        "status": "approved",
        "code_length": 6,
        "key_id": "00000000",
        "nonce": secrets.token_hex(16),
        "checks": 1,
        "sends": "[]",
        "created_at": moment,
        "updated_at": moment,
        "expires_at": moment + 600_000,
    }


def compare(kind: str, verifications: int, subjects: int) -> tuple[float, float]:
    """Return the median seconds of a pair on an empty database and on a full one."""
    with database(kind) as (url, server):
        other = f"{url}.full"
        if server is not None:
            server.create("full")
            other = server.url("full")
        credentials = Credentials.new()
        open_engine(Known(other, SECRET, credentials)).close()  # makes the tables
        fill(other, verifications, subjects)
        empty, full = costs(Known(url, SECRET, credentials), Known(other, SECRET, credentials))
        return empty, full


def prove(kind: str, size: str) -> Iterator[Count]:
    """Compare one store empty and full."""
    verifications, subjects = ROWS[size]
    empty, full = compare(kind, verifications, subjects)
    percent = round(100 * full / empty)
    what = f"percent of the cost on an empty database, with {verifications:,} verifications"
    yield Count(what, percent, "<= 200", percent <= 200)


def main() -> None:
    given = command_line("Prove that size costs little.", ROWS).parse_args()
    sys.exit(not on_each(given.only, "full", lambda kind: prove(kind, given.size)))


if __name__ == "__main__":
    main()
