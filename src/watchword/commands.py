"""The requests the engine runs: each names the rows it needs and decides over them.

A command is data until a batch hands it its rows. `decide` returns what to write and what to
answer, or raises a Refusal, which writes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from watchword.errors import MissingAddress, NotFound
from watchword.keys import Keyring
from watchword.model import (
    Attempt,
    Channel,
    Counter,
    Delivery,
    Policy,
    Service,
    Status,
    Subject,
    Verification,
)
from watchword.phone import Phone
from watchword.rules import ladder, verification
from watchword.store.base import Changes, Keys, Rows

A_co = TypeVar("A_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Context:
    """What every decision may use beside its rows."""

    now: datetime
    policy: Policy
    keyring: Keyring
    new_sid: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Decision(Generic[A_co]):
    """What to write, and what to answer."""

    changes: Changes
    answer: A_co


class Command(Protocol[A_co]):
    """One request, as data."""

    def keys(self, keyring: Keyring) -> Keys:
        """Name the rows to load and lock."""

    def decide(self, rows: Rows, context: Context) -> Decision[A_co]:
        """Decide, or raise a Refusal."""


@dataclass(frozen=True, slots=True)
class Started:
    """A committed start: the message `attempt` may now be sent, once."""

    service: Service
    verification: Verification
    attempt: Attempt
    code: str
    delivery: Delivery = Delivery.QUEUED


@dataclass(frozen=True, slots=True)
class Guarded:
    """A committed guarded start, with the ladder as it was and as it is now."""

    started: Started
    before: Counter
    counter: Counter


@dataclass(frozen=True, slots=True)
class Climbed:
    """A step taken, with the ladder as it was and as it is now."""

    before: Counter
    counter: Counter


@dataclass(frozen=True, slots=True)
class StartVerification:
    """Start a verification, or send an open one's code again."""

    service_sid: str
    account_sid: str
    phone: Phone
    channel: Channel = Channel.SMS
    custom_code: str | None = None

    def keys(self, keyring: Keyring) -> Keys:
        return Keys(
            services=frozenset((self.service_sid,)),
            subjects=frozenset(_names(keyring, self.service_sid, self.phone.e164)),
        )

    def decide(self, rows: Rows, context: Context) -> Decision[Started]:
        service = _service(rows, self.service_sid, self.account_sid)
        names = _names(context.keyring, service.sid, self.phone.e164)
        held = _held(rows, names)
        ask = verification.Ask(
            subject=names[0],
            to=self.phone.e164,
            channel=self.channel,
            custom_code=self.custom_code,
            sid=context.new_sid("VE"),
            attempt_sid=context.new_sid("VL"),
            nonce=context.new_sid(""),
        )
        subject, started = verification.start(
            service,
            held.subject,
            held.latest,
            ask,
            context.now,
            keyring=context.keyring,
            policy=context.policy,
        )
        attempt = _attempt(started, self.phone.country)
        changes = held.changes
        changes.add(Changes.of(subject, started, attempt))
        code = verification.code_of(started, context.keyring) or self.custom_code or ""
        return Decision(changes, Started(service, started, attempt, code))


@dataclass(frozen=True, slots=True)
class GuardedStart:
    """Look at the ladder, take the step and start, as one decision."""

    start: StartVerification
    unique_id: str
    user_id: str

    def keys(self, keyring: Keyring) -> Keys:
        pair = Keys(counters=frozenset(((self.unique_id, self.user_id),)))
        return Keys.union((self.start.keys(keyring), pair))

    def decide(self, rows: Rows, context: Context) -> Decision[Guarded]:
        climb = ClimbIfFree(self.unique_id, self.user_id).decide(rows, context)
        start = self.start.decide(rows, context)
        start.changes.add(climb.changes)
        guarded = Guarded(start.answer, climb.answer.before, climb.answer.counter)
        return Decision(start.changes, guarded)


@dataclass(frozen=True, slots=True)
class CheckCode:
    """Spend one guess, named by address or by verification; where both are given both must fit."""

    service_sid: str
    account_sid: str
    code: str
    to: str | None = None
    verification_sid: str | None = None

    def keys(self, keyring: Keyring) -> Keys:
        return _address_keys(keyring, self.service_sid, self.to, self.verification_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Verification]:
        _service(rows, self.service_sid, self.account_sid)
        changes, subject, found = _find(
            rows, context, self.service_sid, self.to, self.verification_sid
        )
        verdict = verification.check(
            subject,
            found,
            self.code,
            context.now,
            keyring=context.keyring,
            policy=context.policy,
        )
        changes.add(Changes.of(verdict.subject, verdict.verification))
        # The guess that closes a verification is answered like any wrong one; the next is refused.
        status = Status.APPROVED if verdict.right else Status.PENDING
        return Decision(changes, replace(verdict.verification, status=status))


@dataclass(frozen=True, slots=True)
class CloseVerification:
    """Cancel or approve an open verification by its owner's word."""

    service_sid: str
    account_sid: str
    status: Status
    to: str | None = None
    verification_sid: str | None = None

    def keys(self, keyring: Keyring) -> Keys:
        return _address_keys(keyring, self.service_sid, self.to, self.verification_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Verification]:
        _service(rows, self.service_sid, self.account_sid)
        changes, subject, found = _find(
            rows, context, self.service_sid, self.to, self.verification_sid
        )
        subject, closed = verification.close(subject, found, self.status, context.now)
        changes.add(Changes.of(subject, closed))
        return Decision(changes, closed)


@dataclass(frozen=True, slots=True)
class FetchVerification:
    """Show a verification that is still there to be seen."""

    service_sid: str
    account_sid: str
    to: str | None = None
    verification_sid: str | None = None

    def keys(self, keyring: Keyring) -> Keys:
        return _address_keys(keyring, self.service_sid, self.to, self.verification_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Verification]:
        _service(rows, self.service_sid, self.account_sid)
        _, _, found = _find(rows, context, self.service_sid, self.to, self.verification_sid)
        return Decision(Changes(), verification.show(found, context.now))


@dataclass(frozen=True, slots=True)
class RecordDelivery:
    """Record what became of a message."""

    attempt: Attempt

    def keys(self, keyring: Keyring) -> Keys:
        return Keys(attempts=frozenset((self.attempt.sid,)))

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        if rows.get(Attempt, self.attempt.sid) is None:
            return Decision(Changes(), None)  # purged meanwhile
        return Decision(Changes.of(replace(self.attempt, updated_at=context.now)), None)


@dataclass(frozen=True, slots=True)
class EnsureService:
    """Make a service unless it is there already."""

    service: Service

    def keys(self, keyring: Keyring) -> Keys:
        return Keys(services=frozenset((self.service.sid,)))

    def decide(self, rows: Rows, context: Context) -> Decision[Service]:
        found = rows.get(Service, self.service.sid)
        if found is not None:
            return Decision(Changes(), found)
        return Decision(Changes.of(self.service), self.service)


@dataclass(frozen=True, slots=True)
class LookAtCounter:
    """Return a pair's counter, made if there is none; refuse with TooSoon inside a wait."""

    unique_id: str
    user_id: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys(counters=frozenset(((self.unique_id, self.user_id),)))

    def decide(self, rows: Rows, context: Context) -> Decision[Counter]:
        counter = _counter(rows, self.unique_id, self.user_id, context.now)
        seen = ladder.look(counter, context.now, context.policy.ladder)
        changes = Changes() if seen == counter and seen.id is not None else Changes.of(seen)
        return Decision(changes, seen)


@dataclass(frozen=True, slots=True)
class ClimbIfFree:
    """Take a step up the ladder, or refuse with TooSoon inside a wait."""

    unique_id: str
    user_id: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys(counters=frozenset(((self.unique_id, self.user_id),)))

    def decide(self, rows: Rows, context: Context) -> Decision[Climbed]:
        counter = _counter(rows, self.unique_id, self.user_id, context.now)
        before = ladder.look(counter, context.now, context.policy.ladder)
        after = ladder.climb(before, context.now, context.policy.ladder)
        return Decision(Changes.of(after), Climbed(before, after))


@dataclass(frozen=True, slots=True)
class Climb:
    """Take a step whatever the wait, for a message that has been sent already.

    The row is found by its id; where it was deleted meanwhile the pair gets a new one.
    """

    counter_id: int
    unique_id: str
    user_id: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys(
            counters=frozenset(((self.unique_id, self.user_id),)),
            counter_ids=frozenset((self.counter_id,)),
        )

    def decide(self, rows: Rows, context: Context) -> Decision[Counter]:
        counter = rows.counter_by_id(self.counter_id) or _counter(
            rows, self.unique_id, self.user_id, context.now
        )
        after = ladder.climb(counter, context.now, context.policy.ladder)
        return Decision(Changes.of(after), after)


@dataclass(frozen=True, slots=True)
class GiveBackStep:
    """Undo a step whose message was definitely not sent."""

    climbed: Climbed

    def keys(self, keyring: Keyring) -> Keys:
        return Keys(counters=frozenset((self.climbed.counter.key,)))

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        counter = rows.get(Counter, self.climbed.counter.key)
        if counter is None:
            return Decision(Changes(), None)
        back = ladder.give_back(counter, self.climbed.counter, self.climbed.before)
        return Decision(Changes.of(back), None)


@dataclass(frozen=True, slots=True)
class DeleteCounter:
    """Delete a counter by its id; refuse with NotFound when there is none."""

    counter_id: int

    def keys(self, keyring: Keyring) -> Keys:
        return Keys(counter_ids=frozenset((self.counter_id,)))

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        counter = rows.counter_by_id(self.counter_id)
        if counter is None:
            raise NotFound("counter")
        return Decision(Changes().delete(Counter, counter.key), None)


@dataclass(frozen=True, slots=True)
class ForgetCounter:
    """Delete a pair's counter, if there is one: what an approval does to its ladder."""

    unique_id: str
    user_id: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys(counters=frozenset(((self.unique_id, self.user_id),)))

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        return Decision(Changes().delete(Counter, (self.unique_id, self.user_id)), None)


def _service(rows: Rows, sid: str, account_sid: str) -> Service:
    service = rows.get(Service, sid)
    if service is None or service.account_sid != account_sid:
        raise NotFound("service")
    return service


def _names(keyring: Keyring, service_sid: str, to: str) -> tuple[str, ...]:
    """Return an address's fingerprints under every key, newest first."""
    newest = keyring.fingerprint(service_sid, to)
    return (newest, *keyring.older_fingerprints(service_sid, to))


def _address_keys(
    keyring: Keyring, service_sid: str, to: str | None, verification_sid: str | None
) -> Keys:
    if to is None and verification_sid is None:
        raise MissingAddress
    return Keys(
        services=frozenset((service_sid,)),
        subjects=frozenset(() if to is None else _names(keyring, service_sid, to)),
        verifications=frozenset(() if verification_sid is None else (verification_sid,)),
    )


@dataclass(slots=True)
class _Held:
    """What is stored of an address, and what finding it has changed already."""

    subject: Subject | None = None
    latest: Verification | None = None
    changes: Changes = field(default_factory=Changes)


def _held(rows: Rows, names: tuple[str, ...]) -> _Held:
    """Find an address's rows; where an older key named them they move to their newest name."""
    subject = next((row for name in names if (row := rows.get(Subject, name))), None)
    if subject is None:
        return _Held()
    latest = rows.get(Verification, subject.verification_sid)
    if subject.key == names[0]:
        return _Held(subject, latest)
    changes = Changes().delete(Subject, subject.key)
    if latest is not None:
        latest = replace(latest, subject=names[0])
    return _Held(replace(subject, key=names[0]), latest, changes)


def _find(
    rows: Rows, context: Context, service_sid: str, to: str | None, verification_sid: str | None
) -> tuple[Changes, Subject, Verification]:
    """Find a verification and its subject by address, by sid, or by both where both must fit."""
    held = _Held() if to is None else _held(rows, _names(context.keyring, service_sid, to))
    subject, found = held.subject, held.latest
    if verification_sid is not None and (found is None or found.sid != verification_sid):
        found = rows.get(Verification, verification_sid)
        if found is not None and to is None:
            subject = rows.get(Subject, found.subject)
    if subject is None or found is None or found.service_sid != service_sid:
        raise NotFound
    if to is not None and found.to != to:
        raise NotFound
    return held.changes, subject, found


def _attempt(started: Verification, country: str) -> Attempt:
    send = started.sends[-1]
    return Attempt(
        sid=send.sid,
        verification_sid=started.sid,
        service_sid=started.service_sid,
        account_sid=started.account_sid,
        channel=send.channel,
        country=country,
        status=Delivery.QUEUED,
        created_at=send.time,
        updated_at=send.time,
    )


def _counter(rows: Rows, unique_id: str, user_id: str, now: datetime) -> Counter:
    return rows.get(Counter, (unique_id, user_id)) or Counter(unique_id, user_id, 0, None, now)
