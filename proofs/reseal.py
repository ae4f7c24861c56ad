"""Prove that rows are led to a new key in the background: every one of them, and nobody waits long.

python -m proofs.reseal --size short --only sqlite

T-37. Phones with wrong codes and a verification each lie under the old key; callers start and check
while `watchword reseal` does its work in a process of its own.
"""

import itertools
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from proofs.calling import calling
from proofs.report import must_be_none
from proofs.rotation import NEW, OLD, Node
from proofs.stores import command_line, database, on_each
from watchword.engine import Engine
from watchword.home import Credentials
from watchword.keys import Keyring
from watchword.store.connect import connect
from watchword.store.sql import SqlStore
from watchword.store.tables import metadata
from watchword.torture import Count, CountingSender, check, make_service, start

PHONES = {"short": 2_000, "usual": 20_000, "full": 1_000_000}
CALLERS = 2
THINKING_SECONDS = 0.02  # of a caller between two pairs
LOT = 2_000
FAILURES = 3
BEFORE_SECONDS = 3.0
MOST_MS = 250  # that 99 of 100 pairs may take longer than before
FIRST = 80_000_000  # the callers' numbers begin here


def fill(url: str, known: Credentials, phones: int) -> None:
    """Put so many phones there as the old key would have."""
    keyring = Keyring.from_secrets([OLD])
    engine = connect(url)
    with engine.begin() as connection:
        for at in range(0, phones, LOT):
            rows = [_phone(number, known, keyring) for number in range(at, min(at + LOT, phones))]
            for place, name in enumerate(("subjects", "verifications")):
                connection.execute(metadata.tables[name].insert(), [each[place] for each in rows])
    engine.dispose()


def _phone(
    number: int, known: Credentials, keyring: Keyring
) -> tuple[dict[str, Any], dict[str, Any]]:
    to, sid, now = f"+2376{number:08}", f"VE{secrets.token_hex(16)}", int(time.time() * 1000)
    name = keyring.fingerprint(known.service_sid, to)
    subject = {
        "key": name, "service_sid": known.service_sid, "verification_sid": sid,
        "failures": FAILURES, "updated_at": now, "sealed_name": keyring.seal(to, bound_to=name),
    }  # fmt: skip
    verification = {
        "sid": sid, "service_sid": known.service_sid, "account_sid": known.account_sid,
        "subject": name, "sealed_to": keyring.seal(to, bound_to=sid), "channel": "sms",
        "status": "canceled", "code_length": 6, "key_id": keyring.newest.id, "nonce": "0" * 32,
        "checks": FAILURES, "sends": "[]", "created_at": now, "updated_at": now, "expires_at": now,
    }  # fmt: skip
    return subject, verification


class Pairs:
    """Starts and their checks, and how long each pair took."""

    def __init__(self, engine: Engine) -> None:
        self.times: list[tuple[float, float]] = []
        self.refused = 0
        self._engine = engine
        self._numbers = itertools.count(FIRST)

    def call(self, _caller: int) -> None:
        """Start and check one, and think for a moment."""
        began = time.monotonic()
        begun = self._engine.perform(start(self._engine, next(self._numbers)))
        self.refused += not check(self._engine, begun.verification.to, begun.code)
        self.times.append((began, time.monotonic()))
        time.sleep(THINKING_SECONDS)

    def waited_ms(self, since: float, until: float) -> tuple[int, int]:
        """Return how long 99 of 100 pairs took at most, and the slowest, of those in between."""
        took = sorted(end - begin for begin, end in self.times if end > since and begin < until)
        return round(1000 * took[len(took) * 99 // 100]), round(1000 * took[-1])


def led(url: str, phones: int) -> Iterator[Count]:
    """Lead so many phones beside callers; count what is left, what was lost, who waited."""
    known = Credentials.new()
    keyring = Keyring.from_secrets([NEW, OLD])
    engine = Engine(SqlStore(url, keyring), CountingSender(), keyring, known)
    make_service(engine)
    fill(url, known, phones)
    pairs = Pairs(engine)
    with tempfile.TemporaryDirectory() as folder, calling(pairs.call, CALLERS):
        time.sleep(BEFORE_SECONDS)
        began = time.monotonic()
        usual, before = pairs.waited_ms(0, began)
        ran = subprocess.run(
            [sys.executable, "-m", "watchword", "reseal", "--json"],
            env=Node(url, Path(folder)).environment((NEW, OLD)),
            capture_output=True, check=True, text=True,
        )  # fmt: skip
        ended = time.monotonic()
        worst, slowest = pairs.waited_ms(began, ended)
    engine.close()
    told = json.loads(ran.stdout)
    rows = sum(told["led"].values())
    what = f"rows led, {rows / (ended - began):,.0f} a second beside {len(pairs.times):,} pairs"
    yield Count(what, rows, f"{2 * phones:,}", rows == 2 * phones)
    yield must_be_none("rows that need the old key", sum(told["keys"][1]["rows"].values()))
    yield must_be_none("right codes refused meanwhile", pairs.refused)
    yield must_be_none(f"wrong codes forgotten, of {phones * FAILURES:,}", _forgotten(url, phones))
    what = f"ms that 99 of 100 pairs took at most meanwhile (before: {usual:,})"
    yield Count(what, worst, f"<= {usual + MOST_MS:,}", worst <= usual + MOST_MS)
    seconds = ended - began
    what = f"ms the slowest took in {seconds:.0f} s (in {BEFORE_SECONDS:.0f} s before: {before:,})"
    yield Count(what, slowest, "any", ok=True)


def _forgotten(url: str, phones: int) -> int:
    engine = connect(url)
    with engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT sum(failures) FROM subjects")).scalar_one()
    engine.dispose()
    return phones * FAILURES - int(kept)


def prove(kind: str, size: str) -> Iterator[Count]:
    """Lead the rows of one store."""
    with database(kind) as (url, _):
        yield from led(url, PHONES[size])


def main() -> None:
    given = command_line("Prove that rows are led in the background.", PHONES).parse_args()
    sys.exit(not on_each(given.only, "reseal", lambda kind: prove(kind, given.size)))


if __name__ == "__main__":
    main()
