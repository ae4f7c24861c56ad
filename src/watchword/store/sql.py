"""The store in SQL: a batch's rows read in key order and locked, written as sets, one commit."""

import dataclasses
import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeoutError

from watchword.errors import StoreError, WatchwordError
from watchword.keys import Keyring
from watchword.model import Counter, Subject, Verification
from watchword.store.base import Cell, Changes, Key, Keyed, Keys, Query, Rows
from watchword.store.clock import measure_skew
from watchword.store.connect import LOCK_SECONDS, READING, connect, is_networked, place_of
from watchword.store.faults import UNCERTAIN, Fault, as_store_error, faults_named, name_fault
from watchword.store.kinds import KINDS
from watchword.store.lists import select_count, select_page
from watchword.store.migrate import ensure_schema
from watchword.store.rows import Row
from watchword.store.session import Session, session_for
from watchword.store.statements import LANGUAGES, Said, Statements
from watchword.waits import Pause, Waits, run_here

logger = logging.getLogger("watchword.store")

PATIENCE_SECONDS = 5.0  # how long a lost race or a lost server is tried again; SQLite's lock: 10
FIRST_PAUSE = 0.002  # seconds; doubled from try to try, and drawn at random up to there
LONGEST_PAUSE = 0.25
LONGEST_PAUSE_IN_A_FILE = 0.02  # whose lock is held for a commit or two
IDLE_SESSIONS = 4  # kept at hand, so that a transaction begins without asking the pool


class _Moved(Exception):
    """A row went on under another name while this transaction waited for it."""


class SqlStore:
    """Keep every row in a SQL database, named by its URL."""

    def __init__(self, url: str, keyring: Keyring) -> None:
        self._engine = connect(url)
        self._keyring = keyring
        self.is_networked = is_networked(self._engine)
        try:
            with faults_named(self._engine):
                ensure_schema(self._engine)
        except WatchwordError:
            self._engine.dispose()
            raise
        self._place = place_of(self._engine)
        dialect = self._engine.dialect
        self._language = language = LANGUAGES[dialect.name](dialect)
        self._session = session_for(dialect.name)
        self._idle: list[Session] = []
        self._lost_since: float | None = None
        self.statements = {name: language.statements(kind) for name, kind in KINDS.items()}
        self._latest = language.referred(KINDS[Verification], KINDS[Subject], "verification_sid")
        self._whole: dict[type[Any], Statements] = {}
        self._counters_by_id = language.statements(KINDS[Counter], key=("id",))

    def transact(self, keys: Keys, decide: Callable[[Rows], Changes]) -> None:
        """Run one decision in one transaction; run it again when a race or the server was lost."""
        run_here(self.transact_in_steps(keys, decide))

    def transact_in_steps(self, keys: Keys, decide: Callable[[Rows], Changes]) -> Waits[None]:
        """Do what `transact` does, and yield what waits for the commit or for a lost race."""
        began = time.monotonic()
        patience = PATIENCE_SECONDS if self.is_networked else LOCK_SECONDS
        longest_pause = LONGEST_PAUSE if self.is_networked else LONGEST_PAUSE_IN_A_FILE
        pause = FIRST_PAUSE
        tries = 0
        while True:
            tries += 1
            fault = yield from self._try(keys, decide)
            if fault is None:
                self._lost_since = None
                return
            logger.debug("store.retried fault=%s try=%d", fault.name, tries)
            now = time.monotonic()
            if fault is Fault.LOST:
                self._lost_since = self._lost_since or now
                began = min(began, self._lost_since)  # who comes later waits no longer
            if tries > 1 and now - began > patience:
                raise as_store_error(fault)
            yield Pause(random.uniform(0, pause))  # noqa: S311  # so that two do not meet again
            pause = min(pause * 2, longest_pause)

    def counter(self, unique_id: str, user_id: str) -> Counter | None:
        """Read one `svretries` row with its id."""
        seen: list[Counter | None] = []

        def look(rows: Rows) -> Changes:
            seen.append(rows.get(Counter, (unique_id, user_id)))
            return Changes()

        self.transact(Keys.reading(Counter, (unique_id, user_id)), look)
        return seen[-1]

    def page(self, query: Query) -> list[Any]:
        """Read the first rows of a list."""
        record = KINDS[query.kind].record
        with self.reading() as connection:
            rows = connection.execute(select_page(query)).all()
        found = [record(row, self._keyring) for row in rows]
        return found[::-1] if query.cursor is not None and query.cursor.backwards else found

    def count(self, query: Query) -> int:
        """Count the rows of a list."""
        with self.reading() as connection:
            return int(connection.execute(select_count(query)).scalar_one())

    def ping(self) -> None:
        """Ask the database for one row."""
        self._check_place()
        with self.reading() as connection:
            connection.execute(sa.text("SELECT 1 FROM services WHERE sid = ''")).first()

    def _check_place(self) -> None:
        if self._place is not None:
            self._place.check()

    def skew(self, wall: Callable[[], float]) -> float:
        """Return the seconds by which the server's clock is ahead of `wall`."""
        with self.reading() as connection:
            return measure_skew(connection, wall)

    def close(self) -> None:
        """Close every connection."""
        self._forget_idle()
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection for reads, which lock nothing and wait for nobody."""
        with faults_named(self._engine), self._engine.connect() as connection:
            yield connection.execution_options(**{READING: True})

    def _try(self, keys: Keys, decide: Callable[[Rows], Changes]) -> Waits[Fault | None]:
        """Run the transaction once and return what was wrong with it, if anything was."""
        committing = False
        self._check_place()
        try:
            with self._transaction() as session:
                rows = Rows.holding(self._load(session, keys))
                found = set(rows.cells)
                changes = decide(rows)
                session.write(self._writes(changes, found, keys))
                committing = True
                yield session.commit
        except self._engine.dialect.loaded_dbapi.Error as error:
            fault = name_fault(self._engine.dialect.name, error)
            if fault is Fault.LOST:
                self._forget_idle()
                self._engine.dispose()
                if committing:  # it may have happened: doing it again could do it twice
                    raise StoreError(UNCERTAIN) from error
            if fault not in (Fault.RACE, Fault.LOST):
                raise as_store_error(fault) from error
            return fault
        except (DBAPIError, SQLAlchemyTimeoutError):  # no connection was to be had
            return Fault.LOST
        except _Moved:
            return Fault.RACE
        return None

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """Lend a session that has begun; put it back unless its connection broke."""
        session = self._take()
        try:
            session.begin()
            yield session
        except BaseException:
            try:
                session.roll_back()
            except self._engine.dialect.loaded_dbapi.Error:
                session.pooled.invalidate()
            else:
                self._put_back(session)
            raise
        self._put_back(session)

    def _take(self) -> Session:
        try:
            return self._idle.pop()
        except IndexError:
            return self._session(self._engine.raw_connection())

    def _put_back(self, session: Session) -> None:
        if len(self._idle) < IDLE_SESSIONS:
            self._idle.append(session)
        else:
            session.pooled.close()

    def _forget_idle(self) -> None:
        while self._idle:
            self._idle.pop().pooled.invalidate()

    def _load(self, session: Session, keys: Keys) -> list[Keyed]:
        """Read and lock; a subject's lock is the lock of its verifications too."""
        wanted = keys.locked()
        named = wanted.pop(Verification, set())
        verifications = self.statements[Verification]
        if named:
            found = self._ask(session, [(verifications, named, False)])
            wanted[Subject].update(row.subject for _, row in found)
        if keys.counter_ids:
            found = self._ask(session, [(self._counters_by_id, set(keys.counter_ids), False)])
            wanted[Counter].update((row.uniqueId, row.userId) for _, row in found)
        asked = [(self.statements[kind], wanted[kind], True) for kind in sorted(wanted, key=_name)]
        asked += [(self.statements[kind], seen, False) for kind, seen in keys.looked_at().items()]
        asked += [(verifications, named, False), (self._latest, wanted[Subject], False)]
        found = self._ask(session, asked)
        records = [said.kind.record(row, self._keyring) for said, row in found]
        if keys.aliases:
            self._refuse_moved(session, keys.aliases, records)
        again = (row for row in records if isinstance(row, Verification) and row.sid in named)
        if any(row.subject not in wanted[Subject] for row in again):
            raise _Moved
        return records

    def _refuse_moved(
        self, session: Session, aliases: tuple[tuple[Cell, ...], ...], records: Sequence[Keyed]
    ) -> None:
        """Look again for rows of which no name was found.

        Whoever waits for a row that is being moved to another name is told that it is gone, and
        has not looked for the other name since.
        """
        found = {(type(record), record.key) for record in records}
        missing: dict[type[Any], set[Key]] = defaultdict(set)
        for group in aliases:
            if found.isdisjoint(group):
                for kind, key in group:
                    missing[kind].add(key)
        again = [(self.statements[kind], names, False) for kind, names in missing.items()]
        if again and self._ask(session, again):
            raise _Moved

    def _ask(
        self, session: Session, asked: Sequence[tuple[Statements, Collection[Any], bool]]
    ) -> list[tuple[Statements, Any]]:
        asked = [each for each in asked if each[1]]
        answers = session.ask([said.read(keys, lock=lock) for said, keys, lock in asked])
        return [
            (said, said.row(cells))
            for (said, _, _), rows in zip(asked, answers, strict=True)
            for cells in rows
        ]

    def _writes(self, changes: Changes, found: set[Cell], keys: Keys) -> list[Said]:
        """Lay out the batch as one set per table and kind of statement, in key order."""
        inserts: dict[type[Any], list[Row]] = defaultdict(list)
        updates: dict[type[Any], list[Row]] = defaultdict(list)
        rewrites: dict[type[Any], list[Row]] = defaultdict(list)
        deletes: dict[type[Any], list[Key]] = defaultdict(list)
        passing: dict[type[Any], list[Key]] = defaultdict(list)
        claims = self._claims(changes, found, keys) if self.is_networked else {}
        unlocked = frozenset(keys.only_read).difference(keys.wanted)
        cells = changes.cells.keys() | claims.keys() if claims else changes.cells
        for cell in sorted(cells, key=_lock_order):
            if cell in unlocked:
                raise ValueError(f"a {cell[0].__name__} was changed that was only to be read")
            name, key = cell
            record = changes.cells.get(cell)
            if cell in claims:
                inserts[name].append(claims[cell])
                passing[name].append(key)
            elif record is None:
                if cell in found:
                    deletes[name].append(key)
            elif cell in found and cell in changes.whole:
                rewrites[name].append(KINDS[name].row(record, self._keyring))
            elif cell in found:
                updates[name].append(KINDS[name].changes(record))
            else:
                inserts[name].append(KINDS[name].row(record, self._keyring))
        return [
            *(self.statements[name].delete(names) for name, names in deletes.items()),
            *(self.statements[name].update(rows) for name, rows in updates.items()),
            *(self._rewriting(name).update(rows) for name, rows in rewrites.items()),
            *(self.statements[name].insert(rows) for name, rows in inserts.items()),
            *(self.statements[name].delete(names) for name, names in passing.items()),
        ]

    def _claims(self, changes: Changes, found: set[Cell], keys: Keys) -> dict[Cell, Row]:
        """Lay out what keeps others from making a new row under another of its names.

        Where there is no row there is nothing to lock. So the row is inserted under each of its
        names, and under all but its own it is deleted again before the commit: of two processes
        whose newest keys differ, one meets the other's row, and looks again.
        """
        claims: dict[Cell, Row] = {}
        for group in keys.aliases:
            made = next((cell for cell in group if changes.cells.get(cell) is not None), None)
            if made is None or not found.isdisjoint(group):
                continue
            kind = KINDS[made[0]]
            row = kind.row(changes.cells[made], self._keyring)
            for cell in group:
                if cell != made:
                    names = cell[1] if isinstance(cell[1], tuple) else (cell[1],)
                    claims[cell] = row | dict(zip(kind.key, names, strict=True))
        return claims

    def _rewriting(self, name: type[Any]) -> Statements:
        """Return the statements by which a kind's rows get all their cells anew."""
        if name not in self._whole:
            kind = KINDS[name]
            cells = tuple(c.name for c in kind.table.columns if c.name not in kind.key)
            whole = dataclasses.replace(kind, changing=cells)
            self._whole[name] = self._language.statements(whole)
        return self._whole[name]


def _name(kind: type[Any]) -> str:
    return kind.__name__


def _lock_order(cell: Cell) -> tuple[str, Key]:
    return cell[0].__name__, cell[1]
