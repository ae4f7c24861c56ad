"""The store in SQL: a batch's rows read in key order, locked, written as sets, one commit."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeoutError

from watchword.errors import StoreError
from watchword.keys import Keyring
from watchword.model import Attempt, Counter, Service, Subject, Verification
from watchword.store import rows as lay
from watchword.store.base import Cells, Changes, Key, Keys, Record, Rows
from watchword.store.connect import connect
from watchword.store.migrate import ensure_schema
from watchword.store.svretries import Svretries
from watchword.store.tables import attempts, metadata, services, subjects, verifications

MAX_TRIES = 8  # a transaction that lost a race is run again; more often than this is a fault

svretries = metadata.tables[Svretries.__tablename__]


class SqlStore:
    """Keep every row in a SQL database, named by a SQLAlchemy URL."""

    def __init__(self, url: str, keyring: Keyring) -> None:
        self._engine = connect(url)
        self._keyring = keyring
        with _faults_named():
            ensure_schema(self._engine)

    def transact(self, keys: Keys, decide: Callable[[Rows], Changes]) -> None:
        """Run one decision in one transaction; run it again when a race was lost."""
        for tries_left in reversed(range(MAX_TRIES)):
            try:
                with _faults_named(), self._engine.begin() as connection:
                    rows = Rows(self._load(connection, keys))
                    found = set(rows.cells)
                    self._save(connection, decide(rows), found)
                return
            except IntegrityError as fault:  # another process made the same row first
                if not tries_left:
                    raise StoreError("the store is too busy; try again") from fault

    def counter(self, unique_id: str, user_id: str) -> Counter | None:
        """Read one `svretries` row with its id."""
        with _faults_named(), self._engine.connect() as connection:
            wanted = {"unique_ids": [unique_id], "user_ids": [user_id]}
            row = connection.execute(FIND_COUNTERS, wanted).first()
        return None if row is None else lay.counter_record(row)

    def ping(self) -> None:
        """Ask the database for one row."""
        with _faults_named(), self._engine.connect() as connection:
            connection.execute(sa.select(services.c.sid).limit(1)).first()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _load(self, connection: Connection, keys: Keys) -> Cells:
        """Read and lock; a subject's lock is the lock of its verifications too."""

        def read(statement: sa.Select[Any], wanted: Collection[Any]) -> list[sa.Row[Any]]:
            if not wanted:
                return []
            return list(connection.execute(statement, {"keys": sorted(wanted)}))

        named = read(FIND_SUBJECTS, keys.verifications)
        subject_keys = keys.subjects | {row.subject for row in named}
        held = [lay.subject_record(row) for row in read(LOCK_SUBJECTS, subject_keys)]
        sids = keys.verifications | {subject.verification_sid for subject in held}
        counter_ids = keys.counter_ids | _counter_ids(connection, keys.counters)
        records: list[Record] = [
            *(lay.service_record(row) for row in read(READ_SERVICES, keys.services)),
            *held,
            *(
                lay.verification_record(row, self._keyring)
                for row in read(READ_VERIFICATIONS, sids)
            ),
            *(lay.attempt_record(row) for row in read(LOCK_ATTEMPTS, keys.attempts)),
            *(lay.counter_record(row) for row in read(LOCK_COUNTERS, counter_ids)),
        ]
        return {(type(record), record.key): record for record in records}

    def _save(self, connection: Connection, changes: Changes, found: set[Any]) -> None:
        """Write the batch as one set per table and kind of statement, in key order."""
        sets: dict[sa.Executable, list[lay.Row]] = {}
        for cell in sorted(changes.cells, key=_lock_order):
            kind, key = cell
            record = changes.cells[cell]
            table = WRITES[kind]
            if record is None:
                sets.setdefault(table.delete, []).append(_where(key))
            elif cell in found:
                cells = lay.changed_cells(record) | _where(key)
                sets.setdefault(table.update, []).append(cells)
            else:
                sets.setdefault(table.insert, []).append(lay.row(record, self._keyring))
        for statement, rows in sets.items():
            connection.execute(statement, rows)


def _counter_ids(connection: Connection, pairs: frozenset[tuple[str, str]]) -> set[int]:
    """Find the ids of these pairs; rows are locked by id, so that all lock in one order."""
    if not pairs:
        return set()
    unique_ids, user_ids = (sorted(set(part)) for part in zip(*pairs, strict=True))
    wanted = {"unique_ids": unique_ids, "user_ids": user_ids}
    rows = connection.execute(FIND_COUNTERS, wanted)
    return {row.id for row in rows if (row.uniqueId, row.userId) in pairs}


@dataclass(frozen=True, slots=True)
class _Writes:
    """The three ways to write a table, made once."""

    insert: sa.Insert
    update: sa.Update
    delete: sa.Delete


def _writes(table: sa.Table, key: tuple[str, ...], changing: tuple[str, ...]) -> _Writes:
    here = sa.and_(*(table.c[name] == sa.bindparam(f"where_{i}") for i, name in enumerate(key)))
    new: dict[str, Any] = {name: sa.bindparam(name) for name in changing}
    return _Writes(
        table.insert(), table.update().where(here).values(new), table.delete().where(here)
    )


def _where(key: Key) -> lay.Row:
    """Return a key as the parameters of a WHERE clause."""
    parts = key if isinstance(key, tuple) else (key,)
    return {f"where_{i}": part for i, part in enumerate(parts)}


def _lock_order(cell: tuple[type[Record], Key]) -> tuple[str, Key]:
    return cell[0].__name__, cell[1]


def _find(column: sa.Column[Any], *columns: sa.Column[Any]) -> sa.Select[Any]:
    """Select the rows whose `column` is one of the `keys`."""
    wanted = columns or tuple(column.table.c)
    return sa.select(*wanted).where(column.in_(sa.bindparam("keys", expanding=True)))


def _lock(column: sa.Column[Any]) -> sa.Select[Any]:
    """Select them in key order and lock them."""
    return _find(column).order_by(column).with_for_update()


FIND_SUBJECTS = _find(verifications.c.sid, verifications.c.subject)
FIND_COUNTERS = sa.select(svretries).where(
    svretries.c.uniqueId.in_(sa.bindparam("unique_ids", expanding=True)),
    svretries.c.userId.in_(sa.bindparam("user_ids", expanding=True)),
)
READ_SERVICES = _find(services.c.sid)
READ_VERIFICATIONS = _find(verifications.c.sid)
LOCK_SUBJECTS = _lock(subjects.c.key)
LOCK_ATTEMPTS = _lock(attempts.c.sid)
LOCK_COUNTERS = _lock(svretries.c.id)
WRITES: dict[type[Record], _Writes] = {
    Service: _writes(services, ("sid",), lay.SERVICE_CHANGES),
    Subject: _writes(subjects, ("key",), lay.SUBJECT_CHANGES),
    Verification: _writes(verifications, ("sid",), lay.VERIFICATION_CHANGES),
    Attempt: _writes(attempts, ("sid",), lay.ATTEMPT_CHANGES),
    Counter: _writes(svretries, ("uniqueId", "userId"), lay.COUNTER_CHANGES),
}


@contextmanager
def _faults_named() -> Iterator[None]:
    """Turn a driver's fault into a StoreError; a lost race passes, for `transact` to run again."""
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, SQLAlchemyTimeoutError) as fault:
        raise StoreError("the store cannot be reached; see: watchword doctor") from fault
