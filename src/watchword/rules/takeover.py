"""How rows of an old resend table become counters, with no wait shorter than it was."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from watchword.model import Counter
from watchword.record import Record, replace
from watchword.rules.ladder import Ladder


class OldRow(Record, frozen=True):
    """One row as another program wrote it: any part may be missing, times may be naive."""

    unique_id: str
    user_id: str
    count: int | None
    expires: datetime | None
    created_at: datetime | None


def as_counter(row: OldRow, zone: tzinfo | None, ladder: Ladder, now: datetime) -> Counter:
    """Read one old row; a count that is missing is 0, one beyond the ladder its last step."""
    count = min(max(row.count or 0, 0), len(ladder))
    expires = None if row.expires is None else to_utc(row.expires, zone)
    created = now if row.created_at is None else to_utc(row.created_at, zone)
    return Counter(row.unique_id, row.user_id, count, expires, created)


def to_utc(moment: datetime, zone: tzinfo | None) -> datetime:
    """Read a naive local time, of this machine's zone where none is named.

    Of the two moments that an hour which comes twice may mean, it is the later one.
    """
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    readings = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return _up_to_milliseconds(max(readings))


def merge(counters: Iterable[Counter], ladder: Ladder) -> Counter:
    """Make one counter of several of one pair: the longest wait now, and the longest one next.

    The program that wrote them looked at one of them, nobody knows which; whichever it was, this
    one allows nothing earlier.
    """
    found = sorted(counters, key=lambda counter: (_next_wait(counter, ladder), counter.count))
    strictest = found[-1]
    ends = [counter.expires for counter in found if counter.expires is not None]
    kept = next((counter.id for counter in found if counter.id is not None), None)
    return replace(
        strictest,
        id=kept,
        expires=max(ends, default=None),
        created_at=min(counter.created_at for counter in found),
    )


def _next_wait(counter: Counter, ladder: Ladder) -> timedelta:
    """Return how long the send after this one will have to wait."""
    return ladder[counter.count] if counter.count < len(ladder) else ladder[0]


def _up_to_milliseconds(moment: datetime) -> datetime:
    """Round up to the precision that is kept, so that no wait ends early."""
    rest = moment.microsecond % 1000
    return moment + timedelta(microseconds=1000 - rest) if rest else moment
