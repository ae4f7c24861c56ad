"""T-31: a code is good for one verification, one address, one service, one account, once."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from tests.conftest import SERVICE
from watchword.clock import ManualClock
from watchword.commands.services import EnsureService
from watchword.commands.verifications import (
    CheckCode,
    CloseVerification,
    Started,
    StartVerification,
)
from watchword.engine import Engine
from watchword.errors import Refusal
from watchword.model import Status
from watchword.phone import Phone
from watchword.store.base import Store

OTHER_SERVICE = replace(SERVICE, sid="VA" + "6" * 32)
OTHERS_SERVICE = replace(SERVICE, sid="VA" + "7" * 32, account_sid="AC" + "b" * 32)
ROUNDS = 12
numbers = itertools.count(237_650_000_000)


class Thief:
    """Somebody with a right code, who tries it where it is not good."""

    def __init__(self, engine: Engine, clock: ManualClock) -> None:
        self.engine, self.clock = engine, clock
        self.stolen = ""

    def start(self, service_sid: str = SERVICE.sid, to: str = "", lane: str = "") -> Started:
        """Start a verification whose code is not by chance the stolen one: one in a million is."""
        phone = Phone(to or f"+{next(numbers)}", "CM")
        begin = StartVerification(service_sid, SERVICE.account_sid, phone, lane=lane)
        started = self.engine.perform(begin)
        while started.code == self.stolen:
            self.close(started, Status.CANCELED)
            started = self.engine.perform(begin)
        return started

    def tries(self, code: str, **where: str) -> bool:
        named = {"service_sid": SERVICE.sid, "account_sid": SERVICE.account_sid} | where
        try:
            answer = self.engine.perform(CheckCode(code=code, **named))
        except Refusal:
            return False
        return answer.status is Status.APPROVED

    def close(self, started: Started, status: Status) -> None:
        service_sid, sid = started.verification.service_sid, started.verification.sid
        self.engine.perform(
            CloseVerification(service_sid, SERVICE.account_sid, status, verification_sid=sid)
        )

    def on_another_verification(self, own: Started) -> bool:
        other = self.start()
        return self.tries(own.code, verification_sid=other.verification.sid)

    def on_another_phone(self, own: Started) -> bool:
        return self.tries(own.code, to=self.start().verification.to)

    def on_a_phone_and_a_verification_that_differ(self, own: Started) -> bool:
        other = self.start().verification
        first = self.tries(own.code, to=other.to, verification_sid=own.verification.sid)
        return first or self.tries(own.code, to=own.verification.to, verification_sid=other.sid)

    def on_the_same_phone_of_another_service(self, own: Started) -> bool:
        to = own.verification.to
        self.start(OTHER_SERVICE.sid, to)
        return self.tries(own.code, service_sid=OTHER_SERVICE.sid, to=to)

    def by_its_sid_under_another_service(self, own: Started) -> bool:
        sid = own.verification.sid
        return self.tries(own.code, service_sid=OTHER_SERVICE.sid, verification_sid=sid)

    def with_the_credentials_of_another_account(self, own: Started) -> bool:
        to, account = own.verification.to, OTHERS_SERVICE.account_sid
        here = self.tries(own.code, account_sid=account, to=to)
        there = self.tries(own.code, account_sid=account, service_sid=OTHERS_SERVICE.sid, to=to)
        return here or there

    def in_another_lane(self, own: Started) -> bool:
        to = own.verification.to
        self.start(to=to, lane=" device 1")
        return self.tries(own.code, to=to, lane=" device 1")

    def after_it_was_canceled(self, own: Started) -> bool:
        self.close(own, Status.CANCELED)
        return self.tries(own.code, to=own.verification.to)

    def after_its_owner_approved_it(self, own: Started) -> bool:
        self.close(own, Status.APPROVED)
        return self.tries(own.code, to=own.verification.to)

    def a_second_time(self, own: Started) -> bool:
        assert self.tries(own.code, to=own.verification.to)
        return self.tries(own.code, to=own.verification.to)

    def after_it_ended(self, own: Started) -> bool:
        self.clock.advance(minutes=10)
        return self.tries(own.code, to=own.verification.to)

    def after_a_new_start_followed_its_end(self, own: Started) -> bool:
        self.clock.advance(minutes=10)
        to, sid = own.verification.to, own.verification.sid
        self.start(to=to)
        return self.tries(own.code, to=to) or self.tries(own.code, verification_sid=sid)

    def after_a_new_start_followed_its_cancel(self, own: Started) -> bool:
        self.close(own, Status.CANCELED)
        to, sid = own.verification.to, own.verification.sid
        self.start(to=to)
        return self.tries(own.code, to=to) or self.tries(own.code, verification_sid=sid)

    def after_five_wrong_guesses(self, own: Started) -> bool:
        for _ in range(5):
            self.tries(f"{(int(own.code) + 1) % 1_000_000:06}", to=own.verification.to)
        return self.tries(own.code, to=own.verification.to)


THEFTS: tuple[Callable[[Thief, Started], bool], ...] = (
    Thief.on_another_verification,
    Thief.on_another_phone,
    Thief.on_a_phone_and_a_verification_that_differ,
    Thief.on_the_same_phone_of_another_service,
    Thief.by_its_sid_under_another_service,
    Thief.with_the_credentials_of_another_account,
    Thief.in_another_lane,
    Thief.after_it_was_canceled,
    Thief.after_its_owner_approved_it,
    Thief.a_second_time,
    Thief.after_it_ended,
    Thief.after_a_new_start_followed_its_end,
    Thief.after_a_new_start_followed_its_cancel,
    Thief.after_five_wrong_guesses,
)


def steal(engine: Engine, clock: ManualClock, rounds: int) -> Iterator[tuple[str, int]]:
    """Try every theft so many times; yield its name and how often the code was good."""
    engine.perform(EnsureService(OTHER_SERVICE))
    engine.perform(EnsureService(OTHERS_SERVICE))
    thief = Thief(engine, clock)
    for theft in THEFTS:
        taken = 0
        for _ in range(rounds):
            own = thief.start()
            thief.stolen = own.code
            taken += theft(thief, own)
        yield theft.__name__, taken


def test_a_code_is_good_nowhere_else_and_never_again(
    store: Store, engine: Engine, clock: ManualClock
) -> None:
    good = Counter(dict(steal(engine, clock, ROUNDS)))

    assert good.total() == 0, good
    assert len(good) == len(THEFTS)
