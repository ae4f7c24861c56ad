"""Walk a whole table without a lock, in the order of its key: for jobs that look at every row."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from watchword.store.kinds import KINDS
from watchword.store.memory import MemoryStore
from watchword.store.sql import SqlStore

SCAN = 5_000  # rows a query: a table of millions is no single long answer


def walk(store: SqlStore | MemoryStore, kind: type[Any], *columns: str) -> Iterator[Any]:
    """Yield every row of a kind as it lies in the store, or only these columns of it.

    A row of SQL has its table's columns; one in memory is the record, with what it has of them.
    """
    if isinstance(store, MemoryStore):
        yield from store.rows_of(kind)
        return
    table = KINDS[kind].table
    by = table.primary_key.columns.values()[0]
    wanted = [table.c[name] for name in columns] if columns else list(table.c)
    look = sa.select(*wanted, by.label("walked_by")).order_by(by).limit(SCAN)
    last: Any = None
    while True:
        with store.reading() as connection:
            rows = connection.execute(look if last is None else look.where(by > last)).all()
        yield from rows
        if len(rows) < SCAN:
            return
        last = rows[-1].walked_by
