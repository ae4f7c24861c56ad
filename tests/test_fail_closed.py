"""T-24: whatever call fails, nothing is approved and nothing is sent that should not be.

Every call into the stores, the keys, the codes, the clock, the texts and the senders is made to
fail, one after the other, by both doors and with a second sender behind the first;
`tests/faultpoints.py` finds them.
"""

import gc
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import KEYRING, SERVICE
from tests.faultpoints import PACKAGE, Injected, Point, fail_at, kinds_of_fault, points_of
from tests.faultstories import DOORS, STORIES, Person, Site, Way
from watchword import config
from watchword.engine import Engine
from watchword.errors import NotFound, Refusal
from watchword.model import Attempt, Delivery, Status, Subject, Verification
from watchword.runtime import open_engine
from watchword.store.base import Changes, Keys, Query, Rows
from watchword.store.sql import SqlStore


@pytest.fixture(autouse=True)
def coroutines_cut_short() -> Iterator[None]:
    """Forget what a fault kept from being awaited, here and not in a later test."""
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        gc.collect()


EVERY_STEP = [(story, step) for story, steps in STORIES.items() for step in steps]
WRITING_STEPS = [
    ("guarded", "guarded_start"),
    ("checked", "wrong_check"),
    ("checked", "right_check"),
    ("canceled", "cancel"),
    ("ladder", "climb_the_ladder"),
]
STARTING_STEPS = [("checked", "start"), ("guarded", "guarded_start")]
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
    return engine.policy, engine.fingerprint("+237650000000"), engine.credentials, engine.public_url
