"""What a store promises: the rows of a batch, locked, handed to a decision, and written back.

A store knows no rule, no default and no clock. `transact` is one transaction: it loads and locks
the rows of all keys in key order, calls `decide` with them, writes the changes and commits. When
another process got in between it does all of that again, so `decide` must be free to run twice.
Faults of the database come out as StoreError, with nothing half done.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from msgspec import Struct

from watchword.model import Counter
from watchword.record import Record, field
from watchword.waits import Waits

Key = str | tuple[str, str]


class Keyed(Protocol):
    """A row in memory: a record that knows its key within its kind."""

    @property
    def key(self) -> Any:
        """Return what names the row."""


R = TypeVar("R", bound=Keyed)
Cell = tuple[type[Any], Key]
ByKind = dict[type[Any], set[Any]]


class Keys(Record, frozen=True):
    """Which rows a decision needs.

    A Subject brings its latest Verification along, and a Verification its Subject. A Counter may
    also be named by its id. The rows of `only_read` are not locked and must not be changed: many
    batches may look at one service at once. Each group of `aliases` is the names that one row may
    go by.
    """

    wanted: tuple[Cell, ...] = ()
    counter_ids: tuple[int, ...] = ()
    only_read: tuple[Cell, ...] = ()
    aliases: tuple[tuple[Cell, ...], ...] = ()

    @classmethod
    def of(cls, kind: type[Keyed], *keys: Key) -> "Keys":
        """Want these rows of one kind."""
        return cls(tuple([(kind, key) for key in keys]))

    @classmethod
    def one_of(cls, kind: type[Keyed], *names: Key) -> "Keys":
        """Want the one row that goes by one of these names, whichever key gave it.

        Of any number of decisions at once that find none, one makes it; the others see it then,
        though they would have made it under another of its names.
        """
        group = tuple([(kind, name) for name in names])
        return cls(group, aliases=(group,) if len(group) > 1 else ())

    @classmethod
    def reading(cls, kind: type[Keyed], *keys: Key) -> "Keys":
        """Want to look at these rows of one kind, and to change none of them."""
        return cls((), (), tuple([(kind, key) for key in keys]))

    def __or__(self, other: "Keys") -> "Keys":
        return Keys(
            self.wanted + other.wanted,
            self.counter_ids + other.counter_ids,
            self.only_read + other.only_read,
            self.aliases + other.aliases,
        )

    @classmethod
    def union(cls, many: Iterable["Keys"]) -> "Keys":
        """Return the keys of a whole batch."""
        wanted: list[Cell] = []
        counter_ids: list[int] = []
        only_read: list[Cell] = []
        aliases: list[tuple[Cell, ...]] = []
        for keys in many:
            wanted += keys.wanted
            counter_ids += keys.counter_ids
            only_read += keys.only_read
            aliases += keys.aliases
        return cls(tuple(wanted), tuple(counter_ids), tuple(only_read), tuple(aliases))

    def locked(self) -> ByKind:
        """Return the rows to lock, each once."""
        return _by_kind(self.wanted)

    def looked_at(self) -> ByKind:
        """Return the rows that are read without being locked, each once."""
        return _by_kind(frozenset(self.only_read).difference(self.wanted))


def _by_kind(cells: Iterable[Cell]) -> ByKind:
    sets: ByKind = defaultdict(set)
    for kind, key in cells:
        sets[kind].add(key)
    return sets


class Rows(Struct):
    """The rows of a batch in memory; what one command puts, the next one sees."""

    cells: dict[Cell, Keyed | None] = field(default_factory=dict)

    @classmethod
    def holding(cls, records: Iterable[Keyed]) -> "Rows":
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


class Changes(Struct):
    """What is to be written: a record under its key, or None to delete the row.

    A row that is there gets the cells that change in its life; one of `whole` gets all of them,
    what is sealed sealed anew.
    """

    cells: dict[Cell, Keyed | None] = field(default_factory=dict)
    whole: set[Cell] = field(default_factory=set)

    @classmethod
    def of(cls, *records: Keyed) -> "Changes":
        """Put these records."""
        return cls({(type(record), record.key): record for record in records})

    def delete(self, kind: type[Keyed], key: Key) -> "Changes":
        """Delete one row as well."""
        self.cells[(kind, key)] = None
        return self

    def rewrite(self, *records: Keyed) -> "Changes":
        """Put these records with every cell of theirs."""
        cells: dict[Cell, Keyed] = {(type(record), record.key): record for record in records}
        self.cells.update(cells)
        self.whole.update(cells)
        return self

    def add(self, other: "Changes") -> None:
        """Append the changes of a later command."""
        self.cells.update(other.cells)
        self.whole.update(other.whole)


class Cursor(Record, frozen=True):
    """A place in a list: just after a row, or just before it when the list is read backwards."""

    created_at: datetime
    key: str
    backwards: bool = False


class Query(Record, frozen=True):
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

    def transact_in_steps(self, keys: Keys, decide: Callable[[Rows], Changes]) -> Waits[None]:
        """Do the same, and yield what waits: the commit, whose disk an event loop need not see."""

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
