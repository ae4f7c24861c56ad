"""What happened in a stretch of time, counted: for the console and for `watchword stats`."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from watchword.model import Attempt, Delivery, Status, Verification
from watchword.record import Record
from watchword.refused import Refused

BARS = 24
SLOWEST = (10, 30, 60, 120, 300, 600)  # seconds; the classes of the times to approve
MAX_STEP = 5
MOST_LINES = 12  # of a list: the rest would not be read
UNDELIVERED = (Delivery.FAILED,)


class Bar(Record, frozen=True):
    """One slice of time."""

    start: datetime
    sends: int
    approved: int
    failed: int
    blocked: int = 0


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
    blocked: int
    bars: tuple[Bar, ...]
    countries: tuple[Share, ...]
    prefixes: tuple[Share, ...]
    channels: tuple[Share, ...]
    senders: tuple[Share, ...]
    speeds: tuple[tuple[str, int], ...]
    median_seconds: int | None
    slowest_seconds: int | None
    steps: tuple[int, ...]
    errors: tuple[tuple[str, int], ...]
    blocks: tuple[tuple[str, int], ...]  # by the rule that refused
    blocked_regions: tuple[tuple[str, int], ...]  # by country and where the number leads

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
    refused: Sequence[Refused],
    since: datetime,
    until: datetime,
    *,
    complete: bool,
    slices: int = BARS,
) -> Figures:
    """Count the messages, the verifications that were begun and the refusals of some time."""
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
        blocked=sum(row.count for row in refused),
        bars=_bars(attempts, verifications, refused, since, until, slices),
        countries=_shares(attempts, approved, lambda attempt: attempt.country or "–"),
        prefixes=_shares(attempts, approved, lambda attempt: attempt.prefix or "–"),
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
        blocks=_sums((row.reason, row.count) for row in refused),
        blocked_regions=_sums((_region(row), row.count) for row in refused),
    )


def _sums(counted: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    sums: Tally[str] = Tally()
    for name, number in counted:
        sums[name] += number
    return tuple(sums.most_common(MOST_LINES))


def _region(row: Refused) -> str:
    return f"{row.country} {row.prefix}…" if row.prefix else row.country or "–"


def _errors(attempts: Iterable[Attempt]) -> tuple[tuple[str, int], ...]:
    told = Tally(a.reason for a in attempts if a.status is not Delivery.SENT and a.reason)
    return tuple(told.most_common(MOST_LINES))


def _bars(
    attempts: Iterable[Attempt],
    verifications: Iterable[Verification],
    refused: Iterable[Refused],
    since: datetime,
    until: datetime,
    slices: int,
) -> tuple[Bar, ...]:
    width = (until - since) / slices
    slot = _slots(since, width, slices)
    sends = Tally(slot(attempt.created_at) for attempt in attempts)
    failed = Tally(slot(a.created_at) for a in attempts if a.status in UNDELIVERED)
    approved = Tally(slot(v.created_at) for v in verifications if v.status is Status.APPROVED)
    blocked: Tally[int] = Tally()
    for row in refused:
        blocked[slot(row.created_at)] += row.count
    return tuple(
        Bar(since + width * i, sends[i], approved[i], failed[i], blocked[i]) for i in range(slices)
    )


def _slots(since: datetime, width: timedelta, slices: int) -> Callable[[datetime], int]:
    return lambda moment: min(max(int((moment - since) / width), 0), slices - 1)


def _shares(
    attempts: Iterable[Attempt], approved: set[str], name: Callable[[Attempt], str]
) -> tuple[Share, ...]:
    sends: Tally[str] = Tally()
    right: Tally[str] = Tally()
    for attempt in attempts:
        sends[name(attempt)] += 1
        right[name(attempt)] += attempt.verification_sid in approved
    return tuple(Share(key, number, right[key]) for key, number in sends.most_common(MOST_LINES))


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
