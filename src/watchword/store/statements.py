"""What is said to each database about each kind of record: written once, sent as it stands.

A batch's keys travel as one set and its rows as another, so a statement is the same for one
command and for a hundred. SQLAlchemy supplies the names, the quoting and the types.
"""

import dataclasses
from collections import namedtuple
from collections.abc import Callable, Collection, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from watchword.errors import UnfitValue
from watchword.record import Record
from watchword.store.kinds import Kind
from watchword.store.rows import Row

Cells = tuple[Any, ...]
ROWS = "/* rows */"  # where a set of rows stands in a text that depends on how many they are


class Said(Record, frozen=True):
    """One statement with its parameters; `many` when it is to run once for each of them."""

    text: str
    parameters: Any
    many: bool = False


class Statements(Record, frozen=True):
    """Everything that is said about one kind, in one dialect."""

    kind: Kind
    _language: "Language"
    _columns: tuple[str, ...]
    _changing: tuple[str, ...]
    _shape: Callable[[Any], Any]
    _binds: dict[str, Callable[[Any], Any]]
    _results: tuple[tuple[int, Callable[[Any], Any]], ...]
    _texts: dict[str, str]

    def read(self, keys: Collection[Any], *, lock: bool) -> Said:
        """Read the rows of these keys, in key order; lock them as well."""
        return Said(self._texts["lock" if lock else "read"], self._language.keys(sorted(keys)))

    def insert(self, rows: Sequence[Row]) -> Said:
        """Insert whole rows."""
        return self._language.rows(self._texts["insert"], self._columns, self._bound(rows))

    def update(self, rows: Sequence[Row]) -> Said:
        """Write the cells that may change, of rows named by their key."""
        names = (*self._changing, *self.kind.key)
        return self._language.rows(self._texts["update"], names, self._bound(rows))

    def delete(self, keys: Collection[Any]) -> Said:
        """Delete the rows of these keys."""
        return Said(self._texts["delete"], self._language.keys(sorted(keys)))

    def row(self, found: Cells) -> Any:
        """Give a row that was read its columns' names and Python's types."""
        if self._results:
            cells = list(found)
            for place, convert in self._results:
                cells[place] = convert(cells[place])
            return self._shape(cells)
        return self._shape(found)

    def _bound(self, rows: Sequence[Row]) -> Sequence[Row]:
        for name, convert in self._binds.items():
            for row in rows:
                if name in row:
                    row[name] = convert(row[name])
        return rows


def _shape(table: sa.Table) -> Callable[[Any], Any]:
    """Return a maker of rows whose cells go by their columns' names."""
    columns = table.columns.keys()
    shape: Any = namedtuple(table.name, columns)  # type: ignore[misc]
    make: Callable[[Any], Any] = shape._make
    return make


class Language:
    """How one kind of database writes what all of them are told."""

    lock = " FOR UPDATE"
    mark = "%s"

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.quote = dialect.identifier_preparer.quote

    def statements(self, kind: Kind, key: tuple[str, ...] | None = None) -> Statements:
        """Write a kind's statements; `key` names its rows by another key than its own."""
        kind = dataclasses.replace(kind, key=key or kind.key)
        return self._statements(kind, self.among(kind))

    def referred(self, kind: Kind, by: Kind, column: str) -> Statements:
        """Write how to read the rows that a column of other rows names, by those others' keys."""
        others = f"SELECT {column} FROM {self.source(by)} WHERE {self.among(by)}"
        return self._statements(kind, self.one_of(self.names(kind.key), others))

    def _statements(self, kind: Kind, which: str) -> Statements:
        numbered = kind.table.autoincrement_column
        columns = [column.name for column in kind.table.columns if column is not numbered]
        read = self.select(kind, which)
        return Statements(
            kind,
            self,
            tuple(columns),
            kind.changing,
            _shape(kind.table),
            self._binds(kind.table),
            self._results(kind.table),
            {
                "read": read,
                "lock": read + self.lock,
                "insert": self.insert(kind, columns),
                "update": self.update(kind),
                "delete": self.delete(kind),
            },
        )

    def select(self, kind: Kind, which: str) -> str:
        key = self.names(kind.key)
        columns = self.names(kind.table.columns.keys())
        return f"SELECT {columns} FROM {self.source(kind)} WHERE {which} ORDER BY {key}"

    def source(self, kind: Kind) -> str:
        return self.quote(kind.table.name)

    def among(self, kind: Kind) -> str:
        """Say that a row's key is one of the set."""
        raise NotImplementedError

    def one_of(self, name: str, others: str) -> str:
        """Say that a column's value is one of those that a query finds."""
        return f"{name} IN ({others})"

    def insert(self, kind: Kind, columns: Sequence[str]) -> str:
        marks = ", ".join([self.mark] * len(columns))
        table = self.quote(kind.table.name)
        return f"INSERT INTO {table} ({self.names(columns)}) VALUES ({marks})"

    def update(self, kind: Kind) -> str:
        new = ", ".join(f"{self.quote(name)} = {self.mark}" for name in kind.changing)
        here = " AND ".join(f"{self.quote(name)} = {self.mark}" for name in kind.key)
        return f"UPDATE {self.quote(kind.table.name)} SET {new} WHERE {here}"

    def delete(self, kind: Kind) -> str:
        return f"DELETE FROM {self.quote(kind.table.name)} WHERE {self.among(kind)}"

    def keys(self, keys: list[Any]) -> Any:
        """Lay out a set of keys as parameters."""
        raise NotImplementedError

    def rows(self, text: str, names: Sequence[str], rows: Sequence[Row]) -> Said:
        """Lay out a set of rows as parameters."""
        return Said(text, list(map(itemgetter(*names), rows)), many=True)

    def names(self, names: Sequence[str]) -> str:
        return ", ".join(map(self.quote, names))

    def _binds(self, table: sa.Table) -> dict[str, Callable[[Any], Any]]:
        found = {
            column.name: column.type.dialect_impl(self.dialect).bind_processor(self.dialect)
            for column in table.columns
        }
        kept = (sa.String, sa.Integer, sa.Boolean)  # these come as the driver takes them
        return {
            name: convert
            for name, convert in found.items()
            if convert and not isinstance(table.c[name].type, kept)
        }

    def _results(self, table: sa.Table) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
        found = (
            column.type.dialect_impl(self.dialect).result_processor(self.dialect, None)
            for column in table.columns
        )
        return tuple((place, convert) for place, convert in enumerate(found) if convert)


class Sqlite(Language):
    """SQLite: in this process, so a statement a row costs little; one writer, so no row locks."""

    lock = ""
    mark = "?"

    def among(self, kind: Kind) -> str:
        if len(kind.key) == 1:
            return f"{self.quote(kind.key[0])} IN (SELECT value FROM json_each(?))"
        parts = ", ".join(f"json_extract(value, '$[{i}]')" for i in range(len(kind.key)))
        return f"({self.names(kind.key)}) IN (SELECT {parts} FROM json_each(?))"

    def keys(self, keys: list[Any]) -> Any:
        text = msgspec.json.encode(keys).decode()
        if "\\u0000" in text and "\0" in "".join(map(str, chain.from_iterable(map(_cells, keys)))):
            raise UnfitValue  # json_extract ends a text there, so the row would never be found
        return (text,)


def _cells(key: Any) -> Cells:
    return key if isinstance(key, tuple) else (key,)


class Postgres(Language):
    """PostgreSQL: keys as arrays, rows as one JSON text, so that a set is one message."""

    def among(self, kind: Kind) -> str:
        arrays = [f"${n}::{self._type(kind, name)}[]" for n, name in enumerate(kind.key, 1)]
        if len(kind.key) == 1:
            return f"{self.quote(kind.key[0])} = ANY({arrays[0]})"
        first = f"{self.quote(kind.key[0])} = ANY({arrays[0]})"
        return (
            f"{first} AND ({self.names(kind.key)}) IN (SELECT * FROM unnest({', '.join(arrays)}))"
        )

    def one_of(self, name: str, others: str) -> str:
        return f"{name} = ANY(ARRAY({others}))"  # an index is used for this before it is joined

    def insert(self, kind: Kind, columns: Sequence[str]) -> str:
        names = self.names(columns)
        table = self.quote(kind.table.name)
        return f"INSERT INTO {table} ({names}) SELECT {names} FROM {self._set(kind, columns)}"

    def update(self, kind: Kind) -> str:
        table = self.quote(kind.table.name)
        new = ", ".join(f"{self.quote(name)} = n.{self.quote(name)}" for name in kind.changing)
        here = " AND ".join(
            f"{table}.{self.quote(name)} = n.{self.quote(name)}" for name in kind.key
        )
        names = (*kind.changing, *kind.key)
        key = self.quote(kind.key[0])
        return (
            f"WITH n AS MATERIALIZED (SELECT * FROM {self._set(kind, names)}) "
            f"UPDATE {table} SET {new} FROM n "
            f"WHERE {self.one_of(f'{table}.{key}', f'SELECT {key} FROM n')} AND {here}"
        )

    def keys(self, keys: list[Any]) -> Any:
        if isinstance(keys[0], tuple):
            return [_array(part) for part in zip(*keys, strict=True)]
        return [_array(keys)]

    def rows(self, text: str, names: Sequence[str], rows: Sequence[Row]) -> Said:
        return Said(text, [msgspec.json.encode(rows)])

    def _set(self, kind: Kind, names: Sequence[str]) -> str:
        columns = ", ".join(f"{self.quote(name)} {self._type(kind, name)}" for name in names)
        return f"json_to_recordset($1::json) AS n({columns})"

    def _type(self, kind: Kind, name: str) -> str:
        return kind.table.c[name].type.compile(dialect=self.dialect)


def _array(keys: Collection[Any]) -> bytes:
    """Write an array as PostgreSQL reads it."""
    quoted = (str(key).replace("\\", "\\\\").replace('"', '\\"') for key in keys)
    return ('{"' + '","'.join(quoted) + '"}').encode()


class Mysql(Language):
    """MySQL and MariaDB: locks follow the index that is read, so the index is named."""

    def source(self, kind: Kind) -> str:
        indexes = {
            constraint.columns.keys()[0]: str(constraint.name)
            for constraint in kind.table.constraints
            if isinstance(constraint, sa.UniqueConstraint)
        }
        index = indexes.get(kind.key[0], "PRIMARY")
        return f"{self.quote(kind.table.name)} FORCE INDEX ({index})"

    def among(self, kind: Kind) -> str:
        names = self.names(kind.key)
        return f"{names} IN %s" if len(kind.key) == 1 else f"({names}) IN %s"

    def update(self, kind: Kind) -> str:
        table = self.quote(kind.table.name)
        new = ", ".join(f"{table}.{name} = n.{name}" for name in map(self.quote, kind.changing))
        here = " AND ".join(f"{table}.{key} = n.{key}" for key in map(self.quote, kind.key))
        return f"UPDATE ({ROWS}) AS n STRAIGHT_JOIN {self.source(kind)} ON {here} SET {new}"

    def delete(self, kind: Kind) -> str:
        # This form takes an index; the plain one may walk the table, waiting for every lock in it.
        table = self.quote(kind.table.name)
        return f"DELETE {table} FROM {self.source(kind)} WHERE {self.among(kind)}"

    def keys(self, keys: list[Any]) -> Any:
        return (keys,)

    def rows(self, text: str, names: Sequence[str], rows: Sequence[Row]) -> Said:
        if ROWS not in text:
            return super().rows(text, names, rows)  # an INSERT, which the driver makes one of many
        cells = map(itemgetter(*names), rows)
        named = ", ".join(f"%s AS {self.quote(name)}" for name in names)
        others = ["%s" + ", %s" * (len(names) - 1)] * (len(rows) - 1)
        table = f"SELECT {' UNION ALL SELECT '.join([named, *others])}"
        return Said(text.replace(ROWS, table), tuple(chain.from_iterable(cells)))


LANGUAGES: dict[str, type[Language]] = {
    "sqlite": Sqlite,
    "postgresql": Postgres,
    "mysql": Mysql,
    "mariadb": Mysql,
}
