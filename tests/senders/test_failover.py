"""The first of two senders dies under load: nearly everybody gets one message, nobody two."""

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.conftest import CREDENTIALS, KEYRING, NOON, SERVICE
from tests.senders.fakes import Answer, Asked, Fake, broken_server, fake_provider
from watchword.clock import ManualClock
from watchword.commands.services import EnsureService
from watchword.commands.verifications import Started, StartVerification
from watchword.engine import Engine
from watchword.errors import DeliveryFailed
from watchword.model import Delivery
from watchword.phone import parse
from watchword.senders.configured import dispatch_from
from watchword.senders.dispatch import Dispatch
from watchword.store.memory import MemoryStore

PEOPLE = 1500
AT_ONCE = 10
DIES_AFTER = 300


@pytest.fixture
def two() -> Iterator[tuple[Fake, Fake]]:
    with fake_provider() as first, fake_provider() as second:
        yield first, second


def make(first: str, second: str, timeout: float = 2) -> tuple[Engine, Dispatch]:
    tables = {
        "senders": [
            {"name": "first", "type": "webhook", "url": first, "timeout_seconds": timeout},
            {"name": "second", "type": "webhook", "url": second},
        ]
    }
    dispatch = dispatch_from(tables, {})
    assert dispatch is not None
    engine = Engine(
        MemoryStore(),
        dispatch,
        KEYRING,
        CREDENTIALS,
        clock=ManualClock(NOON),
        answer_within=timedelta(seconds=2.5),
    )
    engine.perform(EnsureService(SERVICE))
    return engine, dispatch


async def everybody(engine: Engine) -> tuple[list[Started | None], list[float]]:
    """Start a verification for each person, so many at once; return the answers and the waits."""
    gate = asyncio.Semaphore(AT_ONCE)
    waits = []

    async def one(number: int) -> Started | None:
        phone = parse(f"+2376500{number:05d}")
        start = StartVerification(CREDENTIALS.service_sid, CREDENTIALS.account_sid, phone)
        async with gate:
            begun = time.monotonic()
            try:
                return await engine.submit(start)
            except DeliveryFailed:
                return None
            finally:
                waits.append(time.monotonic() - begun)

    answers = await asyncio.gather(*(one(number) for number in range(PEOPLE)))
    await engine.aclose()
    return list(answers), waits


@pytest.mark.parametrize("death", ["takes it and fails", "503", "500", "401"])
def test_the_first_of_two_senders_dies_under_load(
    two: tuple[Fake, Fake], death: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    first, second = two
    delivered: Counter[str] = Counter()

    def dying(asked: Asked) -> Answer:
        if len(first.asked) <= DIES_AFTER:
            delivered[asked.json["to"]] += 1
            return 200, {}, b"{}"
        if death == "takes it and fails":
            delivered[asked.json["to"]] += 1  # the worst: it was sent, and the answer says 500
            return 500, {}, b""
        return int(death), {}, b""

    def living(asked: Asked) -> Answer:
        delivered[asked.json["to"]] += 1
        return 200, {}, b"{}"

    first.answer, second.answer = dying, living
    engine, dispatch = make(first.url, second.url)

    answers, waits = asyncio.run(everybody(engine))

    once = sum(1 for count in delivered.values() if count == 1)
    assert [to for to, count in delivered.items() if count > 1] == []
    assert once >= 0.99 * PEOPLE
    assert None not in answers
    assert dispatch.health()[0].sent == DIES_AFTER
    assert len(first.asked) <= DIES_AFTER + 5 + AT_ONCE
    assert max(waits) < 10


def test_a_sender_that_hangs_costs_its_first_few_messages_and_no_more() -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with broken_server(silent) as broken, fake_provider() as second:
        second.says(200, b"{}")
        engine, _ = make(broken.url, second.url, timeout=0.3)
        statuses = Counter(asyncio.run(some(engine, 30)))

        assert statuses == {Delivery.UNKNOWN: 5, Delivery.SENT: 25}
        assert len(second.asked) == 25


async def some(engine: Engine, people: int) -> list[Delivery]:
    """Start a verification for each person, one after another."""
    found = []
    for number in range(people):
        phone = parse(f"+2376501{number:05d}")
        start = StartVerification(CREDENTIALS.service_sid, CREDENTIALS.account_sid, phone)
        found.append((await engine.submit(start)).delivery)
    await engine.aclose()
    return found
