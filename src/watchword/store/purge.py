"""Remove what has no further use: found without a lock, judged under it, a few rows at a time."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from watchword.config import Settings
from watchword.errors import StoreError, WatchwordError
from watchword.model import Attempt, Counter, RateWindow, Subject, Verification
from watchword.refused import Refused
from watchword.rules.retention import OVER, Retention, is_spent
from watchword.store.base import Changes, Keys, Rows
from watchword.store.kinds import KINDS
from watchword.store.rows import to_ms
from watchword.store.sql import SqlStore
from watchword.tenants import Posting
from watchword.visits import AuditEntry, PageSession, Visitor

KINDS_TO_PURGE = (
    Attempt,
    Verification,
    Subject,
    RateWindow,
    Refused,
    Posting,
    PageSession,
    Visitor,
    AuditEntry,
    Counter,
)
LOT = 200  # rows a transaction: a few milliseconds, so that requests hardly wait
SCAN = 5_000  # rows that one question looks at, without a lock
PAUSE_SECONDS = 0.01  # between two transactions, for the requests
FIRST_WITHIN = timedelta(hours=1)
EVERY = timedelta(days=1)

logger = logging.getLogger("watchword.purge")


def retention_of(settings: Settings) -> Retention:
    """Read how long things are kept."""
    return Retention(
        timedelta(days=settings.retention_days),
        settings.ladder,
        timedelta(days=settings.audit_days),
    )


def purge(
    store: SqlStore,
    retention: Retention,
    now: Callable[[], datetime],
    *,
    pause: float = PAUSE_SECONDS,
) -> Iterator[tuple[str, int]]:
    """Remove spent rows; yield the table and how many went after each transaction.

    Stopping in between leaves nothing half done, and two may run at once.
    """
    for kind in KINDS_TO_PURGE:
        for keys in _candidates(store, kind, now() - retention.of(kind)):
            yield KINDS[kind].table.name, _remove_in_parts(store, kind, keys, retention, now)
            time.sleep(pause)


def purge_daily(
    open_store: Callable[[], SqlStore], retention: Retention, now: Callable[[], datetime]
) -> threading.Thread:
    """Purge in a thread of this process: first within the hour, then every day.

    Several processes that do so choose moments of their own; nothing is harmed when they meet.
    """

    def work() -> None:
        time.sleep(random.uniform(0, FIRST_WITHIN.total_seconds()))  # noqa: S311
        while True:
            try:
                store = open_store()
                removed = sum(count for _, count in purge(store, retention, now))
                store.close()
                logger.info("purge.done rows=%s", removed)
            except WatchwordError as fault:
                logger.warning("the purge has to wait until tomorrow: %s", fault)
            time.sleep(EVERY.total_seconds())

    thread = threading.Thread(target=work, name="watchword-purge", daemon=True)
    thread.start()
    return thread


def _remove_in_parts(
    store: SqlStore,
    kind: type[Any],
    keys: list[Any],
    retention: Retention,
    now: Callable[[], datetime],
) -> int:
    """Remove a lot; one that loses every race to busy requests goes in halves."""
    try:
        return _remove(store, kind, keys, retention, now)
    except StoreError:
        if len(keys) == 1:
            raise
    half = len(keys) // 2
    parts = keys[:half], keys[half:]
    return sum(_remove_in_parts(store, kind, part, retention, now) for part in parts)


def _remove(
    store: SqlStore,
    kind: type[Any],
    keys: list[Any],
    retention: Retention,
    now: Callable[[], datetime],
) -> int:
    removed = 0

    def decide(rows: Rows) -> Changes:
        nonlocal removed
        changes = Changes()
        for key in keys:
            record = rows.get(kind, key)
            if record is not None and is_spent(record, now(), retention):
                changes.delete(kind, key)
        removed = len(changes.cells)
        return changes

    store.transact(Keys.of(kind, *keys), decide)
    return removed


def _candidates(store: SqlStore, kind: type[Any], oldest: datetime) -> Iterator[list[Any]]:
    """Walk the table in the order of its key and yield the keys of what looks old, a lot at a time.

    The database does the looking: a part of the table after another, so that no question is long.
    """
    table, key = KINDS[kind].table, KINDS[kind].key
    column, bound = _age(kind)
    by = table.primary_key.columns.values()[0]
    end_of_part = sa.select(by).order_by(by).offset(SCAN - 1).limit(1)
    looks_old = sa.or_(column.is_(None), column < bound(oldest))
    old = sa.select(*(table.c[name] for name in key)).where(looks_old).order_by(by)
    ahead: sa.ColumnElement[bool] = sa.true()
    found: list[Any] = []
    while True:
        with store.reading() as connection:
            end = connection.execute(end_of_part.where(ahead)).scalar()
            part = ahead if end is None else sa.and_(ahead, by <= end)
            rows = connection.execute(old.where(part)).all()
        found += [row[0] if len(key) == 1 else tuple(row) for row in rows]
        while len(found) >= LOT:
            yield found[:LOT]
            del found[:LOT]
        if end is None:
            break
        ahead = by > end
    if found:
        yield found


def _age(kind: type[Any]) -> tuple[sa.Column[Any], Callable[[datetime], Any]]:
    """Return the column that says how old a row is, and how a moment is written in it."""
    table = KINDS[kind].table
    column = table.c[OVER[kind]]
    return column, (lambda moment: moment) if kind is Counter else to_ms
