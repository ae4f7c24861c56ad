"""Waiting for a disk: in a thread, while the loop goes on; no answer goes out before its end."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KEYRING, NOON, SERVICE, make_engine
from watchword.clock import ManualClock
from watchword.commands.verifications import CheckCode, StartVerification
from watchword.engine import Engine
from watchword.errors import StoreError
from watchword.gather import MANY, Gatherer
from watchword.model import Status
from watchword.phone import Phone
from watchword.senders.inbox import InboxSender
from watchword.store.session import SqliteSession
from watchword.store.sql import SqlStore
from watchword.waits import Waits, run_here

COMMITTED = SqliteSession.commit


class Disk:
    """A disk that writes when it is let go, and fails when it is told to."""

    def __init__(self) -> None:
        self.is_free = threading.Event()
        self.is_free.set()
        self.begun = threading.Event()
        self.fault: Exception | None = None
        self.threads: set[str] = set()

    def commit(self, session: SqliteSession) -> None:
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        assert self.is_free.wait(30)
        if self.fault is not None:
            raise self.fault
        COMMITTED(session)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()

    def commit(session: SqliteSession) -> None:
        disk.commit(session)

    monkeypatch.setattr(SqliteSession, "commit", commit)
    return disk


@pytest.fixture
def engine(tmp_path: Path, disk: Disk) -> Iterator[Engine]:
    store = SqlStore(f"sqlite:///{tmp_path / 'watchword.db'}", KEYRING)
    engine = make_engine(store, InboxSender(tmp_path / "inbox.db"), ManualClock(NOON))
    disk.threads.clear()
    disk.begun.clear()
    yield engine
    engine.close()


def start(number: int = 0) -> StartVerification:
    phone = Phone(f"+2376500{number:05}", "CM")
    return StartVerification(SERVICE.sid, SERVICE.account_sid, phone)


def test_work_does_its_waits_in_order_and_hears_of_their_faults() -> None:
    heard: list[Any] = []

    def fail() -> None:
        raise OSError("full")

    def work() -> Waits[str]:
        yield lambda: heard.append("first")
        try:
            yield fail
        except OSError as fault:
            heard.append(fault)
        yield lambda: heard.append("last")
        return "done"

    assert run_here(work()) == "done"
    assert [str(each) for each in heard] == ["first", "full", "last"]


def test_the_loop_goes_on_while_the_disk_writes(engine: Engine, disk: Disk) -> None:
    """What arrives meanwhile is not answered before it, and shares the next commit."""

    async def go_on() -> None:
        disk.is_free.clear()
        first = [asyncio.ensure_future(engine.submit(start(n))) for n in range(MANY)]
        await asyncio.to_thread(disk.begun.wait, 30)
        others = [asyncio.ensure_future(engine.submit(start(n))) for n in range(MANY, 2 * MANY)]
        for _turn in range(50):
            await asyncio.sleep(0)
        assert not any(each.done() for each in first + others)
        disk.is_free.set()
        started = await asyncio.gather(*first, *others)
        checks = (
            CheckCode(SERVICE.sid, SERVICE.account_sid, s.code, to=s.verification.to)
            for s in started
        )
        answers = await asyncio.gather(*map(engine.submit, checks))
        assert [answer.status for answer in answers] == [Status.APPROVED] * 2 * MANY

    asyncio.run(go_on())

    assert not any("Main" in name for name in disk.threads)


@pytest.fixture
def other(tmp_path: Path, engine: Engine) -> Iterator[sqlite3.Connection]:
    """Return another program's connection to the file, which holds the lock for writing."""
    connection = sqlite3.connect(tmp_path / "watchword.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


@pytest.mark.parametrize("size", [1, MANY])
def test_the_loop_goes_on_while_another_program_holds_the_lock(
    engine: Engine, other: sqlite3.Connection, size: int
) -> None:
    async def go_on() -> None:
        asked = [asyncio.ensure_future(engine.submit(start(n))) for n in range(size)]
        for _turn in range(200):
            await asyncio.sleep(0)
        assert not any(each.done() for each in asked)
        other.execute("ROLLBACK")
        assert len(await asyncio.gather(*asked)) == size

    asyncio.run(go_on())


def test_a_lock_that_is_never_let_go_is_waited_for_within_a_bound(
    engine: Engine, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchword.store.sql.LOCK_SECONDS", 0.05)

    with pytest.raises(StoreError, match="too busy; try again"):
        engine.perform(start())

    other.execute("ROLLBACK")
    assert len(engine.perform(start()).verification.sends) == 1


@pytest.mark.parametrize("size", [1, MANY])
def test_a_commit_that_fails_answers_nobody_with_a_success_and_leaves_nothing(
    engine: Engine, disk: Disk, size: int
) -> None:
    async def fail_once() -> None:
        disk.fault = sqlite3.OperationalError("database or disk is full")
        lost = [engine.submit(start(n)) for n in range(size)]
        outcomes = await asyncio.gather(*lost, return_exceptions=True)
        assert all(isinstance(outcome, StoreError) for outcome in outcomes)
        disk.fault = None
        started = [await engine.submit(start(n)) for n in range(size)]
        assert [len(each.verification.sends) for each in started] == [1] * size

    asyncio.run(fail_once())


def test_under_a_flood_the_loop_waits_for_the_disk_itself(engine: Engine, disk: Disk) -> None:
    """Otherwise its next turn would be full of refusals before anybody is answered."""

    async def flood() -> None:
        await asyncio.gather(*(engine.submit(start(n)) for n in range(MANY)))
        assert disk.threads != {threading.current_thread().name}
        room = engine._gatherer_here().room
        room._pressure.begin(asyncio.get_running_loop().time())
        disk.threads.clear()
        await asyncio.gather(*(engine.submit(start(n)) for n in range(MANY, 2 * MANY)))
        assert disk.threads == {threading.current_thread().name}

    asyncio.run(flood())


def test_a_few_are_waited_for_on_the_spot(engine: Engine, disk: Disk) -> None:
    async def begin() -> None:
        await asyncio.gather(*(engine.submit(start(n)) for n in range(MANY - 1)))

    asyncio.run(begin())

    assert disk.threads == {threading.current_thread().name}


def test_whoever_waits_when_the_engine_closes_is_told(engine: Engine, disk: Disk) -> None:
    async def close() -> None:
        loop = asyncio.get_running_loop()
        gatherer = Gatherer(loop, engine._run, 256)
        gatherer.close()
        outcomes = await asyncio.gather(*(gatherer.add(start(n)) for n in range(MANY)))
        assert all(isinstance(outcome, RuntimeError) for outcome in outcomes)

    asyncio.run(close())

    assert engine.perform(start()).verification.status is Status.PENDING  # no lock was left behind
