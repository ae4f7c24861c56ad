"""What went wrong in a database, in the few words a transaction needs to know what to do next."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeoutError

from watchword.errors import StoreError, UnfitValue

UNREACHABLE = "the store cannot be reached; see: watchword doctor"
TOO_BUSY = "the store is too busy; try again"
UNCERTAIN = "the store was lost while it committed; whether it did is not known"


class Fault(Enum):
    """Why a transaction ended."""

    RACE = "another transaction got in between, and this one was rolled back"
    LOST = "the database was not there, or its connection broke"
    UNFIT = "a value does not fit its column"
    OTHER = "something else"


# https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRES_RACES = ("23505", "40001", "40P01", "55P03", "26000", "42P05", "0A000")  # see pipeline.py
POSTGRES_LOST = ("08", "57P", "53", "25006")  # 25006: a standby, not yet promoted
# https://mariadb.com/kb/en/mariadb-error-code-reference/
MYSQL_RACES = (1062, 1205, 1213, 1317)  # 1317: Galera stopped the statement for another's commit
MYSQL_LOST = (1040, 1047, 1053, 1152, 1158, 1159, 1160, 1161, 1290, 1836, 1927)  # 1047: Galera
MYSQL_LOST_CLIENT = range(2000, 2100)  # the driver's own: refused, gone away, lost


def name_fault(dialect: str, error: Exception) -> Fault:
    """Say what a driver's exception means."""
    if dialect == "sqlite":
        return _sqlite(error)
    if dialect == "postgresql":
        return _postgres(error)
    return _mysql(error)


def as_store_error(fault: Fault) -> StoreError:
    """Say it to the caller."""
    if fault is Fault.UNFIT:
        return UnfitValue()
    return StoreError(TOO_BUSY if fault is Fault.RACE else UNREACHABLE)


@contextmanager
def faults_named(engine: sa.Engine) -> Iterator[None]:
    """Turn a driver's fault outside a batch into a StoreError."""
    try:
        yield
    except DBAPIError as fault:
        cause = fault.orig if isinstance(fault.orig, Exception) else fault
        raise as_store_error(name_fault(engine.dialect.name, cause)) from fault
    except SQLAlchemyTimeoutError as fault:
        raise StoreError(UNREACHABLE) from fault


def _sqlite(error: Any) -> Fault:
    name = str(getattr(error, "sqlite_errorname", ""))
    if name.startswith(("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")):
        return Fault.RACE
    if name.startswith("SQLITE_BUSY"):  # another process is writing
        return Fault.RACE
    return Fault.UNFIT if name.startswith(("SQLITE_TOOBIG", "SQLITE_MISMATCH")) else Fault.OTHER


def _postgres(error: Any) -> Fault:
    state = getattr(error, "sqlstate", None)
    if state is None:  # the driver's own: refused, gone away, or a value it cannot write
        return Fault.UNFIT if type(error).__name__ == "DataError" else Fault.LOST
    if state in POSTGRES_RACES:
        return Fault.RACE
    if state.startswith(POSTGRES_LOST):
        return Fault.LOST
    return Fault.UNFIT if state.startswith("22") else Fault.OTHER


def _mysql(error: Any) -> Fault:
    number = error.args[0] if error.args else 0
    if number in MYSQL_RACES:
        return Fault.RACE
    if number in MYSQL_LOST or number in MYSQL_LOST_CLIENT or number == 0:
        return Fault.LOST  # 0: PyMySQL's "socket is closed"
    return Fault.UNFIT if type(error).__name__ == "DataError" else Fault.OTHER
