"""A batch says what it has to say in few messages, however many commands it holds."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import CREDENTIALS, KEYRING, NOON, SERVICE
from tests.relay import Relay
from tests.store.test_contract import SUBJECT, read, write
from watchword.clock import ManualClock
from watchword.commands.base import Command
from watchword.commands.verifications import CheckCode, RecordDelivery, Started, StartVerification
from watchword.engine import Engine
from watchword.errors import StoreError
from watchword.model import Delivery, Status, Subject
from watchword.phone import Phone
from watchword.record import replace
from watchword.store import pipeline
from watchword.store.base import Changes, Keys
from watchword.store.connect import connect
from watchword.store.session import Session, session_for
from watchword.store.sql import SqlStore
from watchword.store.statements import Said
from watchword.waits import run_here


def run(store: SqlStore, commands: Sequence[Command[Any]]) -> list[Any]:
    """Run these commands as one batch."""
    engine = Engine(store, None, KEYRING, CREDENTIALS, clock=ManualClock(NOON))
    return run_here(engine._run(list(commands)))


def pairs(store: SqlStore, relay: Relay, first: int, size: int) -> list[int]:
    """Run that many pairs, all of one kind at a time; return the turns that each batch took."""
    account, turns = SERVICE.account_sid, []
    phones = [Phone(f"+2376500{number:05}", "CM") for number in range(first, first + size)]

    def counted(commands: Sequence[Command[Any]]) -> list[Any]:
        before = relay.turns
        outcomes = run(store, commands)
        turns.append(relay.turns - before)
        return outcomes

    started: list[Started] = counted([StartVerification(SERVICE.sid, account, p) for p in phones])
    counted([RecordDelivery(replace(s.attempt, status=Delivery.SENT), s) for s in started])
    checks = [CheckCode(SERVICE.sid, account, s.code, to=s.verification.to) for s in started]
    assert [checked.status for checked in counted(checks)] == [Status.APPROVED] * size
    return turns


@pytest.fixture
def relayed(request: pytest.FixtureRequest) -> Iterator[tuple[Relay, SqlStore]]:
    """Return a store on a server, and the relay in between."""
    url = urlsplit(request.getfixturevalue(f"{request.param}_url"))
    assert url.port is not None
    with Relay(url.port) as relay:
        there = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{relay.port}"))
        store = SqlStore(there.geturl(), KEYRING)
        write(store, Changes.of(SERVICE))
        yield relay, store
        store.close()


@pytest.mark.parametrize(
    ("relayed", "expected"),
    [("postgres", [2, 2, 2]), ("mariadb", [8, 3, 6])],  # of the starts, the outcomes, the checks
    indirect=["relayed"],
)
def test_a_batch_takes_as_many_messages_as_one_command(
    relayed: tuple[Relay, SqlStore], expected: list[int]
) -> None:
    relay, store = relayed

    turns = [pairs(store, relay, first, size) for first, size in ((0, 1), (10, 8), (100, 64))]

    assert turns == [expected] * 3


@pytest.mark.parametrize("relayed", ["postgres"], indirect=True)
def test_a_server_that_says_nothing_is_taken_for_lost(
    relayed: tuple[Relay, SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "ANSWER_SECONDS", 0.2)
    relay, store = relayed

    def fall_silent(_: object) -> Changes:
        relay.is_silent = True
        return Changes.of(SUBJECT)

    with pytest.raises(StoreError, match="whether it did is not known"):
        store.transact(Keys.of(Subject, SUBJECT.key), fall_silent)


@pytest.mark.parametrize(
    "meanwhile",
    ["DEALLOCATE ALL", "ALTER TABLE subjects ALTER COLUMN failures TYPE bigint"],
    ids=["a proxy changed the server connection", "somebody migrated"],
)
def test_a_statement_that_is_prepared_no_more_is_sent_whole(
    postgres_url: str, meanwhile: str
) -> None:
    store = SqlStore(postgres_url, KEYRING)
    write(store, Changes.of(SUBJECT))

    session = store._take()
    session.connection.autocommit = True
    session.connection.execute(meanwhile)
    session.connection.autocommit = False
    store._put_back(session)

    assert read(store, Keys.of(Subject, SUBJECT.key)).get(Subject, SUBJECT.key) == SUBJECT
    store.close()


def test_a_statement_said_twice_in_one_message_is_prepared_once(postgres_url: str) -> None:
    store = SqlStore(postgres_url, KEYRING)
    session = store._take()

    session.begin()
    answers = session.ask([Said("SELECT 17", ()), Said("SELECT 17", ())])
    session.roll_back()

    assert answers == [[(17,)], [(17,)]]
    assert session.pooled.info[pipeline.PREPARED]
    session.pooled.close()
    store.close()


@pytest.mark.parametrize("before", ["SELECT 1", "ANALYZE"], ids=["as made", "known to be empty"])
def test_the_plans_that_are_kept_for_ever_find_each_row_by_an_index(
    postgres_url: str, before: str
) -> None:
    store, engine = SqlStore(postgres_url, KEYRING), connect(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(before)
    session = session_for("postgresql")(engine.raw_connection())

    session.begin()
    for statements in (*store.statements.values(), store._latest, store._counters_by_id):
        keys = [("1",) * len(statements.kind.key)] if len(statements.kind.key) > 1 else ["1"]
        reading = [statements.read(keys, lock=False), statements.read(keys, lock=True)]
        for each in (*reading, statements.delete(keys), statements.update([])):
            plan = _plan(session, each)
            for walk in plan.split("->"):
                assert "Seq Scan" not in walk, plan
                assert "Index Scan" not in walk or "Index Cond" in walk, plan
    session.roll_back()
    session.pooled.close()
    engine.dispose()
    store.close()


def _plan(session: Session, said: Said) -> str:
    """Return the plan that is made without a look at the parameters."""
    values = ", ".join(f"'{parameter.decode()}'" for parameter in said.parameters)
    session.ask([Said(f"PREPARE said AS {said.text}", ())])
    (lines,) = session.ask([Said(f"EXPLAIN EXECUTE said({values})", ())])
    session.ask([Said("DEALLOCATE said", ())])
    return "\n".join(line for (line,) in lines)


def test_mariadb_changes_rows_that_it_finds_by_an_index(mariadb_url: str) -> None:
    store, engine = SqlStore(mariadb_url, KEYRING), connect(mariadb_url)

    for statements in store.statements.values():
        nothing = dict.fromkeys(statements.kind.changing)
        rows = [nothing | dict.fromkeys(statements.kind.key, key) for key in ("1", "2")]
        said = statements.update(rows)
        with engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN {said.text}", said.parameters).all()
        found = {line.table: line.type for line in plan}
        assert found[statements.kind.table.name] == "eq_ref", plan
    engine.dispose()
    store.close()
