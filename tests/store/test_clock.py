"""T-22: machines whose clocks differ agree on the database's."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.conftest import CREDENTIALS, KEYRING, PHONE, SERVICE
from watchword import config
from watchword.commands.services import EnsureService
from watchword.commands.verifications import CheckCode, GuardedStart, StartVerification
from watchword.development.clock import TurnedClock
from watchword.engine import Engine
from watchword.errors import NotFound, TooSoon
from watchword.phone import parse
from watchword.runtime import open_engine
from watchword.senders.inbox import InboxSender
from watchword.store.clock import MEASURE_EVERY, DatabaseClock
from watchword.store.sql import SqlStore

START = StartVerification(SERVICE.sid, SERVICE.account_sid, parse(PHONE))


class Machine:
    """A machine whose clock is wrong by so many seconds, and whose time a test lets pass."""

    def __init__(self, wrong_by: float) -> None:
        self.wrong_by = wrong_by
        self.passed = 0.0

    def wall(self) -> float:
        return time.time() + self.wrong_by

    def steady(self) -> float:
        return time.monotonic() + self.passed


@pytest.fixture(params=["postgres", "mariadb"])
def node(request: pytest.FixtureRequest) -> Iterator[Callable[[Machine], Engine]]:
    """Return a maker of nodes on one database, each on its machine."""
    url = request.getfixturevalue(f"{request.param}_url")
    engines: list[Engine] = []

    def make(machine: Machine) -> Engine:
        store = SqlStore(url, KEYRING)
        clock = DatabaseClock(store, machine.wall, machine.steady)
        engines.append(Engine(store, InboxSender(), KEYRING, CREDENTIALS, clock=clock))
        engines[-1].perform(EnsureService(SERVICE))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


@pytest.mark.parametrize(("first", "second"), [(0, 300), (300, 0), (-3600, 3600), (0, -600)])
def test_nodes_whose_clocks_differ_agree_on_waits_and_ends(
    node: Callable[[Machine], Engine], first: float, second: float
) -> None:
    one, other = node(Machine(first)), node(Machine(second))

    guarded = one.perform(GuardedStart(START, "hash", "user"))

    with pytest.raises(TooSoon) as refusal:
        other.perform(GuardedStart(START, "hash", "user"))
    assert refusal.value.retry_after in (119, 120)
    left = guarded.started.verification.expires_at - other.clock.now()
    assert abs(left - timedelta(minutes=10)) < timedelta(seconds=1)


def test_a_code_ends_in_time_on_a_node_that_is_an_hour_behind(
    node: Callable[[Machine], Engine],
) -> None:
    ahead, behind = node(Machine(300)), node(Machine(-3600))
    started = ahead.perform(START)
    ends = started.verification.expires_at - behind.clock.now()
    later = behind.clock
    behind.clock = type("Later", (), {"now": lambda _: later.now() + ends})()

    with pytest.raises(NotFound):
        behind.perform(CheckCode(SERVICE.sid, SERVICE.account_sid, started.code, to=PHONE))


def test_a_clock_that_is_put_right_is_measured_again(
    node: Callable[[Machine], Engine],
) -> None:
    machine = Machine(-600)
    engine = node(machine)
    assert abs(engine.clock.now().timestamp() - time.time()) < 1

    machine.wrong_by = 0  # its NTP client has begun to work
    machine.passed = MEASURE_EVERY + 1
    engine.clock.now()
    for thread in threading.enumerate():
        if thread.name == "watchword-clock":
            thread.join()

    assert isinstance(engine.clock, DatabaseClock)
    assert abs(engine.clock._skew) < 1


def test_a_server_on_a_database_server_goes_by_its_clock(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", postgres_url)
    monkeypatch.setenv("WATCHWORD_ENV", "development")
    engine = open_engine(config.load())

    assert isinstance(engine.clock, TurnedClock)
    assert isinstance(engine.clock._base, DatabaseClock)
    engine.close()
