"""A database that breaks or blocks is met with another try or a StoreError, and nothing else."""

import asyncio
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CREDENTIALS, KEYRING, NOON, SERVICE, make_engine
from tests.databases import PostgresServer, Server
from tests.store.test_contract import COUNTER, SUBJECT, read
from watchword.clock import ManualClock
from watchword.commands.ladder import LookAtCounter
from watchword.commands.verifications import CheckCode, StartVerification
from watchword.errors import StoreError, UnfitValue
from watchword.model import Counter, Status, Subject
from watchword.phone import Phone
from watchword.record import replace
from watchword.senders.inbox import InboxSender
from watchword.store import sql
from watchword.store.base import Changes, Keys, Rows
from watchword.store.connect import connect
from watchword.store.sql import SqlStore

SERVERS = ("postgres", "mariadb")


@pytest.fixture(params=SERVERS)
def server_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def kill_others(url: str) -> None:
    """Break every other connection to this database, as a failover or a proxy would."""
    engine = connect(url)
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        else:
            rows = connection.exec_driver_sql(
                "SELECT id FROM information_schema.processlist "
                "WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            ).all()
            for row in rows:
                connection.exec_driver_sql(f"KILL {row[0]}")
    engine.dispose()


def test_a_connection_that_broke_while_idle_is_replaced(server_url: str) -> None:
    store = SqlStore(server_url, KEYRING)
    store.transact(Keys.of(Subject, SUBJECT.key), lambda _: Changes.of(SUBJECT))
    kill_others(server_url)
    seen: list[Subject | None] = []

    def decide(rows: Rows) -> Changes:
        seen.append(rows.get(Subject, SUBJECT.key))
        return Changes()

    store.transact(Keys.of(Subject, SUBJECT.key), decide)

    assert seen == [SUBJECT]
    store.close()


def test_a_connection_that_breaks_within_a_transaction_leaves_nothing_half_done(
    server_url: str,
) -> None:
    store = SqlStore(server_url, KEYRING)
    tries = 0

    def decide(rows: Rows) -> Changes:
        nonlocal tries
        tries += 1
        if tries == 1:
            kill_others(server_url)
        held = rows.get(Subject, SUBJECT.key) or SUBJECT
        return Changes.of(replace(held, failures=held.failures + 1), COUNTER)

    keys = Keys.of(Subject, SUBJECT.key) | Keys.of(Counter, COUNTER.key)
    for _ in range(2):  # where the COMMIT was under way already, the caller is told, and asks again
        try:
            store.transact(keys, decide)
        except StoreError:
            continue
        break

    subject = read(store, keys).get(Subject, SUBJECT.key)
    assert subject is not None
    assert subject.failures == 1
    store.close()


@pytest.fixture
def own_server() -> Iterator[Server]:
    server = PostgresServer()
    server.start()
    server.create("own")
    yield server
    server.remove()


def test_a_server_that_is_gone_is_waited_for_within_a_bound(
    own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "PATIENCE_SECONDS", 0.3)
    store = SqlStore(own_server.url("own"), KEYRING)
    keys = Keys.of(Subject, SUBJECT.key)
    own_server.stop()

    began = time.monotonic()
    with pytest.raises(StoreError, match="watchword doctor"):
        store.transact(keys, lambda _: Changes.of(SUBJECT))
    assert time.monotonic() - began < 5

    own_server.start()
    store.transact(keys, lambda _: Changes.of(SUBJECT))
    store.close()


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_file_that_is_gone_is_not_written_to(tmp_path: Path, is_replaced: bool) -> None:
    """SQLite would go on writing to the file that has no name any more, and say all is well."""
    file, aside = tmp_path / "watchword.db", tmp_path / "aside.db"
    store = SqlStore(f"sqlite:///{file}", KEYRING)
    keys = Keys.of(Subject, SUBJECT.key)
    file.rename(aside)
    if is_replaced:
        shutil.copy(aside, file)

    with pytest.raises(StoreError, match="moved, replaced or deleted"):
        store.transact(keys, lambda _: Changes.of(SUBJECT))
    with pytest.raises(StoreError, match="start again"):
        store.ping()

    aside.rename(file)
    store.transact(keys, lambda _: Changes.of(SUBJECT))
    store.ping()
    store.close()


def test_a_file_is_found_again_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqlStore("sqlite:///watchword.db", KEYRING)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    store.transact(Keys.of(Subject, SUBJECT.key), lambda _: Changes.of(SUBJECT))

    store.close()


def test_a_value_that_does_not_fit_fails_alone(server_url: str) -> None:
    engine = make_engine(SqlStore(server_url, KEYRING), InboxSender(), ManualClock(NOON))

    async def both() -> tuple[object, object]:
        return await asyncio.gather(
            engine.submit(LookAtCounter("x" * 300, "user")),
            engine.submit(LookAtCounter("fits", "user")),
            return_exceptions=True,
        )

    unfit, fits = asyncio.run(both())

    assert isinstance(unfit, UnfitValue)
    assert isinstance(fits, Counter)
    assert engine.store.counter("fits", "user") is not None
    engine.close()


def test_a_batch_that_waits_for_a_lock_lets_the_loop_and_others_go_on(server_url: str) -> None:
    engine = make_engine(SqlStore(server_url, KEYRING), InboxSender(), ManualClock(NOON))
    engine.perform(LookAtCounter("locked", "user"))
    locked, release = threading.Event(), threading.Event()

    def hold(_: Rows) -> Changes:
        locked.set()
        release.wait(20)
        return Changes()

    holder = SqlStore(server_url, KEYRING)
    keys = Keys.of(Counter, ("locked", "user"))
    holding = threading.Thread(target=holder.transact, args=(keys, hold))
    holding.start()
    locked.wait(20)

    async def ask() -> Counter:
        asked = asyncio.ensure_future(engine.submit(LookAtCounter("locked", "user")))
        for _turn in range(3):  # until its batch has begun
            await asyncio.sleep(0)
        other = await engine.submit(LookAtCounter("free", "user"))
        assert other.unique_id == "free"
        assert not asked.done()
        release.set()
        return await asked

    assert asyncio.run(ask()).unique_id == "locked"
    holding.join()
    holder.close()
    engine.close()


def test_many_requests_at_once_are_answered_each_with_its_own(server_url: str) -> None:
    engine = make_engine(SqlStore(server_url, KEYRING), InboxSender(), ManualClock(NOON))
    phones = [Phone(f"+2376500{number:05}", "CM") for number in range(60)]
    account = CREDENTIALS.account_sid

    async def pair(phone: Phone) -> Status:
        started = await engine.submit(StartVerification(SERVICE.sid, account, phone))
        assert started.verification.to == phone.e164
        checked = await engine.submit(CheckCode(SERVICE.sid, account, started.code, to=phone.e164))
        return checked.status

    async def all_of_them() -> list[Status]:
        return await asyncio.gather(*map(pair, phones))

    assert asyncio.run(all_of_them()) == [Status.APPROVED] * 60
    engine.close()


@pytest.mark.parametrize("table", ["verifications", "subjects", "svretries", "attempts"])
@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])  # PostgreSQL: see test_round_trips.py
def test_the_rows_of_a_batch_are_found_by_an_index(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, table: str
) -> None:
    url = f"sqlite:///{tmp_path / 'database.db'}"
    if kind != "sqlite":
        url = request.getfixturevalue(f"{kind}_url")
    store = SqlStore(url, KEYRING)
    statements = next(said for said in store.statements.values() if said.kind.table.name == table)
    keys = [("a", "b")] if table == "svretries" else ["a", "b"]
    said = statements.read(keys, lock=False)
    engine = connect(url)

    with engine.connect() as connection:
        word = "EXPLAIN QUERY PLAN " if kind == "sqlite" else "EXPLAIN "
        plan = str(connection.exec_driver_sql(word + said.text, tuple(said.parameters)).all())

    assert "SCAN " not in plan.replace("SCAN json_each", "")
    assert "ALL" not in plan
    engine.dispose()
    store.close()


def test_rows_are_deleted_while_others_of_their_table_are_locked(server_url: str) -> None:
    store, holder = SqlStore(server_url, KEYRING), SqlStore(server_url, KEYRING)
    rows = [replace(COUNTER, unique_id=f"row {number}") for number in range(9)]
    store.transact(Keys.of(Counter, *(row.key for row in rows)), lambda _: Changes.of(*rows))
    locked, release = threading.Event(), threading.Event()

    def hold(_: Rows) -> Changes:
        locked.set()
        release.wait(20)
        return Changes()

    held, *deleted = (row.key for row in rows)
    holding = threading.Thread(target=holder.transact, args=(Keys.of(Counter, held), hold))
    holding.start()
    locked.wait(20)

    def delete(_: Rows) -> Changes:
        return Changes({(Counter, key): None for key in deleted})

    began = time.monotonic()
    store.transact(Keys.of(Counter, *deleted), delete)

    assert time.monotonic() - began < 5  # InnoDB gives up after ten
    assert store.counter(*deleted[0]) is None
    release.set()
    holding.join()
    holder.close()
    store.close()
