"""Take over a living `svretries` table: look, copy it or adopt it in place, or give it back."""

import json
import os
import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from watchword.errors import ConfigurationError, StoreError
from watchword.model import Counter
from watchword.record import replace
from watchword.rules.ladder import Ladder
from watchword.rules.takeover import OldRow, as_counter, merge
from watchword.store.base import Changes, Keys, Rows, Store
from watchword.store.connect import connect, connect_to_read
from watchword.store.migrate import migrate, schema_version
from watchword.store.tables import metadata

TABLE = "svretries"
KEPT = "svretries_before_watchword"  # the old table, after it was adopted in place
ASIDE = "svretries_of_watchword"  # ours, after the old one was given back
COLUMNS = ("id", "userId", "uniqueId", "count", "expires", "createdAt")
LOT = 200  # pairs a transaction


@dataclass(slots=True)
class Report:
    """What is in the old table, and what became of it or would."""

    rows: int = 0
    pairs: int = 0
    duplicates: int = 0
    null_counts: int = 0
    without_pair: int = 0
    running_waits: int = 0
    last_wait_ends: str | None = None
    timezone: str = ""
    added: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class Takeover:
    """Old rows, read, merged to one counter a pair."""

    counters: list[Counter]
    report: Report = field(default_factory=Report)


def inspect(
    url: str, zone: tzinfo | None, ladder: Ladder, now: datetime, table: str = TABLE
) -> Takeover:
    """Read an old table whole and merge its duplicates; nothing is written.

    Raises ConfigurationError when there is no such table at that URL, or it is watchword's own.
    """
    engine = connect_to_read(url)
    try:
        with engine.connect() as connection:
            _check_is_old(connection, table)
            return _merged(_read(connection, table), zone, ladder, now)
    except SQLAlchemyError as fault:
        raise StoreError("the old table cannot be read; look at the address of --from") from fault
    finally:
        engine.dispose()


def copy(found: Takeover, store: Store, ladder: Ladder, journal: Path) -> None:
    """Bring the counters into our store, merged with what is there; safe to run again."""
    for start in range(0, len(found.counters), LOT):
        _copy_lot(found.counters[start : start + LOT], store, ladder, journal, found.report)


def would_copy(found: Takeover, store: Store | None, ladder: Ladder) -> None:
    """Count what `copy` would do."""
    for counter in found.counters:
        held = None if store is None else store.counter(*counter.key)
        _tally(found.report, held, _stricter(held, counter, ladder))


def undo_copy(store: Store, journal: Path) -> tuple[int, int]:
    """Take back what `copy` wrote, but where it has changed since; return how many of each."""
    if not journal.exists():
        raise ConfigurationError("there is no import to undo here", name="WATCHWORD_HOME")
    undone = kept = 0
    for line in reversed(journal.read_text().splitlines()):
        before, after = (_from_json(part) for part in json.loads(line))
        if _put_back(store, before, after):
            undone += 1
        else:
            kept += 1
    journal.rename(journal.with_suffix(".undone"))
    return undone, kept


def set_aside(url: str) -> None:
    """Rename an old table in our own database and make ours; goes on where it was interrupted."""
    engine = connect(url)
    try:
        with engine.begin() as connection:
            names = set(sa.inspect(connection).get_table_names())
            if TABLE in names and not _is_ours(connection):
                if KEPT in names:
                    raise ConfigurationError(
                        f"both {TABLE} and {KEPT} are there; drop or rename one", name="--in-place"
                    )
                _rename(connection, TABLE, KEPT)
                if ASIDE in names:
                    _rename(connection, ASIDE, TABLE)
                elif schema_version(connection) is not None:
                    metadata.tables[TABLE].create(connection)
        migrate(engine)
    finally:
        engine.dispose()


def give_back(url: str) -> None:
    """Put the old table back in its place; ours is kept beside it under another name."""
    engine = connect(url)
    try:
        with engine.begin() as connection:
            names = set(sa.inspect(connection).get_table_names())
            if KEPT not in names:
                raise ConfigurationError("no table was adopted in place here", name="--in-place")
            if TABLE in names:
                _rename(connection, TABLE, ASIDE)
            _rename(connection, KEPT, TABLE)
    finally:
        engine.dispose()


def has_old_table(url: str) -> bool:
    """Tell whether a database holds a `svretries` table that is not watchword's."""
    engine = connect(url)
    try:
        with engine.connect() as connection:
            return sa.inspect(connection).has_table(TABLE) and not _is_ours(connection)
    finally:
        engine.dispose()


def _check_is_old(connection: Connection, table: str) -> None:
    inspector = sa.inspect(connection)
    if not inspector.has_table(table):
        raise ConfigurationError(f"there is no table {table} at that address", name="--from")
    missing = set(COLUMNS) - {column["name"] for column in inspector.get_columns(table)}
    if missing:
        raise ConfigurationError(
            f"the table {table} has no column {min(missing)}; is it another one?", name="--from"
        )
    if table == TABLE and _is_ours(connection):
        raise ConfigurationError(
            "that table is watchword's own already; nothing is to be taken over", name="--from"
        )


def _is_ours(connection: Connection) -> bool:
    inspector = sa.inspect(connection)
    constraints = [*inspector.get_unique_constraints(TABLE), *inspector.get_indexes(TABLE)]
    return any(found["name"] == "svretries_pair" for found in constraints)


def _read(connection: Connection, table: str) -> Iterator[OldRow]:
    old = sa.table(table, *(sa.column(name) for name in COLUMNS))
    for row in connection.execution_options(stream_results=True).execute(sa.select(old)):
        cells = row._mapping  # noqa: SLF001  # documented, underscore and all
        yield OldRow(
            unique_id=_text(cells["uniqueId"]),
            user_id=_text(cells["userId"]),
            count=None if cells["count"] is None else int(cells["count"]),
            expires=_moment(cells["expires"]),
            created_at=_moment(cells["createdAt"]),
        )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _merged(rows: Iterable[OldRow], zone: tzinfo | None, ladder: Ladder, now: datetime) -> Takeover:
    by_pair: dict[tuple[str, str], list[Counter]] = {}
    seen: Tally[str] = Tally()
    for row in rows:
        seen["rows"] += 1
        seen["null_counts"] += row.count is None
        if not row.unique_id and not row.user_id:
            seen["without_pair"] += 1  # no caller can ask for it
            continue
        counter = as_counter(row, zone, ladder, now)
        by_pair.setdefault(counter.key, []).append(counter)
    counters = [merge(same, ladder) for _, same in sorted(by_pair.items())]
    running = [row.expires for row in counters if row.expires is not None and row.expires > now]
    report = Report(
        rows=seen["rows"],
        pairs=len(counters),
        duplicates=seen["rows"] - seen["without_pair"] - len(counters),
        null_counts=seen["null_counts"],
        without_pair=seen["without_pair"],
        running_waits=len(running),
        last_wait_ends=max(running).isoformat() if running else None,
        timezone=str(zone) if zone else f"this machine's ({time.tzname[0]})",
    )
    return Takeover(counters, report)


def _stricter(held: Counter | None, incoming: Counter, ladder: Ladder) -> Counter:
    return incoming if held is None else merge((held, incoming), ladder)


def _tally(report: Report, held: Counter | None, after: Counter) -> None:
    if held is None:
        report.added += 1
    elif _same(held, after):
        report.unchanged += 1
    else:
        report.changed += 1


def _copy_lot(
    lot: Sequence[Counter], store: Store, ladder: Ladder, journal: Path, report: Report
) -> None:
    steps: list[tuple[Counter | None, Counter]] = []

    def decide(rows: Rows) -> Changes:
        steps[:] = [
            (held := rows.get(Counter, row.key), _stricter(held, row, ladder)) for row in lot
        ]
        changed = [(held, after) for held, after in steps if held is None or not _same(held, after)]
        _write_journal(journal, changed)  # first: what is not committed is not undone either
        return Changes.of(*(after for _, after in changed))

    store.transact(Keys.of(Counter, *(row.key for row in lot)), decide)
    for held, after in steps:
        _tally(report, held, after)


def _put_back(store: Store, before: Counter | None, after: Counter) -> bool:
    undone = False

    def decide(rows: Rows) -> Changes:
        nonlocal undone
        now = rows.get(Counter, after.key)
        undone = now is not None and _same(now, after)
        if not undone:
            return Changes()
        if before is None:
            return Changes().delete(Counter, after.key)
        return Changes.of(replace(before, id=now.id if now else None))

    store.transact(Keys.of(Counter, after.key), decide)
    return undone


def _same(one: Counter, other: Counter) -> bool:
    return (one.count, one.expires) == (other.count, other.expires)


def _write_journal(journal: Path, steps: Sequence[tuple[Counter | None, Counter]]) -> None:
    journal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        for before, after in steps:
            file.write(json.dumps([_as_json(before), _as_json(after)]) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _as_json(counter: Counter | None) -> dict[str, Any] | None:
    if counter is None:
        return None
    return {
        "unique_id": counter.unique_id,
        "user_id": counter.user_id,
        "count": counter.count,
        "expires": counter.expires.isoformat() if counter.expires else None,
        "created_at": counter.created_at.isoformat(),
    }


def _from_json(found: dict[str, Any] | None) -> Any:
    if found is None:
        return None
    expires = found["expires"]
    return Counter(
        found["unique_id"],
        found["user_id"],
        found["count"],
        datetime.fromisoformat(expires) if expires else None,
        datetime.fromisoformat(found["created_at"]),
    )


def _rename(connection: Connection, old: str, new: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    connection.exec_driver_sql(f"ALTER TABLE {quote(old)} RENAME TO {quote(new)}")
