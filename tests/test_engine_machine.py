"""The engine against a model of forty lines, over any history that Hypothesis can think of."""

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.conftest import CREDENTIALS, KEYRING, NOON, SERVICE
from watchword.clock import ManualClock
from watchword.commands.ladder import ForgetCounter
from watchword.commands.services import EnsureService
from watchword.commands.verifications import (
    CheckCode,
    CloseVerification,
    GuardedStart,
    StartVerification,
)
from watchword.engine import Engine
from watchword.errors import Refusal
from watchword.model import Policy, Status
from watchword.phone import parse
from watchword.record import replace
from watchword.senders.inbox import InboxSender
from watchword.sids import new_sid
from watchword.store.base import Store
from watchword.store.memory import MemoryStore

PHONES = ("+237650000000", "+12025550143")
POLICY = replace(Policy(), max_failures=9)


@dataclass
class Run:
    """One verification as the model sees it."""

    code: str
    expires: datetime
    sends: int = 1
    checks: int = 0
    state: str = "pending"


@dataclass
class Subject:
    """One phone as the model sees it."""

    run: Run | None = None
    failures: int = 0
    step: int = 0
    waits_until: datetime | None = None
    approved: list[str] = field(default_factory=list)


class EngineMachine(RuleBasedStateMachine):
    """Each history has a service of its own, so that many can share one database."""

    store: ClassVar[Store]

    @initialize()
    def begin(self) -> None:
        self.clock = ManualClock(NOON)
        self.inbox = InboxSender()
        self.engine = Engine(
            self.store, self.inbox, KEYRING, CREDENTIALS, clock=self.clock, policy=POLICY
        )
        self.service = replace(SERVICE, sid=new_sid("VA"))
        self.engine.perform(EnsureService(self.service))
        self.model = {phone: Subject() for phone in PHONES}
        self.delivered = 0

    def teardown(self) -> None:
        if hasattr(self, "inbox"):
            self.inbox.close()

    def open(self, subject: Subject) -> Run | None:
        run = subject.run
        return run if run and run.state == "pending" and self.clock.now() < run.expires else None

    def may_start(self, subject: Subject) -> bool:
        run = subject.run
        if subject.failures >= POLICY.max_failures:
            return False
        if run and run.state == "locked" and self.clock.now() < run.expires:
            return False
        pending = self.open(subject)
        return pending is None or pending.sends < 5

    def started(self, phone: str, code: str, sid: str) -> None:
        """Note a start that the model allows: the same code while open, another one otherwise."""
        subject = self.model[phone]
        pending = self.open(subject)
        if pending:
            assert code == pending.code
            pending.sends += 1
        else:
            subject.run = Run(code, self.clock.now() + timedelta(minutes=10))
        self.delivered += 1

    @rule(phone=st.sampled_from(PHONES))
    def start(self, phone: str) -> None:
        allowed = self.may_start(self.model[phone])
        command = StartVerification(self.service.sid, self.service.account_sid, parse(phone))
        try:
            answer = self.engine.perform(command)
        except Refusal:
            assert not allowed
            return
        assert allowed
        self.started(phone, answer.code, answer.verification.sid)

    @rule(phone=st.sampled_from(PHONES))
    def guarded_start(self, phone: str) -> None:
        subject = self.model[phone]
        now = self.clock.now()
        free = subject.waits_until is None or now >= subject.waits_until
        allowed = free and self.may_start(subject)
        start = StartVerification(self.service.sid, self.service.account_sid, parse(phone))
        try:
            answer = self.engine.perform(GuardedStart(start, phone, self.service.sid))
        except Refusal:
            assert not allowed
            return
        assert allowed
        subject.waits_until = now + POLICY.ladder[subject.step % 4]
        subject.step += 1
        assert answer.counter.expires == subject.waits_until
        self.started(phone, answer.started.code, answer.started.verification.sid)

    @rule(phone=st.sampled_from(PHONES), is_right=st.booleans())
    def check(self, phone: str, is_right: bool) -> None:
        subject = self.model[phone]
        run = subject.run
        right = run.code if run else "000000"
        code = right if is_right else f"{(int(right) + 1) % 1_000_000:06}"
        pending = self.open(subject)
        allowed = pending is not None and subject.failures < POLICY.max_failures
        try:
            answer = self.engine.perform(
                CheckCode(self.service.sid, self.service.account_sid, code, to=phone)
            )
        except Refusal:
            assert not allowed
            return
        assert allowed
        assert pending is not None
        pending.checks += 1
        assert (answer.status is Status.APPROVED) == is_right
        if is_right:
            pending.state, subject.failures = "approved", 0
            assert answer.sid not in subject.approved
            subject.approved.append(answer.sid)
        else:
            subject.failures += 1
            pending.state = "locked" if pending.checks == 5 else "pending"

    @rule(phone=st.sampled_from(PHONES), status=st.sampled_from([Status.CANCELED, Status.APPROVED]))
    def close(self, phone: str, status: Status) -> None:
        subject = self.model[phone]
        pending = self.open(subject)
        try:
            self.engine.perform(
                CloseVerification(self.service.sid, self.service.account_sid, status, to=phone)
            )
        except Refusal:
            assert pending is None
            return
        assert pending is not None
        pending.state = status.value
        subject.failures = 0 if status is Status.APPROVED else subject.failures

    @rule(phone=st.sampled_from(PHONES))
    def forget_the_ladder(self, phone: str) -> None:
        self.engine.perform(ForgetCounter(phone, self.service.sid))
        self.model[phone].step, self.model[phone].waits_until = 0, None

    @rule(seconds=st.sampled_from([1, 59, 119, 120, 301, 600, 901, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @invariant()
    def what_was_committed_was_delivered_once(self) -> None:
        if hasattr(self, "engine"):
            assert len(self.inbox.messages()) == self.delivered


def test_no_history_of_requests_tells_the_engine_from_its_model(store: Store) -> None:
    """PROOF_HISTORIES is how many are tried; a database has the same rules, so it needs fewer."""
    in_memory = isinstance(store, MemoryStore)
    histories = int(os.environ.get("PROOF_HISTORIES", "200" if in_memory else "20"))

    class Here(EngineMachine):
        pass

    Here.store = store
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=histories,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
