"""T-24: whatever call fails, nothing is approved and nothing is sent that should not be.

Every call into the stores, the keys, the codes, the clock, the texts and the senders is made to
fail, one after the other, by both doors and with a second sender behind the first;
`tests/faultpoints.py` finds them.
"""

import asyncio
import gc
import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CREDENTIALS, KEYRING, NOON, SERVICE, make_engine
from tests.faultpoints import PACKAGE, Injected, Point, fail_at, kinds_of_fault, points_of
from watchword import config
from watchword.clock import ManualClock
from watchword.commands.base import Command
from watchword.commands.ladder import Climb, LookAtCounter
from watchword.commands.verifications import (
    CheckCode,
    CloseVerification,
    GuardedStart,
    StartVerification,
)
from watchword.engine import Engine
from watchword.errors import NotFound, Refusal
from watchword.model import Attempt, Channel, Delivery, Status, Subject, Verification
from watchword.phone import Phone
from watchword.runtime import open_engine
from watchword.senders.base import Message, Receipt, Sender, Trouble
from watchword.senders.dispatch import Dispatch
from watchword.senders.inbox import InboxMessage, InboxSender
from watchword.senders.routes import Choice, Route
from watchword.store.base import Changes, Keys, Query, Rows
from watchword.store.memory import MemoryStore
from watchword.store.sql import SqlStore

ACCOUNT = CREDENTIALS.account_sid
HANGS_SECONDS = 3.0
numbers = itertools.count(650_000_000)


@pytest.fixture(autouse=True)
def coroutines_cut_short() -> Iterator[None]:
    """Forget what a fault kept from being awaited, here and not in a later test."""
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        gc.collect()


def submit(engine: Engine, command: Command[Any]) -> Any:
    """Run one command by the asynchronous door; one that is never answered is a fault."""
    return asyncio.run(asyncio.wait_for(engine.submit(command), HANGS_SECONDS))


DOORS: dict[str, Callable[[Engine, Command[Any]], Any]] = {
    "perform": Engine.perform,
    "submit": submit,
}


class Phones:
    """Where messages arrive: by one sender, or by the second after the first."""

    def __init__(self, kind: str) -> None:
        self._inboxes = [InboxSender()]
        self.sender: Sender = self._inboxes[0]
        if kind == "one":
            return
        first: Sender = Refusing()
        if kind == "takes over":  # the first one works, but for the fault
            self._inboxes.insert(0, InboxSender())
            first = self._inboxes[0]
        route = Route(Channel.SMS, (Choice("first"), Choice("second")))
        self.sender = Dispatch({"first": first, "second": self._inboxes[-1]}, [route])
        self.sender.waits = False  # so that it runs where faults are injected, not in a thread

    def messages(self, to: str) -> list[InboxMessage]:
        """Return what arrived at one phone, whoever sent it."""
        return [message for inbox in self._inboxes for message in inbox.messages(to)]

    def forget(self) -> None:
        """Throw all messages away, and let a sender that rests after faults begin again."""
        for inbox in self._inboxes:
            inbox.clear()
        if isinstance(self.sender, Dispatch):
            for lane in self.sender.lanes.values():
                lane.breaker.succeeded()


class Refusing:
    """A sender that sends nothing, and says so."""

    name = "refusing"
    waits = False

    async def send(self, message: Message) -> Receipt:
        return Receipt.failed(Trouble.DESTINATION)

    def close(self) -> None:
        """Hold nothing."""


@dataclass
class Person:
    """One phone's story: what was asked for it, and what was told of it."""

    engine: Engine
    inbox: Phones
    door: str = "perform"
    to: str = field(default_factory=lambda: f"+237{next(numbers)}")
    told: dict[str, object] = field(default_factory=dict)

    def start(self) -> object:
        return self._ask(self._start())

    def guarded_start(self) -> object:
        return self._ask(GuardedStart(self._start(), self.to, "user"))

    def second_guarded_start(self) -> object:
        return self.guarded_start()

    def wrong_check(self) -> object:
        return self._check(f"{(int(self.code) + 1) % 1_000_000:06}")

    def right_check(self) -> object:
        return self._check(self.code)

    def second_right_check(self) -> object:
        return self._check(self.code)

    def cancel(self) -> object:
        return self._ask(CloseVerification(SERVICE.sid, ACCOUNT, Status.CANCELED, to=self.to))

    def look_at_the_ladder(self) -> object:
        return self._ask(LookAtCounter(self.to, "other"))

    def climb_the_ladder(self) -> object:
        counter = self.engine.store.counter(self.to, "other")
        return self._ask(Climb((counter and counter.id) or 0, self.to, "other"))

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

    def _ask(self, command: Command[Any]) -> Any:
        return DOORS[self.door](self.engine, command)

    def _start(self) -> StartVerification:
        return StartVerification(SERVICE.sid, ACCOUNT, Phone(self.to, "CM"))

    def _check(self, code: str) -> Status:
        found: Verification = self._ask(CheckCode(SERVICE.sid, ACCOUNT, code, to=self.to))
        return found.status


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
STARTING_STEPS = [("checked", "start"), ("guarded", "guarded_start")]
Way = tuple[str, str, str]  # the store, the senders, the door
SWEEPS: list[tuple[Way, str, str]] = [
    *((("memory", "one", "perform"), *each) for each in EVERY_STEP),
    *((("memory", "one", "submit"), *each) for each in EVERY_STEP),
    *((("sqlite", "one", "perform"), *each) for each in WRITING_STEPS),
    *(
        (("memory", senders, door), *each)
        for senders in ("refuses first", "takes over")
        for door in DOORS
        for each in STARTING_STEPS
    ),
]


class Site:
    """An engine with its senders, and the door that is gone in by."""

    def __init__(self, way: Way, folder: Path) -> None:
        store, senders, self.door = way
        self.phones = Phones(senders)
        self.engine = make_engine(
            SqlStore(f"sqlite:///{folder / 'store.db'}", KEYRING)
            if store == "sqlite"
            else MemoryStore(),
            InboxSender(),
            ManualClock(NOON),
        )
        self.engine.sender = self.phones.sender

    def person(self) -> Person:
        """Return somebody new."""
        return Person(self.engine, self.phones, self.door)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[Way], Site]]:
    """Return a function that opens a site."""
    sites: list[Site] = []

    def open_site(way: Way) -> Site:
        sites.append(Site(way, tmp_path))
        return sites[-1]

    yield open_site
    for site in sites:
        site.engine.close()


def as_text(part: Way | str) -> str:
    return part if isinstance(part, str) else " ".join(part)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("way", "story", "step"),
    SWEEPS,
    ids=lambda part: part if isinstance(part, str) else " ".join(part),
)
def test_no_fault_at_any_call_approves_or_sends_what_should_not_be(
    opened: Callable[[Way], Site], way: Way, story: str, step: str
) -> None:
    site = opened(way)
    points = discover(site, story, step)
    assert len(points) > 20
    missed, wrong = [], []

    for point in points:
        for fault in kinds_of_fault(point):
            person, reached = injected(site, story, step, point, fault)
            if not reached:
                missed.append(str(point))
            wrong += [f"{point}: {why}" for why in faults_of(person)]

    assert missed == []
    assert wrong == []


def discover(site: Site, story: str, step: str) -> list[Point]:
    found: list[Point] = []
    tell(site, story, step, lambda work: work())  # so that what is kept from call to call is
    tell(site, story, step, lambda work: found.extend(points_of(work)))
    return found


def injected(
    site: Site, story: str, step: str, point: Point, fault: Exception
) -> tuple[Person, bool]:
    reached = False

    def run(work: Callable[[], object]) -> None:
        nonlocal reached
        reached = fail_at(point, fault, work)

    return tell(site, story, step, run), reached


def tell(
    site: Site, story: str, step: str, run: Callable[[Callable[[], object]], object]
) -> Person:
    """Tell a story; one of its steps is taken by `run`."""
    site.phones.forget()
    store = site.engine.store
    if isinstance(store, SqlStore):
        store._forget_idle()  # so that connecting is among the points every time
        store._engine.dispose()
    person = site.person()
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
    hung = [name for name, answer in told.items() if isinstance(answer, TimeoutError)]
    if hung:
        yield f"{hung} never got an answer"
    yield from wedged(person)


def wedged(person: Person) -> Iterator[str]:
    """Say whether the fault has left something in the way of the next person."""
    other = Person(person.engine, person.inbox, person.door)
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


@pytest.mark.parametrize("way", sorted({way for way, _, _ in SWEEPS}), ids=" ".join)
def test_the_stories_come_out_as_they_should_without_a_fault(
    opened: Callable[[Way], Site], way: Way
) -> None:
    site = opened(way)
    for story in STORIES:
        person = tell(site, story, STORIES[story][0], lambda work: work())

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
    named_by_its_keys = engine.ladder("+237650000000", "user")
    return engine.policy, named_by_its_keys, engine.credentials, engine.public_url
