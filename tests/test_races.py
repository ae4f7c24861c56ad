"""Races between processes on one SQLite file, with exact counts."""

from tests.conftest import PHONE
from tests.processes import run_together
from watchword import config
from watchword.commands.ladder import LookAtCounter
from watchword.commands.verifications import StartVerification
from watchword.engine import Engine
from watchword.phone import parse
from watchword.runtime import open_engine
from watchword.senders.inbox import InboxMessage, InboxSender


def begin() -> tuple[Engine, str, str]:
    """Start a verification in a database that other processes can open; return sid and code."""
    engine = open_engine(config.load())
    known = engine.credentials
    start = StartVerification(known.service_sid, known.account_sid, parse(PHONE))
    started = engine.perform(start)
    return engine, started.verification.sid, started.code


def test_of_200_right_checks_at_once_one_is_approved() -> None:
    engine, sid, code = begin()

    outcomes = run_together(
        4,
        """
        for _ in range(50):
            attempt(CheckCode(known.service_sid, known.account_sid, arguments["code"],
                              verification_sid=arguments["sid"]))
        """,
        sid=sid,
        code=code,
    )

    assert outcomes == {"approved": 1, "NotFound": 199}
    engine.close()


def test_of_1000_wrong_checks_at_once_five_are_evaluated() -> None:
    engine, sid, code = begin()

    outcomes = run_together(
        4,
        """
        for _ in range(250):
            attempt(CheckCode(known.service_sid, known.account_sid, arguments["wrong"],
                              verification_sid=arguments["sid"]))
        attempt(CheckCode(known.service_sid, known.account_sid, arguments["code"],
                          verification_sid=arguments["sid"]))
        """,
        sid=sid,
        wrong=f"{(int(code) + 1) % 1_000_000:06}",
        code=code,
    )

    assert outcomes == {"pending": 5, "TooManyChecks": 999}
    engine.close()


def test_of_32_processes_one_sends_per_window() -> None:
    """Each process tries all five windows; the clock each of them sees is turned between them."""
    engine, _, _ = begin()
    windows = 5
    sent_before = len(messages())

    outcomes = run_together(
        32,
        """
        from datetime import timedelta
        from watchword.clock import ManualClock

        begin = engine.clock.now()
        clock = ManualClock(begin)
        turned = engine.view(clock=clock, policy=engine.policy)
        waits = (0, 121, 301, 901, 86_401)
        turns = [timedelta(seconds=sum(waits[: step + 1]) + 60 * step) for step in range(5)]
        # A window's start is the same moment for every process, whenever its process gets there.
        for turn in turns:
            clock.advance(seconds=(turn - (clock.now() - begin)).total_seconds())
            start = StartVerification(known.service_sid, known.account_sid, parse(arguments["to"]))
            for _ in range(2):
                try:
                    turned.perform(GuardedStart(start, "hash", "user"))
                    outcomes[f"sent at {turn}"] += 1
                except TooSoon:
                    outcomes["waited"] += 1
        """,
        to="+237650000099",
    )

    sends = [count for what, count in outcomes.items() if what.startswith("sent at")]
    assert sends == [1] * windows, outcomes
    assert outcomes["waited"] == 32 * 2 * windows - windows
    assert len(messages()) - sent_before == windows
    engine.close()


def test_of_many_steps_taken_at_once_none_is_lost() -> None:
    engine, _, _ = begin()
    counter = engine.perform(LookAtCounter("hash", "user"))
    assert counter.count == 0
    found = engine.store.counter("hash", "user")
    assert found is not None

    run_together(
        8,
        """
        from watchword.record import replace

        # A ladder longer than the test climbs, so that each step taken shows in the count.
        long = replace(engine.policy, ladder=engine.policy.ladder * 50)
        engine = engine.view(clock=engine.clock, policy=long)
        for _ in range(10):
            attempt(Climb(arguments["id"], "hash", "user"))
        """,
        id=found.id,
    )

    after = engine.store.counter("hash", "user")
    assert after is not None
    assert after.count == 80
    engine.close()


def test_many_first_requests_at_once_make_one_row() -> None:
    engine, _, _ = begin()

    outcomes = run_together(8, 'attempt(LookAtCounter("hash", "user"))')

    assert outcomes == {"done": 8}
    row = engine.store.counter("hash", "user")
    assert row is not None
    assert row.id == 1
    engine.close()


def test_many_processes_that_start_together_make_one_home() -> None:
    outcomes = run_together(6, "outcomes[known.service_sid] += 1")

    assert len(outcomes) == 1
    assert outcomes.total() == 6


def messages() -> list[InboxMessage]:
    """Return what all processes delivered."""
    sender = InboxSender(config.load().home / "inbox.db")
    delivered = sender.messages()
    sender.close()
    return delivered
