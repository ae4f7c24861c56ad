"""A slow sender: the caller is answered in time, the message goes on, its end is recorded."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.conftest import CREDENTIALS, KEYRING, NOON, PHONE, SERVICE
from tests.senders.fakes import fake_provider
from watchword.clock import ManualClock
from watchword.commands.base import Command, Context, Decision
from watchword.commands.ladder import LookAtCounter
from watchword.commands.services import EnsureService
from watchword.commands.verifications import Guarded, GuardedStart, Started, StartVerification
from watchword.engine import Engine
from watchword.errors import DeliveryFailed, TooSoon
from watchword.keys import Keyring
from watchword.model import Attempt, Delivery
from watchword.phone import parse
from watchword.senders.base import Message, Receipt, Trouble
from watchword.store.base import Changes, Keys, Rows
from watchword.store.memory import MemoryStore

START = StartVerification(CREDENTIALS.service_sid, CREDENTIALS.account_sid, parse(PHONE))
GUARDED = GuardedStart(START, "pair", "user")


class Slow:
    """A sender that answers when it is let go."""

    name = "slow"
    waits = True

    def __init__(self, receipt: Receipt) -> None:
        self.receipt = receipt
        self.go = Event()
        self.sent = 0

    async def send(self, message: Message) -> Receipt:
        self.sent += 1
        await asyncio.to_thread(self.go.wait)
        return self.receipt

    def close(self) -> None:
        self.go.set()


class FindAttempt:
    """Read one attempt."""

    def __init__(self, sid: str) -> None:
        self.sid = sid

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Attempt, self.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Attempt | None]:
        return Decision(Changes(), rows.get(Attempt, self.sid))


def make(sender: Slow, seconds: float = 0.05) -> Engine:
    engine = Engine(
        MemoryStore(),
        sender,
        KEYRING,
        CREDENTIALS,
        clock=ManualClock(NOON),
        answer_within=timedelta(seconds=seconds),
    )
    engine.perform(EnsureService(SERVICE))
    return engine


def run(engine: Engine, command: Command[Any], how: str, then: Event) -> Any:
    """Run a command in either way; let the sender go once the caller has his answer."""
    if how == "sync":
        answer = engine.perform(command)
        then.set()
        engine._late.wait()
        return answer

    async def all_of_it() -> Any:
        answer = await engine.submit(command)
        then.set()
        await engine._late.drain()
        return answer

    return asyncio.run(all_of_it())


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_caller_is_answered_in_time_and_the_end_is_recorded(how: str) -> None:
    sender = Slow(Receipt.sent("m1"))
    engine = make(sender)

    begun = time.monotonic()
    started = run(engine, START, how, sender.go)

    assert time.monotonic() - begun < 2
    assert isinstance(started, Started)
    assert started.delivery is Delivery.QUEUED
    attempt = engine.perform(FindAttempt(started.attempt.sid))
    assert attempt is not None
    assert (attempt.status, attempt.message_id, sender.sent) == (Delivery.SENT, "m1", 1)


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_late_failure_gives_the_step_back(how: str) -> None:
    sender = Slow(Receipt.failed(Trouble.OUTAGE))
    engine = make(sender)

    guarded = run(engine, GUARDED, how, sender.go)

    assert isinstance(guarded, Guarded)
    assert engine.perform(LookAtCounter("pair", "user")).count == 0


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_late_uncertain_end_keeps_the_step(how: str) -> None:
    sender = Slow(Receipt.unknown())
    engine = make(sender)

    run(engine, GUARDED, how, sender.go)

    with pytest.raises(TooSoon):
        engine.perform(GUARDED)
    assert sender.sent == 1


def test_a_failure_in_time_is_raised() -> None:
    sender = Slow(Receipt.failed(Trouble.FUNDS))
    sender.go.set()

    with pytest.raises(DeliveryFailed, match="top it up"):
        make(sender, seconds=5).perform(START)


def test_a_caller_who_goes_away_stops_nothing() -> None:
    sender = Slow(Receipt.sent("m1"))
    engine = make(sender, seconds=10)

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(engine.submit(GUARDED), 0.05)
        sender.go.set()
        await engine._late.drain()

    asyncio.run(leave())

    with pytest.raises(TooSoon):
        engine.perform(GUARDED)
    assert sender.sent == 1


def test_closing_waits_for_what_is_under_way() -> None:
    sender = Slow(Receipt.sent("m1"))
    engine = make(sender)

    async def serve() -> Started:
        started = await engine.submit(START)
        asyncio.get_running_loop().call_later(0.05, sender.go.set)
        await engine.aclose()
        return started

    started = asyncio.run(serve())

    attempt = engine.perform(FindAttempt(started.attempt.sid))
    assert attempt is not None
    assert attempt.status is Delivery.SENT


def test_a_process_killed_between_commit_and_send_never_sends_it_later(home: Path) -> None:
    """Two starts are killed, one before its request and one while it waits for the answer."""
    script = textwrap.dedent(
        """
        import os, signal, sys
        from watchword import config, runtime
        from watchword.commands.verifications import StartVerification
        from watchword.phone import parse
        from watchword.senders.http import HttpSender

        async def die(self, message):
            os.kill(os.getpid(), signal.SIGKILL)

        if sys.argv[1] == "before":
            HttpSender.send = die
        engine = runtime.open_engine(config.load())
        known = engine.credentials
        start = StartVerification(known.service_sid, known.account_sid, parse(sys.argv[2]))
        print(engine.perform(start).delivery)
        engine.close()
        """
    )
    with fake_provider() as fake:
        home.mkdir()
        (home / "watchword.toml").write_text(
            f'[[senders]]\nname = "mine"\ntype = "webhook"\nurl = "{fake.url}"\n'
        )
        environment = os.environ | {"WATCHWORD_HOME": str(home), "WATCHWORD_ENV": "production"}

        def start(when: str, number: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-c", script, when, number],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )

        killed = start("before", "+237650000001")
        alive = start("after", "+237650000002")

        assert killed.returncode == -signal.SIGKILL
        assert alive.stdout == "sent\n", alive.stderr
        assert [asked.json["to"] for asked in fake.asked] == ["+237650000002"]
