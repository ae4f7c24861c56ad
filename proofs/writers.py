"""T-19: 32 writers at once, every kind of request and a purge among them; none sees a lock."""

import itertools
import logging
import queue
import random
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from proofs.report import must_be_none
from watchword.commands.ladder import Climb, ForgetCounter, LookAtCounter
from watchword.commands.postings import ReadDuePostings, SettlePosting, TakePostings
from watchword.commands.services import EnsureService
from watchword.commands.verifications import (
    CheckCode,
    CloseVerification,
    FetchVerification,
    GuardedStart,
    StartVerification,
)
from watchword.engine import Engine
from watchword.errors import Refusal
from watchword.model import Status, Verification
from watchword.rules.retention import Retention
from watchword.store.base import Query
from watchword.store.purge import purge
from watchword.store.sql import SqlStore
from watchword.tenants import Bucket, RateLimit, Service, Webhook
from watchword.torture import Count, Known, fresh_processes, open_engine, start

PROCESSES, THREADS = 8, 4
WRITERS = PROCESSES * THREADS
PHONES = 200
REPORT_SECONDS = 2.0
START_SECONDS = 120
ALMOST_EXPIRED = timedelta(minutes=9, seconds=55)  # so the purge takes what is five seconds old


def writers(
    seconds: float, known: Known, say: Callable[[str], None] | None = None
) -> Iterator[Count]:
    """Let 8 processes of 4 threads do everything at once; count what went wrong."""
    engine = open_engine(known)
    engine.perform(EnsureService(_service(engine)))
    engine.close()
    total = _run(known, seconds, say)
    kinds = ", ".join(f"{total[name]:,} {name}" for name in sorted(WORK))
    faults = {name: count for name, count in total.items() if name.startswith("error")}
    what = f"errors seen by {WRITERS} writers in {seconds:.0f} s"
    if faults:
        what += f" ({faults})"
    yield must_be_none(what, sum(faults.values()))
    done = sum(total[name] for name in WORK)
    yield Count(f"requests: {kinds}", done, "more than none", done > 0)
    yield Count("of them refused by the rules", total["refused"], "any", ok=True)
    yield Count("transactions run again without anyone noticing", total["retried"], "any", ok=True)


def _service(engine: Engine) -> Service:
    """Return a service on which every request touches all that it can."""
    known, now = engine.credentials, engine.clock.now()
    bucket = Bucket("BL" + "1" * 32, 1_000_000, 60, now, now)
    limit = RateLimit("RK" + "1" * 32, "address", None, now, now, (bucket,))
    events = ("verification.pending", "verification.approved", "verification.expired")
    webhook = Webhook("YW" + "1" * 32, "hook", events, "https://example.com", now, now)
    service = Service(known.service_sid, known.account_sid, "writers", now, now)
    return replace(service, rate_limits=(limit,), webhooks=(webhook,))


def _run(known: Known, seconds: float, say: Callable[[str], None] | None) -> Tally[str]:
    fresh = fresh_processes()
    told = fresh.Queue()
    gate = fresh.Barrier(PROCESSES)
    processes = [
        fresh.Process(target=_process, args=(known, seconds, number, gate, told), daemon=True)
        for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    latest: dict[int, Tally[str]] = {}
    ended = 0
    began = said = time.monotonic()
    while ended < PROCESSES:
        try:
            number, tally, is_last = told.get(timeout=START_SECONDS)
        except queue.Empty as silence:
            ends = [process.exitcode for process in processes]
            raise TimeoutError(f"the writers have gone silent; exit codes: {ends}") from silence
        latest[number] = Tally(tally)
        ended += is_last
        now = time.monotonic()
        if say is not None and now - said > seconds / 20:
            said = now
            say(_progress(latest, now - began))
    for process in processes:
        process.join()
    return sum(latest.values(), Tally[str]())


def _progress(latest: dict[int, Tally[str]], passed: float) -> str:
    total = sum(latest.values(), Tally[str]())
    errors = {name: count for name, count in total.items() if name.startswith("error")}
    done = sum(total[name] for name in WORK)
    line = f"      {passed:5.0f} s  {done:9,} requests, {total['retried']} retried"
    return f"{line}, {errors}" if errors else f"{line}, no error"


class _Retries(logging.Handler):
    """Count the transactions that the store has run again."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.kinds: Tally[str] = Tally()

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg.startswith("store.retried"):
            self.kinds[str(record.args)] += 1


def _process(known: Known, seconds: float, number: int, gate: Any, told: Any) -> None:
    retries = _Retries()
    logger = logging.getLogger("watchword.store")
    logger.addHandler(retries)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    engine = open_engine(known)
    gate.wait(START_SECONDS)
    end = time.monotonic() + seconds
    crew = [Writer(engine, number * THREADS + each) for each in range(THREADS)]
    threads = [threading.Thread(target=writer.work, args=(end,)) for writer in crew]
    for thread in threads:
        thread.start()

    def tell(*, is_last: bool) -> None:
        total = sum((writer.tally.copy() for writer in crew), Tally[str]())
        total["retried"] = retries.kinds.total()
        told.put((number, dict(total), is_last))

    while time.monotonic() < end:
        time.sleep(min(REPORT_SECONDS, max(0.0, end - time.monotonic())))
        tell(is_last=False)
    for thread in threads:
        thread.join()
    engine.close()
    tell(is_last=True)


class Writer:
    """One caller that does one thing after the other, whatever comes to mind."""

    def __init__(self, engine: Engine, number: int) -> None:
        self.engine = engine
        self.chance = random.Random(number)
        self.tally: Tally[str] = Tally()
        self.codes: dict[str, str] = {}

    def work(self, end: float) -> None:
        names, weights = list(WORK), [weight for weight, _ in WORK.values()]
        while time.monotonic() < end:
            name = self.chance.choices(names, weights)[0]
            try:
                WORK[name][1](self)
            except Refusal:
                self.tally["refused"] += 1
            except Exception as fault:
                self.tally[f"error: {type(fault).__name__} in {name}: {str(fault)[:80]}"] += 1
            self.tally[name] += 1

    @property
    def ours(self) -> tuple[str, str]:
        return self.engine.credentials.service_sid, self.engine.credentials.account_sid

    def phone(self) -> StartVerification:
        begin = start(self.engine, 7_000_000 + self.chance.randrange(PHONES))
        return replace(begin, limited_by=(("address", str(self.chance.randrange(5))),))

    def start(self) -> None:
        begun = self.engine.perform(self.phone())
        self.codes[begun.verification.to] = begun.code

    def guarded(self) -> None:
        begin = self.phone()
        pair = self.ours[0], begin.phone.to
        begun = self.engine.perform(GuardedStart(begin, *pair)).started
        self.codes[begun.verification.to] = begun.code

    def check(self) -> None:
        to, code = self.codes.popitem() if self.codes else (self.phone().phone.to, "000000")
        self.engine.perform(CheckCode(*self.ours, code, to=to))

    def guess(self) -> None:
        code = f"{self.chance.randrange(1_000_000):06}"
        self.engine.perform(CheckCode(*self.ours, code, to=self.phone().phone.to))

    def cancel(self) -> None:
        to = self.phone().phone.to
        self.engine.perform(CloseVerification(*self.ours, Status.CANCELED, to=to))

    def fetch(self) -> None:
        self.engine.perform(FetchVerification(*self.ours, to=self.phone().phone.to))

    def listing(self) -> None:
        self.engine.store.page(Query(Verification, {"service_sid": self.ours[0]}, limit=50))

    def ladder(self) -> None:
        pair = self.ours[0], self.phone().phone.to
        counter = self.engine.perform(LookAtCounter(*pair))
        self.engine.perform(Climb(counter.id or 0, *pair))

    def forget(self) -> None:
        self.engine.perform(ForgetCounter(self.ours[0], self.phone().phone.to))

    def post(self) -> None:
        due = self.engine.read(ReadDuePostings())
        for taken in self.engine.perform(TakePostings(tuple(due[:5]))) if due else ():
            self.engine.perform(SettlePosting(taken.posting.sid, was_taken=True))

    def purge(self) -> None:
        store = self.engine.store
        assert isinstance(store, SqlStore)
        retention = Retention(timedelta(0), self.engine.policy.ladder)

        def later() -> datetime:
            return self.engine.clock.now() + ALMOST_EXPIRED

        for _ in itertools.islice(purge(store, retention, later, pause=0), 5):
            pass


WORK: dict[str, tuple[int, Callable[[Writer], None]]] = {
    "starts": (25, Writer.start),
    "guarded starts": (15, Writer.guarded),
    "right checks": (25, Writer.check),
    "wrong checks": (10, Writer.guess),
    "cancels": (6, Writer.cancel),
    "fetches": (5, Writer.fetch),
    "lists": (4, Writer.listing),
    "ladder steps": (4, Writer.ladder),
    "ladders forgotten": (2, Writer.forget),
    "postings taken": (2, Writer.post),
    "purges": (2, Writer.purge),
}
