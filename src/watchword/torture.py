"""Try to break the promise on a database of one's own: many processes at once, and kills.

Everything happens under a service of its own with a key of its own, and is removed at the end.
"""

import contextlib
import json
import multiprocessing
import random
import secrets
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from watchword.clock import ManualClock, SystemClock
from watchword.commands.services import EnsureService
from watchword.commands.verifications import CheckCode, GuardedStart, StartVerification
from watchword.engine import Engine
from watchword.errors import Refusal
from watchword.home import Credentials
from watchword.keys import Keyring
from watchword.model import Delivery, Status, Verification
from watchword.phone import Phone
from watchword.senders.base import Message, Receipt
from watchword.store.base import Changes, Keys, Rows
from watchword.store.connect import connect
from watchword.store.sql import SqlStore
from watchword.store.tables import metadata
from watchword.tenants import Service

WINDOW = timedelta(hours=25)  # longer than the ladder's longest wait
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Size:
    """How hard it is tried."""

    processes: int
    rounds: int  # codes that are checked by all processes at once
    checks: int  # right checks of each code, over all processes
    guesses: int  # wrong guesses of one code, over all processes
    phones: int
    windows: int  # resend windows in which every process asks for every phone
    kills: int  # workers killed with SIGKILL in the middle of their work


SHORT = Size(processes=3, rounds=3, checks=30, guesses=60, phones=5, windows=2, kills=2)
USUAL = Size(processes=8, rounds=20, checks=200, guesses=2_000, phones=20, windows=4, kills=20)
FULL = Size(processes=20, rounds=200, checks=1_000, guesses=10_000, phones=50, windows=4, kills=500)
SIZES = {"short": SHORT, "usual": USUAL, "full": FULL}


@dataclass(frozen=True, slots=True)
class Count:
    """One line of the verdict: what was counted, and what it must be."""

    what: str
    found: int
    wanted: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What a worker needs to take part."""

    url: str
    secret: bytes
    credentials: Credentials


class CountingSender:
    """Take every message and count it."""

    name = "torture"
    waits = False

    def __init__(self) -> None:
        self.sent = 0

    async def send(self, message: Message) -> Receipt:
        """Count one message."""
        self.sent += 1
        return Receipt(Delivery.SENT)

    def close(self) -> None:
        """Hold nothing."""


def torture(url: str, size: Size) -> Iterator[Count]:
    """Run every attack and yield what was counted; the rows that were made are removed."""
    known = Known(url, secrets.token_bytes(32), Credentials.new())
    engine = open_engine(known)
    make_service(engine)
    try:
        with _workers(known, size.processes) as workers:
            yield _double_acceptance(engine, workers, size)
            yield from _guessing(engine, workers, size)
            yield _double_send(workers, size)
        yield from _kills(engine, known, size)
    finally:
        engine.close()
        _clean(known)


def _double_acceptance(engine: Engine, workers: "Sequence[Worker]", size: Size) -> Count:
    """Let all processes check the right code at once, over and over."""
    wrong = 0
    for number in range(size.rounds):
        to, code = start_one(engine, number)
        each = size.checks // len(workers)
        approvals = sum(_together(workers, ("check", to, code, each)))
        wrong += approvals != 1
    what = f"codes not approved exactly once, of {size.rounds} x {size.checks} right checks"
    return Count(what, wrong, "0", wrong == 0)


def _guessing(engine: Engine, workers: "Sequence[Worker]", size: Size) -> Iterator[Count]:
    """Let all processes guess at one code; then try the right one."""
    to, code = start_one(engine, 10_000)
    wrong = "9" * len(code) if code != "9" * len(code) else "8" * len(code)
    evaluated = sum(_together(workers, ("guess", to, wrong, size.guesses // len(workers))))
    yield Count(f"guesses evaluated, of {size.guesses}", evaluated, "5", evaluated == 5)
    after = check(engine, to, code)
    yield Count("right codes accepted after that", int(after), "0", not after)


def _double_send(workers: "Sequence[Worker]", size: Size) -> Count:
    """Let all processes ask for a guarded send to each phone at once, window after window."""
    begin = SystemClock().now()
    sent = 0
    for window in range(size.windows):
        at = begin + window * WINDOW
        sent += sum(_together(workers, ("send", size.phones, at)))
    wanted = size.phones * size.windows
    what = f"messages, of {wanted * len(workers)} asked for in {size.windows} windows"
    return Count(what, sent, str(wanted), sent == wanted)


def _kills(engine: Engine, known: Known, size: Size) -> Iterator[Count]:
    """Kill workers in the middle of their work; what they were told must be true afterwards."""
    lost = twice = acknowledged = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(size.kills):
            ledger = Path(folder) / str(number)
            with _workers(known, 1) as (worker,):
                worker.pipe.send(("live", number, str(ledger)))
                _wait_for(ledger)
                time.sleep(random.uniform(0, 0.1))  # noqa: S311
                worker.kill()
            for line in ledger.read_text().splitlines(keepends=True):
                if not line.endswith("\n"):
                    continue  # killed while it wrote this line
                sid, to, code = json.loads(line)
                acknowledged += 1
                lost += _status(engine, sid) is not Status.APPROVED
                twice += check(engine, to, code)
    yield Count(
        f"approvals lost, of {acknowledged} told to {size.kills} killed", lost, "0", not lost
    )
    yield Count("codes accepted twice after a kill", twice, "0", not twice)


@dataclass(frozen=True, slots=True)
class Worker:
    """One process that does as it is told."""

    process: Any
    pipe: Connection

    def kill(self) -> None:
        """Kill it without warning."""
        self.process.kill()
        self.process.join()


def fresh_processes() -> Any:
    """Return what makes processes that share no connection with us, as a plain fork would."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imported once, not by each of them
    return context


@contextlib.contextmanager
def _workers(known: Known, count: int) -> Iterator[list[Worker]]:
    fresh = fresh_processes()
    workers = []
    for _ in range(count):
        ours, theirs = fresh.Pipe()
        process = fresh.Process(target=_work, args=(known, theirs), daemon=True)
        process.start()
        theirs.close()
        workers.append(Worker(process, ours))
    try:
        for worker in workers:
            if not worker.pipe.poll(START_SECONDS):
                raise TimeoutError("a worker does not start")
            worker.pipe.recv()
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.pipe.close()


def _together(workers: Sequence[Worker], task: tuple[Any, ...]) -> list[int]:
    """Give all the same task; they begin it at the same moment."""
    at = time.time() + 0.02
    for worker in workers:
        worker.pipe.send((*task, at))
    return [worker.pipe.recv() for worker in workers]


def _work(known: Known, pipe: Connection) -> None:
    """Be a worker: do task after task until killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    engine = open_engine(known)
    tasks: dict[str, Callable[..., int]] = {
        "check": _do_check,
        "guess": _do_guess,
        "send": _do_send,
    }
    pipe.send("ready")
    while True:
        try:
            name, *rest = pipe.recv()
        except EOFError:
            return
        if name == "live":
            _live(engine, *rest)
        *arguments, at = rest
        time.sleep(max(0, at - time.time()))
        pipe.send(tasks[name](engine, *arguments))


def _do_check(engine: Engine, to: str, code: str, times: int) -> int:
    return sum(check(engine, to, code) for _ in range(times))


def _do_guess(engine: Engine, to: str, code: str, times: int) -> int:
    evaluated = 0
    known = engine.credentials
    for _ in range(times):
        with contextlib.suppress(Refusal):
            engine.perform(CheckCode(known.service_sid, known.account_sid, code, to=to))
            evaluated += 1
    return evaluated


def _do_send(engine: Engine, phones: int, now: Any) -> int:
    sender = CountingSender()
    engine.sender, engine.clock = sender, ManualClock(now)
    order = list(range(phones))
    random.shuffle(order)  # so that batches and locks cross
    for number in order:
        with contextlib.suppress(Refusal):
            pair = engine.credentials.service_sid, str(number)
            engine.perform(GuardedStart(start(engine, 20_000 + number), *pair))
    return sender.sent


def _live(engine: Engine, worker: int, ledger: str) -> None:
    """Start and check until killed; write down what was acknowledged, and only that."""
    with Path(ledger).open("a") as file:
        for number in range(1_000_000):
            started = engine.perform(start(engine, 1_000_000 + worker * 1_000 + number % 1_000))
            to = started.verification.to
            if check(engine, to, started.code):
                file.write(json.dumps([started.verification.sid, to, started.code]) + "\n")
                file.flush()


def open_engine(known: Known) -> Engine:
    keyring = Keyring.from_secrets([known.secret])
    return Engine(SqlStore(known.url, keyring), CountingSender(), keyring, known.credentials)


def make_service(engine: Engine) -> None:
    now = engine.clock.now()
    known = engine.credentials
    engine.perform(
        EnsureService(Service(known.service_sid, known.account_sid, "torture", now, now))
    )


def start(engine: Engine, number: int) -> StartVerification:
    known = engine.credentials
    phone = Phone(e164=f"+2376{number:08}", country="CM")
    return StartVerification(known.service_sid, known.account_sid, phone)


def start_one(engine: Engine, number: int) -> tuple[str, str]:
    """Start a verification of a number and return what it was sent to, and the code."""
    started = engine.perform(start(engine, number))
    return started.verification.to, started.code


def check(engine: Engine, to: str, code: str) -> bool:
    known = engine.credentials
    try:
        answer = engine.perform(CheckCode(known.service_sid, known.account_sid, code, to=to))
    except Refusal:
        return False
    return answer.status is Status.APPROVED


def _status(engine: Engine, sid: str) -> Status | None:
    seen: list[Verification | None] = []

    def decide(rows: Rows) -> Changes:
        seen.append(rows.get(Verification, sid))
        return Changes()

    engine.store.transact(Keys.of(Verification, sid), decide)
    return seen[-1].status if seen[-1] else None


def _wait_for(ledger: Path) -> None:
    """Wait until the first line is there: before, a kill would prove nothing."""
    deadline = time.monotonic() + START_SECONDS
    while not (ledger.exists() and ledger.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.005)


def _clean(known: Known) -> None:
    sid = known.credentials.service_sid
    engine = connect(known.url)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if "service_sid" in table.c:
                connection.execute(table.delete().where(table.c.service_sid == sid))
        connection.execute(sa.delete(metadata.tables["services"]).where(sa.column("sid") == sid))
        svretries = metadata.tables["svretries"]
        connection.execute(svretries.delete().where(svretries.c.uniqueId == sid))
    engine.dispose()
