"""The store in SQL: a batch's rows read in key order, locked, written as sets, one commit."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeoutError

from watchword.errors import StoreError
from watchword.keys import Keyring
from watchword.model import Counter, Subject, Verification
from watchword.store.base import Cell, Changes, Key, Keys, Query, Record, Rows
from watchword.store.connect import READING, connect
from watchword.store.kinds import KINDS, svretries
from watchword.store.lists import select_count, select_page
from watchword.store.migrate import ensure_schema
from watchword.store.rows import Row, counter_record
from watchword.store.tables import services, verifications

MAX_TRIES = 8  # a transaction that lost a race is run again; more often than this is a fault


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
                    rows = Rows.holding(self._load(connection, keys))
                    found = set(rows.cells)
                    self._save(connection, decide(rows), found)
                return
            except IntegrityError as fault:  # another process made the same row first
                if not tries_left:
                    raise StoreError("the store is too busy; try again") from fault

    def counter(self, unique_id: str, user_id: str) -> Counter | None:
        """Read one `svretries` row with its id."""
        with self._reading() as connection:
            wanted = {"unique_ids": [unique_id], "user_ids": [user_id]}
            row = connection.execute(FIND_COUNTERS, wanted).first()
        return None if row is None else counter_record(row)

    def page(self, query: Query) -> list[Any]:
        """Read the first rows of a list."""
        record = KINDS[query.kind].record
        with self._reading() as connection:
            rows = connection.execute(select_page(query)).all()
        found = [record(row, self._keyring) for row in rows]
        return found[::-1] if query.cursor is not None and query.cursor.backwards else found

    def count(self, query: Query) -> int:
        """Count the rows of a list."""
        with self._reading() as connection:
            return int(connection.execute(select_count(query)).scalar_one())

    def ping(self) -> None:
        """Ask the database for one row."""
        with self._reading() as connection:
            connection.execute(sa.select(services.c.sid).limit(1)).first()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Open a connection for reads, which lock nothing and wait for nobody."""
        with _faults_named(), self._engine.connect() as connection:
            yield connection.execution_options(**{READING: True})

    def _load(self, connection: Connection, keys: Keys) -> list[Record]:
        """Read and lock; a subject's lock is the lock of its verifications too."""
        named = _read(connection, FIND_SUBJECTS, keys.get(Verification))
        subject_keys = keys.get(Subject) | {row.subject for row in named}
        subjects = self._records(connection, Subject, subject_keys)
        sids = keys.get(Verification) | {subject.verification_sid for subject in subjects}
        counter_ids = keys.counter_ids | _counter_ids(connection, keys.get(Counter))
        found = subjects + self._records(connection, Verification, sids)
        found += self._records(connection, Counter, counter_ids)
        for kind in sorted(keys.wanted, key=lambda kind: kind.__name__):
            if kind not in (Subject, Verification, Counter):
                found += self._records(connection, kind, keys.get(kind))
        return found

    def _records(self, connection: Connection, kind: type[Any], keys: Collection[Any]) -> list[Any]:
        record = KINDS[kind].record
        return [record(row, self._keyring) for row in _read(connection, LOCKS[kind], keys)]

    def _save(self, connection: Connection, changes: Changes, found: set[Cell]) -> None:
        """Write the batch as one set per table and kind of statement, in key order."""
        sets: dict[sa.Executable, list[Row]] = {}
        for cell in sorted(changes.cells, key=_lock_order):
            name, key = cell
            record = changes.cells[cell]
            kind = KINDS[name]
            if record is None:
                if cell in found:
                    sets.setdefault(kind.delete, []).append(_where(key))
            elif cell in found:
                cells = kind.changes(record) | _where(key)
                sets.setdefault(kind.update, []).append(cells)
            else:
                sets.setdefault(kind.insert, []).append(kind.row(record, self._keyring))
        for statement, rows in sets.items():
            connection.execute(statement, rows)


def _read(
    connection: Connection, statement: sa.Select[Any], wanted: Collection[Any]
) -> list[sa.Row[Any]]:
    return list(connection.execute(statement, {"keys": sorted(wanted)})) if wanted else []


def _counter_ids(connection: Connection, pairs: frozenset[tuple[str, str]]) -> set[int]:
    """Find the ids of these pairs; rows are locked by id, so that all lock in one order."""
    if not pairs:
        return set()
    unique_ids, user_ids = (sorted(set(part)) for part in zip(*pairs, strict=True))
    wanted = {"unique_ids": unique_ids, "user_ids": user_ids}
    rows = connection.execute(FIND_COUNTERS, wanted)
    return {row.id for row in rows if (row.uniqueId, row.userId) in pairs}


def _where(key: Key) -> Row:
    """Return a key as the parameters of a WHERE clause."""
    parts = key if isinstance(key, tuple) else (key,)
    return {f"where_{i}": part for i, part in enumerate(parts)}


def _lock_order(cell: Cell) -> tuple[str, Key]:
    return cell[0].__name__, cell[1]


def _lock(column: sa.Column[Any]) -> sa.Select[Any]:
    """Select the rows whose `column` is one of the `keys`, in its order, and lock them."""
    wanted = column.in_(sa.bindparam("keys", expanding=True))
    return sa.select(*column.table.c).where(wanted).order_by(column).with_for_update()


FIND_SUBJECTS = sa.select(verifications.c.subject).where(
    verifications.c.sid.in_(sa.bindparam("keys", expanding=True))
)
FIND_COUNTERS = sa.select(svretries).where(
    svretries.c.uniqueId.in_(sa.bindparam("unique_ids", expanding=True)),
    svretries.c.userId.in_(sa.bindparam("user_ids", expanding=True)),
)
LOCKS = {
    name: _lock(svretries.c.id if name is Counter else kind.table.c[kind.key[0]])
    for name, kind in KINDS.items()
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
