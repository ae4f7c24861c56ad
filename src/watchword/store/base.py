"""What a store promises: the rows of a batch, locked, handed to a decision, and written back.

A store knows no rule, no default and no clock. `transact` is one transaction: it loads and locks
the rows of all keys in key order, calls `decide` with them, writes the changes and commits. When
another process got in between it does all of that again, so `decide` must be free to run twice.
Faults of the database come out as StoreError, with nothing half done.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from watchword.model import Counter

Key = str | tuple[str, str]


class Record(Protocol):
    """A row in memory: a frozen record that knows its key within its kind."""

    @property
    def key(self) -> Any:
        """Return what names the row."""


R = TypeVar("R", bound=Record)
Cell = tuple[type[Any], Key]


@dataclass(frozen=True, slots=True)
class Keys:
    """Which rows a decision needs, by kind.

    A Subject brings its latest Verification along, and a Verification its Subject. A Counter may
    also be named by its id. The rows of `only_read` are not locked and must not be changed: many
    batches may look at one service at once.
    """

    wanted: dict[type[Any], frozenset[Any]] = field(default_factory=dict)
    counter_ids: frozenset[int] = frozenset()
    only_read: dict[type[Any], frozenset[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: type[Record], *keys: Key) -> "Keys":
        """Want these rows of one kind."""
        return cls({kind: frozenset(keys)})

    @classmethod
    def reading(cls, kind: type[Record], *keys: Key) -> "Keys":
        """Want to look at these rows of one kind, and to change none of them."""
        return cls(only_read={kind: frozenset(keys)})

    def get(self, kind: type[Any]) -> frozenset[Any]:
        """Return the keys wanted of one kind."""
        return self.wanted.get(kind, frozenset())

    def looked_at(self, kind: type[Any]) -> frozenset[Any]:
        """Return the keys of one kind that are read without being locked."""
        return self.only_read.get(kind, frozenset()) - self.get(kind)

    def __or__(self, other: "Keys") -> "Keys":
        return Keys(
            _both(self.wanted, other.wanted),
            self.counter_ids | other.counter_ids,
            _both(self.only_read, other.only_read),
        )

    @classmethod
    def union(cls, many: Iterable["Keys"]) -> "Keys":
        """Return the keys of a whole batch."""
        wanted: dict[type[Any], set[Any]] = {}
        only_read: dict[type[Any], set[Any]] = {}
        counter_ids: set[int] = set()
        for keys in many:
            counter_ids |= keys.counter_ids
            for kind, names in keys.wanted.items():
                wanted.setdefault(kind, set()).update(names)
            for kind, names in keys.only_read.items():
                only_read.setdefault(kind, set()).update(names)
        return cls(_frozen(wanted), frozenset(counter_ids), _frozen(only_read))


def _both(
    some: dict[type[Any], frozenset[Any]], others: dict[type[Any], frozenset[Any]]
) -> dict[type[Any], frozenset[Any]]:
    if not some or not others:
        return some or others
    shared = {kind: some[kind] | others[kind] for kind in some.keys() & others.keys()}
    return {**some, **others, **shared}


def _frozen(sets: dict[type[Any], set[Any]]) -> dict[type[Any], frozenset[Any]]:
    return {kind: frozenset(names) for kind, names in sets.items()}


@dataclass(slots=True)
class Rows:
    """The rows of a batch in memory; what one command puts, the next one sees."""

    cells: dict[Cell, Record | None] = field(default_factory=dict)

    @classmethod
    def holding(cls, records: Iterable[Record]) -> "Rows":
        """Hold these records."""
        return cls({(type(record), record.key): record for record in records})

    def get(self, kind: type[R], key: Key) -> R | None:
        """Return the row of that kind and key, or None when there is none."""
        return cast("R | None", self.cells.get((kind, key)))

    def counter_by_id(self, counter_id: int) -> Counter | None:
        """Return the `svretries` row of that id, or None."""
        rows = (row for row in self.cells.values() if isinstance(row, Counter))
        return next((row for row in rows if row.id == counter_id), None)

    def put(self, changes: "Changes") -> None:
        """Lay a command's changes over the rows."""
        self.cells.update(changes.cells)


@dataclass(slots=True)
class Changes:
    """What is to be written: a record under its key, or None to delete the row."""

    cells: dict[Cell, Record | None] = field(default_factory=dict)

    @classmethod
    def of(cls, *records: Record) -> "Changes":
        """Put these records."""
        return cls({(type(record), record.key): record for record in records})

    def delete(self, kind: type[Record], key: Key) -> "Changes":
        """Delete one row as well."""
        self.cells[(kind, key)] = None
        return self

    def add(self, other: "Changes") -> None:
        """Append the changes of a later command."""
        self.cells.update(other.cells)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: just after a row, or just before it when the list is read backwards."""

    created_at: datetime
    key: str
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Rows to read without a lock, newest first: those whose fields equal one of these values.

    `since` and `until` bound the time `by` which the rows are ordered, the second one left out;
    `starts` names a field and what it begins with. Where an Attempt is asked for,
    `verification_status` is the stored status of its verification.
    """

    kind: type[Any]
    equal: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    starts: tuple[str, str] | None = None
    by: str = "created_at"
    cursor: Cursor | None = None
    offset: int = 0
    limit: int = 1


class Store(Protocol):
    """Keep records, and let one decision at a time be taken over each of them."""

    @property
    def is_networked(self) -> bool:
        """Tell whether answers are waited for: then an event loop must not do the waiting."""

    def transact(self, keys: Keys, decide: Callable[[Rows], Changes]) -> None:
        """Load and lock the rows of `keys`, apply what `decide` says, commit."""

    def counter(self, unique_id: str, user_id: str) -> Counter | None:
        """Read one `svretries` row with its id, without a lock."""

    def page(self, query: Query) -> list[Any]:
        """Read the first rows of a list, without a lock."""

    def count(self, query: Query) -> int:
        """Count the rows of a list, whatever its limit."""

    def ping(self) -> None:
        """Return when the store answers; raise StoreError when it does not."""

    def close(self) -> None:
        """Give back what the store holds open."""
