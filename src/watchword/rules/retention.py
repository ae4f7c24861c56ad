"""What has no further use: rows that no decision to come can depend on."""

from datetime import datetime, timedelta
from typing import Any

from watchword.model import Attempt, Counter, RateWindow, Subject, Verification
from watchword.record import Record
from watchword.refused import Refused
from watchword.rules.ladder import Ladder
from watchword.tenants import Posting
from watchword.visits import AuditEntry, PageSession, Visitor

DAY = timedelta(days=1)  # longer than the hour that a visitor's sends are counted over


# The field that says since when a row of that kind is over.
OVER: dict[type[Any], str] = {
    Verification: "expires_at",
    Attempt: "created_at",
    RateWindow: "ends_at",
    Refused: "created_at",
    Posting: "due_at",  # nobody has tried it for so long: there is no dispatcher, or no webhook
    PageSession: "expires_at",
    Visitor: "since",
    AuditEntry: "created_at",
    Subject: "updated_at",
    Counter: "expires",
}


class Retention(Record, frozen=True):
    """How long what is over is kept to be looked at, and the ladder that says what is over."""

    keep: timedelta
    ladder: Ladder
    keep_audit: timedelta = timedelta(days=365)

    def of(self, kind: type[Any]) -> timedelta:
        """Return how long a kind's rows are kept once they are over."""
        if kind is AuditEntry:
            return self.keep_audit
        return min(self.keep, DAY) if kind is Visitor else self.keep


def is_spent(record: Any, now: datetime, retention: Retention) -> bool:
    """Tell whether a row may go.

    A failure count, a wait that runs and a step that makes the next wait longer never do.
    """
    oldest = now - retention.of(type(record))
    match record:
        case Subject():
            return record.failures == 0 and record.updated_at < oldest
        case Counter():
            return _is_spent_counter(record, now, oldest, retention.ladder)
    over: datetime | None = getattr(record, OVER.get(type(record), ""), None)
    return over is not None and over < oldest


def _is_spent_counter(counter: Counter, now: datetime, oldest: datetime, ladder: Ladder) -> bool:
    """A ladder that starts again at the next look says no more than no counter does."""
    if counter.expires is None:
        return counter.count == 0 and counter.created_at < oldest
    return counter.count in (0, len(ladder)) and counter.expires < min(now, oldest)
