"""T-24: whatever call fails, nothing is approved and nothing is sent that should not be.

Every call into the stores, the keys, the codes, the clock, the texts and the senders is made to
fail, one after the other; `tests/faultpoints.py` finds them.
"""

import gc
import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import CREDENTIALS, KEYRING, NOON, SERVICE, make_engine
from tests.faultpoints import PACKAGE, Injected, Point, fail_at, kinds_of_fault, points_of
from watchword import config
from watchword.clock import ManualClock
from watchword.commands.ladder import Climb, LookAtCounter
from watchword.commands.verifications import (
    CheckCode,
    CloseVerification,
    GuardedStart,
    StartVerification,
)
from watchword.engine import Engine
from watchword.errors import NotFound, Refusal
from watchword.model import Attempt, Delivery, Status, Subject, Verification
from watchword.phone import Phone
from watchword.runtime import open_engine
from watchword.senders.inbox import InboxSender
from watchword.store.base import Changes, Keys, Query, Rows
from watchword.store.memory import MemoryStore
from watchword.store.sql import SqlStore

ACCOUNT = CREDENTIALS.account_sid
numbers = itertools.count(650_000_000)


@pytest.fixture(autouse=True)
def coroutines_cut_short() -> Iterator[None]:
    """Forget what a fault kept from being awaited, here and not in a later test."""
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        gc.collect()


@dataclass
class Person:
    """One phone's story: what was asked for it, and what was told of it."""

    engine: Engine
    inbox: InboxSender
    to: str = field(default_factory=lambda: f"+237{next(numbers)}")
    told: dict[str, object] = field(default_factory=dict)

    def start(self) -> object:
        return self.engine.perform(self._start())

    def guarded_start(self) -> object:
        return self.engine.perform(GuardedStart(self._start(), self.to, "user"))

    def second_guarded_start(self) -> object:
        return self.guarded_start()

    def wrong_check(self) -> object:
        return self._check(f"{(int(self.code) + 1) % 1_000_000:06}")

    def right_check(self) -> object:
        return self._check(self.code)

    def second_right_check(self) -> object:
        return self._check(self.code)

    def cancel(self) -> object:
        return self.engine.perform(
            CloseVerification(SERVICE.sid, ACCOUNT, Status.CANCELED, to=self.to)
        )

    def look_at_the_ladder(self) -> object:
        return self.engine.perform(LookAtCounter(self.to, "other"))

    def climb_the_ladder(self) -> object:
        counter = self.engine.store.counter(self.to, "other")
        return self.engine.perform(Climb((counter and counter.id) or 0, self.to, "other"))

    def do(self, name: str) -> None:
        """Take one step and note what it came to."""
        try:
            self.told[name] = getattr(self, name)()
        except Exception as fault:
            self.told[name] = fault

    @property
    def code(self) -> str:
        """Read the code off the phone; one that got none guesses."""
        messages = self.inbox.messages(self.to)
        return messages[0].code if messages else "123456"

    def _start(self) -> StartVerification:
        return StartVerification(SERVICE.sid, ACCOUNT, Phone(self.to, "CM"))

    def _check(self, code: str) -> Status:
        return self.engine.perform(CheckCode(SERVICE.sid, ACCOUNT, code, to=self.to)).status


STORIES = {
    "checked": ("start", "wrong_check", "right_check", "second_right_check"),
    "guarded": ("guarded_start", "second_guarded_start", "right_check", "second_right_check"),
    "canceled": ("start", "cancel", "right_check"),
    "ladder": ("look_at_the_ladder", "climb_the_ladder"),
}
EVERY_STEP = [(story, step) for story, steps in STORIES.items() for step in steps]
WRITING_STEPS = [
    ("guarded", "guarded_start"),
    ("checked", "wrong_check"),
    ("checked", "right_check"),
    ("canceled", "cancel"),
    ("ladder", "climb_the_ladder"),
]
SWEEPS = [
    *(("memory", *each) for each in EVERY_STEP),
    *(("sqlite", *each) for each in WRITING_STEPS),
]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[str], Engine]]:
    """Return a function that opens an engine on a store of that kind."""
    engines: list[Engine] = []

    def open_engine_on(kind: str) -> Engine:
        store: MemoryStore | SqlStore = MemoryStore()
        if kind == "sqlite":
            store = SqlStore(f"sqlite:///{tmp_path / 'store.db'}", KEYRING)
        engines.append(make_engine(store, InboxSender(), ManualClock(NOON)))
        return engines[-1]

    yield open_engine_on
    for engine in engines:
        engine.close()


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("kind", "story", "step"), SWEEPS)
def test_no_fault_at_any_call_approves_or_sends_what_should_not_be(
    opened: Callable[[str], Engine], kind: str, story: str, step: str
) -> None:
    engine = opened(kind)
    points = discover(engine, story, step)
    assert len(points) > 20
    missed, wrong = [], []

    for point in points:
        for fault in kinds_of_fault(point):
            person, reached = injected(engine, story, step, point, fault)
            if not reached:
                missed.append(str(point))
            wrong += [f"{point}: {why}" for why in faults_of(person)]

    assert missed == []
    assert wrong == []


def discover(engine: Engine, story: str, step: str) -> list[Point]:
    found: list[Point] = []
    tell(engine, story, step, lambda work: work())  # so that what is kept from call to call is
    tell(engine, story, step, lambda work: found.extend(points_of(work)))
    return found


def injected(
    engine: Engine, story: str, step: str, point: Point, fault: Exception
) -> tuple[Person, bool]:
    reached = False

    def run(work: Callable[[], object]) -> None:
        nonlocal reached
        reached = fail_at(point, fault, work)

    return tell(engine, story, step, run), reached


def tell(
    engine: Engine, story: str, step: str, run: Callable[[Callable[[], object]], object]
) -> Person:
    """Tell a story; one of its steps is taken by `run`."""
    assert isinstance(engine.sender, InboxSender)
    engine.sender.clear()
    if isinstance(engine.store, SqlStore):
        engine.store._forget_idle()  # so that connecting is among the points every time
        engine.store._engine.dispose()
    person = Person(engine, engine.sender)
    for name in STORIES[story]:
        if name == step:
            run(partial(person.do, name))
        else:
            person.do(name)
    return person


def faults_of(person: Person) -> Iterator[str]:
    """Say what should not have come to pass."""
    told, engine = person.told, person.engine
    if told.get("wrong_check") is Status.APPROVED:
        yield "a wrong code was approved"
    approvals = [name for name, answer in told.items() if answer is Status.APPROVED]
    if len(approvals) > 1:
        yield "a code was approved twice"
    if "cancel" in told and not isinstance(told["cancel"], Exception) and approvals:
        yield "a canceled code was approved"
    messages = person.inbox.messages(person.to)
    if len(messages) > 1:
        yield f"{len(messages)} messages were sent in one window"
    stored = {message.attempt_sid: attempt(engine, message.attempt_sid) for message in messages}
    if None in stored.values():
        yield "a message was sent that was not committed"
    name = KEYRING.fingerprint(SERVICE.sid, person.to)
    rows = look(engine, Keys.of(Subject, name))
    subject = rows.get(Subject, name)
    latest = rows.get(Verification, subject.verification_sid) if subject else None
    if subject is not None and latest is None:
        yield "a subject names a verification that is not there"
    if approvals and (latest is None or latest.status is not Status.APPROVED):
        yield "an approval was told and not kept"
    answered = [answer for answer in told.values() if isinstance(answer, Status)]
    if latest is not None and latest.checks < len(answered):
        yield "a guess was answered and not counted"
    for found in attempts(engine, latest):
        if found.status is Delivery.SENT and found.sid not in stored:
            yield "a message is said to be sent that never left"
    yield from wedged(engine, person.inbox)


def wedged(engine: Engine, inbox: InboxSender) -> Iterator[str]:
    """Say whether the fault has left something in the way of the next person."""
    other = Person(engine, inbox)
    for name in STORIES["checked"]:
        other.do(name)
    answers = list(other.told.values())[1:]
    if answers[:2] != [Status.PENDING, Status.APPROVED] or not isinstance(answers[2], NotFound):
        yield f"the next person was answered {other.told}"


def look(engine: Engine, keys: Keys) -> Rows:
    seen: list[Rows] = []

    def decide(rows: Rows) -> Changes:
        seen.append(rows)
        return Changes()

    engine.store.transact(keys, decide)
    return seen[-1]


def attempt(engine: Engine, sid: str) -> Attempt | None:
    return look(engine, Keys.of(Attempt, sid)).get(Attempt, sid)


def attempts(engine: Engine, latest: Verification | None) -> list[Attempt]:
    if latest is None:
        return []
    return engine.store.page(Query(Attempt, {"verification_sid": latest.sid}, limit=10))


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_the_stories_come_out_as_they_should_without_a_fault(
    opened: Callable[[str], Engine], kind: str
) -> None:
    engine = opened(kind)
    for story in STORIES:
        person = tell(engine, story, STORIES[story][0], lambda work: work())

        assert list(faults_of(person)) == []
        refused = [name for name, answer in person.told.items() if isinstance(answer, Refusal)]
        assert (
            refused
            == {
                "checked": ["second_right_check"],
                "guarded": ["second_guarded_start", "second_right_check"],
                "canceled": ["right_check"],
                "ladder": [],
            }[story]
        )


SETTINGS = {
    "WATCHWORD_KEYS": "bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3IG5ldyE=",
    "WATCHWORD_MAX_FAILURES": "7",
    "WATCHWORD_RETENTION_DAYS": "3",
    "FIRST_RESEND_DURATION": "60000",
}
SETTING_UP = tuple(PACKAGE + name for name in ("config", "home.py", "keys.py", "runtime.py"))


def test_no_fault_while_settings_are_read_opens_an_engine_with_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    opened: list[Engine] = []

    def work() -> None:
        config.read.cache_clear()  # what is remembered cannot fail
        opened.append(open_engine(config.load()))

    work()
    points = points_of(work, SETTING_UP)
    right = about(opened[0])
    missed, wrong = [], []

    for point in points:
        before = len(opened)
        try:
            reached = fail_at(point, Injected(), work, SETTING_UP)
        except Exception:
            continue  # it did not open
        missed += [] if reached else [str(point)]
        wrong += [str(point) for engine in opened[before:] if about(engine) != right]

    assert len(points) > 50
    assert missed == []
    assert wrong == []
    for engine in opened:
        engine.close()


def about(engine: Engine) -> tuple[object, ...]:
    """Return what settings have made of an engine."""
    return engine.policy, engine.fingerprint("+237650000000"), engine.credentials, engine.public_url
