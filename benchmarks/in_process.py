"""`OTP_Model` in this process, one thread, every commit on disk: no HTTP, no batches.

The ladder's three calls are measured beside the same steps written plainly with peewee, on a file
set up alike; a guarded verification with its right check, beside the disk's own rate.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import peewee

from benchmarks.figures import Report, Run
from benchmarks.machine import fdatasyncs, rate
from benchmarks.servers import home
from watchword import OTP_Model, runtime
from watchword.commands.services import EnsureService
from watchword.engine import Engine
from watchword.home import Credentials
from watchword.keys import Keyring
from watchword.model import Delivery
from watchword.senders.base import Message, Receipt
from watchword.store.sql import SqlStore
from watchword.tenants import Service

ALLOWED_SHARE = 0.60
TIMES_PEEWEE = 4
COUNTED = 20  # pairs whose transactions are counted
WAIT = timedelta(minutes=2)


class Remembering:
    """A sender that keeps the last code in mind, as a phone would."""

    name = "memory"
    waits = False
    code = ""

    async def send(self, message: Message) -> Receipt:
        self.code = message.code
        return Receipt(Delivery.SENT)

    def close(self) -> None:
        """Hold nothing."""


class Counting:
    """A store that counts what it commits."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.commits = 0

    def transact_in_steps(self, *given: Any) -> Any:
        self.commits += 1
        return self._store.transact_in_steps(*given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def guarded(run: Run) -> Report:
    """A guarded verification and its right check, as a share of what the disk allows."""
    report = Report()
    with _engine() as (engine, sender):
        pair = _pair(sender)
        engine.store = counting = Counting(engine.store)
        for number in range(COUNTED):
            pair(number)
        engine.store = counting._store  # noqa: SLF001
        commits = counting.commits / COUNTED
        pairs = rate(lambda number: pair(COUNTED + number), run.seconds)
        disk = fdatasyncs(min(run.seconds, 2))
    report.add("pairs per second, one thread", pairs, "pairs/s")
    report.add("fdatasync of the disk", disk, "per second")
    report.add("commits a pair", commits, "")
    report.add("share of what the disk allows", pairs * commits / disk, "", ALLOWED_SHARE)
    report.conditions["durability"] = "sqlite, PRAGMA synchronous = FULL"
    return report


def ladder(run: Run) -> Report:
    """check_count, add_count and delete_count, beside peewee."""
    report = Report()
    with _engine(), tempfile.TemporaryDirectory() as folder:
        ours = rate(_cycle(), run.seconds)
        theirs = rate(_peewee_cycle(Path(folder)), run.seconds)
    report.add("cycles per second", ours, "cycles/s")
    report.add("the same with peewee", theirs, "cycles/s")
    report.add("times the peewee cycles", ours / theirs, "", TIMES_PEEWEE)
    report.conditions["durability"] = "sqlite, WAL, PRAGMA synchronous = FULL, both"
    return report


@contextmanager
def _engine() -> Iterator[tuple[Engine, Remembering]]:
    """Let `OTP_Model` work on a new file."""
    sender, credentials = Remembering(), Credentials.new()
    keyring = Keyring.from_secrets([b"benchmark key, 32 bytes or more!"])
    with home() as folder:
        store = SqlStore(f"sqlite:///{folder / 'watchword.db'}", keyring)
        engine = Engine(store, sender, keyring, credentials)
        now = engine.clock.now()
        service = Service(credentials.service_sid, credentials.account_sid, "Bench", now, now)
        engine.perform(EnsureService(service))
        with runtime.use(engine):
            yield engine, sender
        engine.close()


def _pair(sender: Remembering) -> Callable[[int], None]:
    def pair(number: int) -> None:
        otp = OTP_Model(f"+23765{number:07}")
        otp.guarded_verification(f"phone {number}", "user")
        otp.verification_check(sender.code)

    return pair


def _cycle() -> Callable[[int], None]:
    otp = OTP_Model("+237650000000")

    def cycle(number: int) -> None:
        counter = otp.check_count(f"phone {number}", "user")
        otp.add_count(counter)
        otp.delete_count(counter.id)

    return cycle


def _peewee_cycle(folder: Path) -> Callable[[int], None]:
    pragmas = {"journal_mode": "wal", "synchronous": 2}
    database = peewee.SqliteDatabase(str(folder / "theirs.db"), pragmas=pragmas)

    class Svretries(peewee.Model):
        userId = peewee.CharField(null=True)  # noqa: N815
        uniqueId = peewee.CharField(null=True)  # noqa: N815
        count = peewee.IntegerField(null=True)
        expires = peewee.DateTimeField(null=True)
        createdAt = peewee.DateTimeField(default=datetime.now)  # noqa: N815

    Svretries._meta.set_database(database)  # noqa: SLF001
    database.create_tables([Svretries])

    def cycle(number: int) -> None:
        pair = {"uniqueId": f"phone {number}", "userId": "user"}
        row: Any = Svretries.get_or_none(**pair) or Svretries.create(**pair, count=0)
        row.count += 1
        row.expires = datetime.now() + WAIT  # noqa: DTZ005
        row.save()
        Svretries.get_by_id(row.id).delete_instance()

    return cycle
