"""The store in memory: for tests and for programs that need to remember nothing."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from watchword.model import Counter, Subject, Verification
from watchword.store.base import Changes, Keys, Record, Rows


class MemoryStore:
    """Keep every row in one dictionary behind one lock."""

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

    def counter(self, unique_id: str, user_id: str) -> Counter | None:
        """Read one `svretries` row."""
        return self._rows.get(Counter, (unique_id, user_id))

    def ping(self) -> None:
        """Return at once."""

    def close(self) -> None:
        """Forget nothing: the rows live as long as the object."""

    def _load(self, keys: Keys) -> list[Record]:
        found: list[Record | None] = [
            self._rows.get(kind, key) for kind, names in keys.wanted.items() for key in names
        ]
        named = [self._rows.get(Verification, sid) for sid in keys.get(Verification)]
        found += [self._rows.get(Subject, row.subject) for row in named if row]
        subjects = [row for row in found if isinstance(row, Subject)]
        found += [self._rows.get(Verification, row.verification_sid) for row in subjects]
        ids = keys.counter_ids & self._counter_keys.keys()
        found += [self._rows.get(Counter, self._counter_keys[counter_id]) for counter_id in ids]
        return [row for row in found if row is not None]

    def _with_id(self, counter: Counter) -> Counter:
        if counter.id is not None:
            return counter
        held = self._rows.get(Counter, counter.key)
        counter_id = next(self._next_id) if held is None or held.id is None else held.id
        self._counter_keys[counter_id] = counter.key
        return replace(counter, id=counter_id)
