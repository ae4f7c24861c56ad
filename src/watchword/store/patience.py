"""Locks of whole tables: asked for briefly, over and over, so that no request waits behind them.

A change of a table waits for every transaction that uses it, a backup's too, and all that come
later wait behind the change. So it gives up its place in the queue soon, and comes again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from watchword.errors import StoreError

T = TypeVar("T")

BRIEFLY_MS = 500  # in the queue for a table; MySQL counts in seconds, so there it is one
PAUSE_SECONDS = 0.5  # for those who waited behind us
PATIENCE_SECONDS = 600
BUSY = (
    "another transaction has been using a table for ten minutes, a backup perhaps; "
    "let it end, then run: watchword migrate"
)
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's
LOCK_WAIT_TIMEOUT = 1205  # MySQL's
IS_THERE = (1050, 1060, 1061)  # MySQL's: a table, a column, an index of that name


def patiently(work: Callable[[], T]) -> T:
    """Run work that is one transaction until it gets its locks."""
    return _until_unlocked(work, lambda fault: _state(fault) == LOCK_NOT_AVAILABLE, DBAPIError)


@contextmanager
def waiting_briefly(connection: Connection, *, is_ours: bool) -> Iterator[None]:
    """Let the statements of this connection wait for no table longer than a moment.

    MySQL commits each change of a table by itself, so there it is the statement that is run again,
    and where the tables `is_ours` one that an interrupted run has left behind is passed over.
    """
    name = connection.dialect.name
    if name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BRIEFLY_MS}")
    if name not in ("mysql", "mariadb"):
        yield
        return
    error = connection.dialect.loaded_dbapi.Error

    def execute(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
        try:
            _until_unlocked(
                lambda: cursor.execute(statement, parameters),
                lambda fault: fault.args[:1] == (LOCK_WAIT_TIMEOUT,),
                error,
            )
        except error as fault:
            if not is_ours or fault.args[0] not in IS_THERE:
                raise
        return True

    connection.exec_driver_sql("SET SESSION lock_wait_timeout = 1")
    sa.event.listen(connection.engine, "do_execute", execute)
    try:
        yield
    finally:
        sa.event.remove(connection.engine, "do_execute", execute)
        connection.exec_driver_sql("SET SESSION lock_wait_timeout = DEFAULT")


def _until_unlocked(
    work: Callable[[], T], is_locked: Callable[[Any], bool], error: type[Exception]
) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except error as fault:
            if not is_locked(fault):
                raise
            if time.monotonic() > deadline:
                raise StoreError(BUSY) from fault
        time.sleep(PAUSE_SECONDS)


def _state(fault: DBAPIError) -> str | None:
    return getattr(fault.orig, "sqlstate", None)
