"""What happened in a stretch of time, counted: for the console and for `watchword stats`."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from watchword.model import Attempt, Delivery, Status, Verification
from watchword.record import Record

BARS = 24
SLOWEST = (10, 30, 60, 120, 300, 600)  # seconds; the classes of the times to approve
MAX_STEP = 5
UNDELIVERED = (Delivery.FAILED,)


class Bar(Record, frozen=True):
    """One slice of time."""

    start: datetime
    sends: int
    approved: int
    failed: int


class Share(Record, frozen=True):
    """One country, channel or sender: messages, and those whose verification was approved."""

    name: str
    sends: int
    approved: int

    @property
    def percent(self) -> int:
        return round(100 * self.approved / self.sends) if self.sends else 0


class Figures(Record, frozen=True):
    """The counts of one stretch of time. `complete` is false where only the newest were read."""

    since: datetime
    until: datetime
    complete: bool
    started: int
    sends: int
    checked: int
    approved: int
    failed: int
    closed: int
    bars: tuple[Bar, ...]
    countries: tuple[Share, ...]
    channels: tuple[Share, ...]
    senders: tuple[Share, ...]
    speeds: tuple[tuple[str, int], ...]
    median_seconds: int | None
    slowest_seconds: int | None
    steps: tuple[int, ...]
    errors: tuple[tuple[str, int], ...]

    @property
    def conversion(self) -> int:
        """Approved verifications, in percent of those started."""
        return round(100 * self.approved / self.started) if self.started else 0

    @property
    def delivered(self) -> int:
        """Messages that a sender took, or may have taken."""
        return self.sends - self.failed


def count(
    attempts: Sequence[Attempt],
    verifications: Sequence[Verification],
    since: datetime,
    until: datetime,
    *,
    complete: bool,
) -> Figures:
    """Count the messages and the verifications that were begun in a stretch of time."""
    approved = {found.sid for found in verifications if found.status is Status.APPROVED}
    times = sorted(_seconds(found) for found in verifications if found.sid in approved)
    return Figures(
        since=since,
        until=until,
        complete=complete,
        started=len(verifications),
        sends=len(attempts),
        checked=sum(found.checks > 0 for found in verifications),
        approved=len(approved),
        failed=sum(attempt.status in UNDELIVERED for attempt in attempts),
        closed=sum(found.status is Status.MAX_ATTEMPTS_REACHED for found in verifications),
        bars=_bars(attempts, verifications, since, until),
        countries=_shares(attempts, approved, lambda attempt: attempt.country or "–"),
        channels=_shares(attempts, approved, lambda attempt: attempt.channel.value),
        senders=_shares(attempts, approved, lambda attempt: attempt.sender or "none yet"),
        speeds=_speeds(times),
        median_seconds=_rank(times, 0.5),
        slowest_seconds=_rank(times, 0.95),
        steps=tuple(
            sum(min(len(found.sends), MAX_STEP) == step for found in verifications)
            for step in range(1, MAX_STEP + 1)
        ),
        errors=_errors(attempts),
    )


def _errors(attempts: Iterable[Attempt]) -> tuple[tuple[str, int], ...]:
    told = Tally(a.reason for a in attempts if a.status is not Delivery.SENT and a.reason)
    return tuple(told.most_common(10))


def _bars(
    attempts: Iterable[Attempt],
    verifications: Iterable[Verification],
    since: datetime,
    until: datetime,
) -> tuple[Bar, ...]:
    width = (until - since) / BARS
    slot = _slots(since, width)
    sends = Tally(slot(attempt.created_at) for attempt in attempts)
    failed = Tally(slot(a.created_at) for a in attempts if a.status in UNDELIVERED)
    approved = Tally(slot(v.created_at) for v in verifications if v.status is Status.APPROVED)
    return tuple(Bar(since + width * i, sends[i], approved[i], failed[i]) for i in range(BARS))


def _slots(since: datetime, width: timedelta) -> Callable[[datetime], int]:
    return lambda moment: min(int((moment - since) / width), BARS - 1)


def _shares(
    attempts: Iterable[Attempt], approved: set[str], name: Callable[[Attempt], str]
) -> tuple[Share, ...]:
    sends: Tally[str] = Tally()
    right: Tally[str] = Tally()
    for attempt in attempts:
        sends[name(attempt)] += 1
        right[name(attempt)] += attempt.verification_sid in approved
    return tuple(Share(key, number, right[key]) for key, number in sends.most_common(12))


def _speeds(times: Sequence[int]) -> tuple[tuple[str, int], ...]:
    named, below = [], 0
    for limit in SLOWEST:
        fitting = sum(seconds <= limit for seconds in times)
        label = f"{limit} s" if limit < 60 else f"{limit // 60} min"
        named.append((f"up to {label}", fitting - below))
        below = fitting
    return tuple(named)


def _seconds(found: Verification) -> int:
    return int((found.updated_at - found.created_at).total_seconds())


def _rank(times: Sequence[int], share: float) -> int | None:
    return times[min(int(len(times) * share), len(times) - 1)] if times else None
