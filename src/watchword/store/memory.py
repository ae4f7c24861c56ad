"""The store in memory: for tests and for programs that need to remember nothing."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from watchword.model import Attempt, Counter, Service, Subject, Verification
from watchword.store.base import Cells, Changes, Keys, Rows


class MemoryStore:
    """Keep every row in one dictionary behind one lock."""

    def __init__(self) -> None:
        self._cells: Cells = {}
        self._counter_keys: dict[int, tuple[str, str]] = {}
        self._next_id = itertools.count(1)
        self._lock = Lock()

    def transact(self, keys: Keys, decide: Callable[[Rows], Changes]) -> None:
        """Run one decision while nobody else runs any."""
        with self._lock:
            changes = decide(Rows(self._load(keys)))
            for cell, record in changes.cells.items():
                if record is None:
                    self._cells.pop(cell, None)
                elif isinstance(record, Counter) and record.id is None:
                    counter_id = next(self._next_id)
                    self._counter_keys[counter_id] = record.key
                    self._cells[cell] = replace(record, id=counter_id)
                else:
                    self._cells[cell] = record

    def counter(self, unique_id: str, user_id: str) -> Counter | None:
        """Read one `svretries` row."""
        found = self._cells.get((Counter, (unique_id, user_id)))
        return found if isinstance(found, Counter) else None

    def ping(self) -> None:
        """Return at once."""

    def close(self) -> None:
        """Forget nothing: the rows live as long as the object."""

    def _load(self, keys: Keys) -> Cells:
        everything = Rows(self._cells)
        verifications = [everything.get(Verification, sid) for sid in keys.verifications]
        subject_keys = keys.subjects | {row.subject for row in verifications if row}
        subjects = [everything.get(Subject, key) for key in subject_keys]
        latest = [everything.get(Verification, row.verification_sid) for row in subjects if row]
        counters = keys.counters | {
            self._counter_keys[counter_id]
            for counter_id in keys.counter_ids
            if counter_id in self._counter_keys
        }
        rows = [
            *verifications,
            *subjects,
            *latest,
            *(everything.get(Service, sid) for sid in keys.services),
            *(everything.get(Attempt, sid) for sid in keys.attempts),
            *(everything.get(Counter, key) for key in counters),
        ]
        return {(type(row), row.key): row for row in rows if row is not None}
