"""Measure the store by itself: pairs of a start and a right check, in batches and one by one.

    python benchmarks/store_batches.py sqlite:////tmp/bench.db [--seconds 5] [--callers 64]

Prints pairs per second through `Engine.submit` with so many callers, and through
`Engine.perform` from one thread. The messages go nowhere; everything else is the product.
"""

import argparse
import asyncio
import itertools
import time

from watchword.commands.services import EnsureService
from watchword.commands.verifications import CheckCode, StartVerification
from watchword.engine import Engine
from watchword.home import Credentials
from watchword.keys import Keyring
from watchword.model import Delivery, Status
from watchword.phone import Phone
from watchword.senders.base import Message, Receipt
from watchword.store.sql import SqlStore
from watchword.tenants import Service

KEYRING = Keyring.from_secrets([b"benchmark key, 32 bytes or more!"])
CREDENTIALS = Credentials.new()
numbers = itertools.count(int(time.time() * 10) % 10**6 * 10**3)


class NowhereSender:
    """Take every message and forget it."""

    name = "nowhere"
    waits = False

    async def send(self, message: Message) -> Receipt:
        return Receipt(Delivery.SENT)

    def close(self) -> None:
        """Hold nothing."""


def open_engine(url: str) -> Engine:
    engine = Engine(SqlStore(url, KEYRING), NowhereSender(), KEYRING, CREDENTIALS)
    now = engine.clock.now()
    service = Service(CREDENTIALS.service_sid, CREDENTIALS.account_sid, "Bench", now, now)
    engine.perform(EnsureService(service))
    return engine


def start() -> StartVerification:
    phone = Phone(e164=f"+23765{next(numbers):07}", country="CM")
    return StartVerification(CREDENTIALS.service_sid, CREDENTIALS.account_sid, phone)


def check(to: str, code: str) -> CheckCode:
    return CheckCode(CREDENTIALS.service_sid, CREDENTIALS.account_sid, code, to=to)


async def in_batches(engine: Engine, callers: int, seconds: float) -> float:
    end = time.perf_counter() + seconds
    pairs = 0

    async def caller() -> None:
        nonlocal pairs
        while time.perf_counter() < end:
            started = await engine.submit(start())
            answer = await engine.submit(check(started.verification.to, started.code))
            assert answer.status is Status.APPROVED
            pairs += 1

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return pairs / (time.perf_counter() - began)


def one_by_one(engine: Engine, seconds: float) -> float:
    began = time.perf_counter()
    pairs = 0
    while time.perf_counter() < began + seconds:
        started = engine.perform(start())
        engine.perform(check(started.verification.to, started.code))
        pairs += 1
    return pairs / (time.perf_counter() - began)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("url")
    arguments.add_argument("--seconds", type=float, default=5)
    arguments.add_argument("--callers", type=int, default=64)
    given = arguments.parse_args()
    engine = open_engine(given.url)
    rate = asyncio.run(in_batches(engine, given.callers, given.seconds))
    print(f"{given.callers} callers in batches   {rate:8,.0f} pairs/s")
    print(f"one thread, one by one  {one_by_one(engine, given.seconds):8,.0f} pairs/s")
    engine.close()


if __name__ == "__main__":
    main()
