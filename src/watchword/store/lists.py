"""Lists in SQL: rows of one kind, filtered, newest first, from one place on; nothing is locked."""

from typing import Any

import sqlalchemy as sa

from watchword.model import Attempt
from watchword.store.base import Query
from watchword.store.kinds import KINDS
from watchword.store.rows import to_ms
from watchword.store.tables import attempts, verifications


def select_page(query: Query) -> sa.Select[Any]:
    """Return the statement of one page; backwards, its rows come oldest first."""
    table = KINDS[query.kind].table
    key = table.c[KINDS[query.kind].key[0]]
    time = table.c[query.by]
    place = sa.tuple_(time, key)
    page = _where(sa.select(*table.c), query)
    if query.cursor is not None:
        here = sa.tuple_(sa.literal(to_ms(query.cursor.created_at)), sa.literal(query.cursor.key))
        page = page.where(place > here if query.cursor.backwards else place < here)
    if query.cursor is not None and query.cursor.backwards:
        page = page.order_by(time, key)
    else:
        page = page.order_by(time.desc(), key.desc())
    return page.offset(query.offset).limit(query.limit)


def select_count(query: Query) -> sa.Select[Any]:
    """Return the statement that counts a list's rows."""
    return _where(sa.select(sa.func.count()).select_from(KINDS[query.kind].table), query)


def _where(statement: sa.Select[Any], query: Query) -> sa.Select[Any]:
    table = KINDS[query.kind].table
    if "verification_status" in query.equal and query.kind is Attempt:
        statement = statement.join(
            verifications, verifications.c.sid == attempts.c.verification_sid
        )
    for name, wanted in query.equal.items():
        column = verifications.c.status if name == "verification_status" else table.c[name]
        values = [str(value) for value in (wanted if isinstance(wanted, tuple) else (wanted,))]
        statement = statement.where(column.in_(values) if len(values) != 1 else column == values[0])
    if query.starts is not None:
        name, start = query.starts
        statement = statement.where(table.c[name].startswith(start, autoescape=True))
    if query.since is not None:
        statement = statement.where(table.c[query.by] >= to_ms(query.since))
    if query.until is not None:
        statement = statement.where(table.c[query.by] < to_ms(query.until))
    return statement
