"""What has no further use: rows that no decision to come can depend on."""

from datetime import datetime, timedelta
from typing import Any

from watchword.model import Attempt, Counter, RateWindow, Subject, Verification
from watchword.record import Record
from watchword.refused import Refused
from watchword.rules.ladder import Ladder


class Retention(Record, frozen=True):
    """How long what is over is kept to be looked at, and the ladder that says what is over."""

    keep: timedelta
    ladder: Ladder


def is_spent(record: Any, now: datetime, retention: Retention) -> bool:
    """Tell whether a row may go.

    A failure count, a wait that runs and a step that makes the next wait longer never do.
    """
    oldest = now - retention.keep
    match record:
        case Verification():
            return record.expires_at < oldest
        case Attempt():
            return record.created_at < oldest
        case Subject():
            return record.failures == 0 and record.updated_at < oldest
        case Refused():
            return record.created_at < oldest
        case RateWindow():
            return record.ends_at < oldest
        case Counter():
            return _is_spent_counter(record, now, oldest, retention.ladder)
    return False


def _is_spent_counter(counter: Counter, now: datetime, oldest: datetime, ladder: Ladder) -> bool:
    """A ladder that starts again at the next look says no more than no counter does."""
    if counter.expires is None:
        return counter.count == 0 and counter.created_at < oldest
    return counter.count in (0, len(ladder)) and counter.expires < min(now, oldest)
