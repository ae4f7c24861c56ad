"""One row, many names: servers whose newest keys differ make it once and never lose sight of it."""

import threading
import time
from collections.abc import Iterator

import pytest

from tests.conftest import KEYRING, NOON
from tests.store.test_contract import SUBJECT, VERIFICATION
from watchword.model import Counter, Subject, Verification
from watchword.record import replace
from watchword.store.base import Changes, Keys, Rows, Store
from watchword.store.sql import SqlStore

OLD, NEW = "a" * 32, "b" * 32
ORDERS = [(OLD, NEW), (NEW, OLD)]


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[SqlStore]:
    """Return a store on each server, where nothing keeps two transactions apart but their rows."""
    opened = SqlStore(request.getfixturevalue(f"{request.param}_url"), KEYRING)
    yield opened
    opened.close()


def names_of(store: Store, kind: type[Subject] | type[Counter] = Subject) -> list[object]:
    """Return the names that are taken."""
    seen: list[Rows] = []

    def look(rows: Rows) -> Changes:
        seen.append(rows)
        return Changes()

    pairs = ((OLD, "page"), (NEW, "page"))
    store.transact(Keys.reading(kind, *((OLD, NEW) if kind is Subject else pairs)), look)
    return [key for (found, key), _ in seen[-1].cells.items() if found is kind]


@pytest.mark.parametrize(("mine", "theirs"), ORDERS)
def test_of_two_who_would_name_a_new_row_differently_one_makes_it(
    server: SqlStore, mine: str, theirs: str
) -> None:
    held: list[int] = []

    def add_one(rows: Rows, name: str) -> Changes:
        found = rows.get(Subject, OLD) or rows.get(Subject, NEW)
        held.append(found.failures if found else 0)
        if found:
            return Changes.of(replace(found, failures=found.failures + 1))
        return Changes.of(replace(SUBJECT, key=name, failures=1))

    def meet(rows: Rows) -> Changes:
        if not held:  # they come in between, where there is no row yet to be locked
            server.transact(Keys.one_of(Subject, theirs, mine), lambda rows: add_one(rows, theirs))
        return add_one(rows, mine)

    server.transact(Keys.one_of(Subject, mine, theirs), meet)

    assert names_of(server) == [theirs]
    assert held == [0, 0, 1]


def test_a_ladder_of_two_names_is_made_once(server: SqlStore) -> None:
    made: list[str] = []

    def make(rows: Rows, name: str) -> Changes:
        if any(rows.get(Counter, (each, "page")) for each in (OLD, NEW)):
            return Changes()
        made.append(name)
        return Changes.of(Counter(name, "page", 1, NOON, NOON))

    def ask(order: tuple[str, ...]) -> Keys:
        return Keys.one_of(Counter, *((name, "page") for name in order))

    def meet(rows: Rows) -> Changes:
        if not made:
            server.transact(ask((NEW, OLD)), lambda rows: make(rows, NEW))
        return make(rows, OLD)

    server.transact(ask((OLD, NEW)), meet)

    assert names_of(server, Counter) == [(NEW, "page")]


@pytest.mark.parametrize("rounds", [100])
def test_many_who_race_for_a_row_of_two_names_make_one(server: SqlStore, rounds: int) -> None:
    wrong = []
    for number in range(rounds):
        names = tuple(f"{letter}{number:031}" for letter in "ab")
        gate = threading.Barrier(2)

        def race(order: tuple[str, ...], gate: threading.Barrier = gate) -> None:
            def add_one(rows: Rows) -> Changes:
                found = next((row for name in order if (row := rows.get(Subject, name))), None)
                if found is None:
                    return Changes.of(replace(SUBJECT, key=order[0], failures=1))
                changes = Changes().delete(Subject, found.key)  # and it moves to the name we prefer
                changes.add(Changes.of(replace(found, key=order[0], failures=found.failures + 1)))
                return changes

            gate.wait()
            for _ in range(3):
                server.transact(Keys.one_of(Subject, *order), add_one)

        racers = [threading.Thread(target=race, args=(order,)) for order in (names, names[::-1])]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        found = rows_of(server, names)
        if [row.failures for row in found] != [6]:
            wrong.append(found)

    assert wrong == []


def rows_of(store: Store, names: tuple[str, ...]) -> list[Subject]:
    seen: list[Rows] = []

    def look(rows: Rows) -> Changes:
        seen.append(rows)
        return Changes()

    store.transact(Keys.reading(Subject, *names), look)
    return [row for row in seen[-1].cells.values() if isinstance(row, Subject)]


@pytest.mark.parametrize(
    "asked",
    [Keys.one_of(Subject, OLD, NEW), Keys.of(Verification, VERIFICATION.sid)],
    ids=["by its names", "by its verification"],
)
def test_who_waits_for_a_row_that_moves_finds_it_under_its_new_name(
    server: SqlStore, asked: Keys
) -> None:
    before = replace(SUBJECT, key=OLD, failures=7)
    latest = replace(VERIFICATION, subject=OLD)
    both = Keys.of(Subject, OLD, NEW) | Keys.of(Verification, latest.sid)
    server.transact(both, lambda _: Changes.of(before, latest))
    seen: list[int] = []

    def look(rows: Rows) -> Changes:
        found = next((row for row in rows.cells.values() if isinstance(row, Subject)), None)
        seen.append(found.failures if found else -1)
        return Changes()

    waiting = threading.Thread(target=server.transact, args=(asked, look))

    def move(rows: Rows) -> Changes:
        if not waiting.is_alive():
            waiting.start()
            wait_for_a_waiter(server)
        changes = Changes().delete(Subject, OLD)
        changes.add(Changes.of(replace(before, key=NEW), replace(latest, subject=NEW)))
        return changes

    server.transact(Keys.one_of(Subject, NEW, OLD) | Keys.of(Verification, latest.sid), move)
    waiting.join()

    assert seen == [7]


def wait_for_a_waiter(store: SqlStore) -> None:
    """Return once a transaction of this database waits for a lock."""
    ask = "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
    if store._engine.dialect.name == "postgresql":
        ask = (
            "SELECT 1 FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with store.reading() as connection:
            if connection.exec_driver_sql(ask).first():
                return
        time.sleep(0.15)  # asked more often, InnoDB shows the same over and over
    raise AssertionError("nobody waits")
