"""The store in memory: for tests and for programs that need to remember nothing."""

import itertools
from collections.abc import Callable
from threading import Lock
from typing import Any

from watchword.model import Attempt, Counter, Subject, Verification
from watchword.record import replace
from watchword.store.base import Changes, Keyed, Keys, Query, Rows
from watchword.waits import Waits


class MemoryStore:
    """Keep every row in one dictionary behind one lock."""

    is_networked = False

    def __init__(self) -> None:
        self._rows = Rows()
        self._counter_keys: dict[int, tuple[str, str]] = {}
        self._next_id = itertools.count(1)
        self._lock = Lock()

    def transact(self, keys: Keys, decide: Callable[[Rows], Changes]) -> None:
        """Run one decision while nobody else runs any."""
        with self._lock:
            changes = decide(Rows.holding(self._load(keys)))
            for cell, record in changes.cells.items():
                if record is None:
                    self._rows.cells.pop(cell, None)
                elif isinstance(record, Counter):
                    self._rows.cells[cell] = self._with_id(record)
                else:
                    self._rows.cells[cell] = record

    def transact_in_steps(self, keys: Keys, decide: Callable[[Rows], Changes]) -> Waits[None]:
        """Run one decision; memory waits for nothing."""
        self.transact(keys, decide)
        yield from ()

    def counter(self, unique_id: str, user_id: str) -> Counter | None:
        """Read one `svretries` row."""
        return self._rows.get(Counter, (unique_id, user_id))

    def page(self, query: Query) -> list[Any]:
        """Read the first rows of a list."""
        cursor = query.cursor
        backwards = cursor is not None and cursor.backwards
        with self._lock:
            found = [row for row in self._rows.cells.values() if self._fits(row, query)]

        def age(row: Any) -> tuple[Any, Any]:
            return getattr(row, query.by), row.key

        found.sort(key=age, reverse=not backwards)
        if cursor is not None:
            place = (cursor.created_at, cursor.key)
            found = [row for row in found if (age(row) > place) == backwards]
            found = [row for row in found if age(row) != place]
        return found[query.offset : query.offset + query.limit][:: -1 if backwards else 1]

    def count(self, query: Query) -> int:
        """Count the rows of a list."""
        with self._lock:
            return sum(self._fits(row, query) for row in self._rows.cells.values())

    def rows_of(self, kind: type[Any]) -> list[Any]:
        """Return every row of a kind."""
        with self._lock:
            return [row for row in self._rows.cells.values() if type(row) is kind]

    def ping(self) -> None:
        """Return at once."""

    def close(self) -> None:
        """Forget nothing: the rows live as long as the object."""

    def _fits(self, row: Any, query: Query) -> bool:
        if type(row) is not query.kind:
            return False
        if query.since is not None and getattr(row, query.by) < query.since:
            return False
        if query.until is not None and getattr(row, query.by) >= query.until:
            return False
        if query.starts is not None:
            name, start = query.starts
            if not str(getattr(row, name) or "").startswith(start):
                return False
        return all(
            self._field(row, name) in (wanted if isinstance(wanted, tuple) else (wanted,))
            for name, wanted in query.equal.items()
        )

    def _field(self, row: Any, name: str) -> Any:
        if name == "verification_status" and isinstance(row, Attempt):
            row, name = self._rows.get(Verification, row.verification_sid), "status"
        return getattr(row, name, None)

    def _load(self, keys: Keys) -> list[Keyed]:
        found: list[Keyed | None] = [
            self._rows.get(kind, key) for kind, key in (*keys.wanted, *keys.only_read)
        ]
        named = [self._rows.get(Verification, sid) for sid in keys.locked()[Verification]]
        found += [self._rows.get(Subject, row.subject) for row in named if row]
        subjects = [row for row in found if isinstance(row, Subject)]
        found += [self._rows.get(Verification, row.verification_sid) for row in subjects]
        ids = self._counter_keys.keys() & keys.counter_ids
        found += [self._rows.get(Counter, self._counter_keys[counter_id]) for counter_id in ids]
        return [row for row in found if row is not None]

    def _with_id(self, counter: Counter) -> Counter:
        if counter.id is not None:
            return counter
        held = self._rows.get(Counter, counter.key)
        counter_id = next(self._next_id) if held is None or held.id is None else held.id
        self._counter_keys[counter_id] = counter.key
        return replace(counter, id=counter_id)
