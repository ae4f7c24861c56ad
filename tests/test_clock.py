"""Time: it never goes back, and no time zone or clock step bends the ladder or a code's life."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import NOON, PHONE, SERVICE, make_engine
from watchword.clock import ManualClock, SystemClock
from watchword.commands.ladder import ClimbIfFree
from watchword.commands.verifications import CheckCode, StartVerification
from watchword.engine import Engine
from watchword.errors import NotFound, TooSoon
from watchword.phone import parse
from watchword.senders.inbox import InboxSender
from watchword.store.base import Store


class Hands:
    """A wall clock and a steady clock that a test moves."""

    def __init__(self) -> None:
        self.wall_time = NOON.timestamp()
        self.steady_time = 100.0

    def wall(self) -> float:
        return self.wall_time

    def steady(self) -> float:
        return self.steady_time

    def pass_seconds(self, seconds: float) -> None:
        self.wall_time += seconds
        self.steady_time += seconds


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def clock_of_hands(hands: Hands) -> SystemClock:
    return SystemClock(hands.wall, hands.steady)


def test_now_is_aware_utc_in_whole_milliseconds() -> None:
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0


def test_a_clock_set_back_goes_on_at_its_own_pace(
    hands: Hands, clock_of_hands: SystemClock
) -> None:
    hands.wall_time -= 600
    assert clock_of_hands.now() == NOON

    hands.pass_seconds(5)

    assert clock_of_hands.now() == NOON + timedelta(seconds=5)


def test_a_clock_set_forward_is_followed(hands: Hands, clock_of_hands: SystemClock) -> None:
    hands.wall_time += 7200  # a suspended machine wakes: its steady clock stood still

    assert clock_of_hands.now() == NOON + timedelta(hours=2)


@pytest.fixture
def on_hands(store: Store, inbox: InboxSender, clock_of_hands: SystemClock) -> Engine:
    engine = make_engine(store, inbox, ManualClock(NOON))
    return engine.view(clock=clock_of_hands, policy=engine.policy)


@pytest.mark.parametrize("step", [-3600, -600, 0])
def test_a_wait_is_as_long_as_it_says_whatever_is_done_to_the_clock(
    on_hands: Engine, hands: Hands, step: int
) -> None:
    on_hands.perform(ClimbIfFree("hash", "user"))

    hands.wall_time += step
    hands.pass_seconds(119)
    with pytest.raises(TooSoon):
        on_hands.perform(ClimbIfFree("hash", "user"))
    hands.pass_seconds(1)

    assert on_hands.perform(ClimbIfFree("hash", "user")).counter.count == 2


def test_a_code_does_not_live_longer_because_the_clock_was_set_back(
    on_hands: Engine, hands: Hands
) -> None:
    start = StartVerification(SERVICE.sid, SERVICE.account_sid, parse(PHONE))
    started = on_hands.perform(start)

    hands.wall_time -= 600
    hands.pass_seconds(600)

    with pytest.raises(NotFound):
        on_hands.perform(CheckCode(SERVICE.sid, SERVICE.account_sid, started.code, to=PHONE))


@pytest.mark.parametrize("year", [2038, 2100])
def test_far_years_are_kept_exactly(store: Store, inbox: InboxSender, year: int) -> None:
    clock = ManualClock(datetime(year, 1, 19, 3, 14, 7, 123000, tzinfo=UTC))
    engine = make_engine(store, inbox, clock)

    engine.perform(ClimbIfFree("hash", "user"))

    row = engine.store.counter("hash", "user")
    assert row is not None
    assert row.expires == clock.now() + timedelta(minutes=2)


ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Africa/Douala",
    "Pacific/Apia",
)
DST_STEPS = (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 10, 25, 0, 59, tzinfo=UTC))


@pytest.mark.parametrize("zone", ZONES)
def test_no_time_zone_or_summer_time_moves_a_wait(
    store: Store, inbox: InboxSender, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for number, moment in enumerate(DST_STEPS):
            clock = ManualClock(moment)
            engine = make_engine(store, inbox, clock)
            engine.perform(ClimbIfFree("hash", str(number)))
            clock.advance(seconds=119)
            with pytest.raises(TooSoon) as refusal:
                engine.perform(ClimbIfFree("hash", str(number)))
            assert refusal.value.retry_after == 1
            clock.advance(seconds=1)
            engine.perform(ClimbIfFree("hash", str(number)))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_processes_in_different_time_zones_agree_on_a_wait() -> None:
    program = (
        "from src.models._2FA import OTP_Model, TooManyRequests\n"
        "otp = OTP_Model('+237650000000')\n"
        "try:\n"
        "    otp.add_count(otp.check_count('hash', 'user'))\n"
        "    print('climbed')\n"
        "except TooManyRequests as refusal:\n"
        "    print(0 < refusal.retry_after <= 120)\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"TZ": zone, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC")
    ]

    assert said == ["climbed", "True", "True"]
