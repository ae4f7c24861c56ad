"""Connections: one SQLAlchemy engine per database URL, set up for durable, short transactions."""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from watchword.errors import ConfigurationError
from watchword.sqlite import BUSY_SECONDS, Place, make_private, use_wal

READING = "watchword_reading"  # the option of a connection that will not write: it needs no lock
VARIABLE = "WATCHWORD_DATABASE_URL"
DRIVERS = {  # the scheme people write → the driver we bring, and the extra that installs it
    "postgres": ("postgresql+psycopg", "postgres"),
    "postgresql": ("postgresql+psycopg", "postgres"),
    "postgresql+psycopg": ("postgresql+psycopg", "postgres"),
    "mysql": ("mysql+pymysql", "mysql"),
    "mysql+pymysql": ("mysql+pymysql", "mysql"),
    "mariadb": ("mariadb+pymysql", "mysql"),
    "mariadb+pymysql": ("mariadb+pymysql", "mysql"),
}
CONNECT_SECONDS = 5
ANSWER_SECONDS = 30  # a server that says nothing for so long is taken for lost
LOCK_SECONDS = 10  # how long a lock is waited for; a batch holds one for milliseconds
POOL_SIZE = 8
OVERFLOW = 24
RECYCLE_SECONDS = 1800  # before a proxy or `wait_timeout` closes an idle connection


def connect(url: str) -> sa.Engine:
    """Return an engine for a database URL; nothing is opened before the first use.

    `postgresql://`, `mysql://` and `mariadb://` find their drivers by themselves.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    if parsed.drivername not in DRIVERS:
        raise ConfigurationError(
            f"{parsed.drivername} is not known; write sqlite, postgresql, mysql or mariadb",
            name=VARIABLE,
        )
    driver, extra = DRIVERS[parsed.drivername]
    try:
        return _networked(parsed.set(drivername=driver))
    except (NoSuchModuleError, ModuleNotFoundError) as fault:
        raise ConfigurationError(
            f"the driver is missing; install it: pip install 'watchword[{extra}]'", name=VARIABLE
        ) from fault


def connect_to_read(url: str) -> sa.Engine:
    """Return an engine for somebody else's database, of which nothing is changed by looking.

    A SQLite file is neither made nor switched to another journal.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite":
        return connect(url)
    path = Path(parsed.database or "")
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}; look at the address", name=VARIABLE)
    address = f"file:{quote(str(path))}?mode=ro"
    return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True))


def is_networked(engine: sa.Engine) -> bool:
    """Tell whether the database is a server, whose answers are waited for."""
    return engine.dialect.name != "sqlite"


def place_of(engine: sa.Engine) -> Place | None:
    """Return where the file of a database lies, once it is there; None for a server's."""
    return None if is_networked(engine) else Place(Path(engine.url.database or "").absolute())


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as fault:
        raise ConfigurationError(
            "this is not a database URL; write sqlite:////path/to/watchword.db or "
            "postgresql://user:password@host/database",
            name=VARIABLE,
        ) from fault


def _networked(url: URL) -> sa.Engine:
    return sa.create_engine(
        url,
        isolation_level="READ COMMITTED",
        connect_args=_postgres() if url.get_backend_name() == "postgresql" else _mysql(),
        pool_size=POOL_SIZE,
        max_overflow=OVERFLOW,
        pool_timeout=ANSWER_SECONDS,
        pool_recycle=RECYCLE_SECONDS,
        pool_pre_ping=True,  # for lists; a batch finds out by itself and begins again
        pool_reset_on_return=None,  # every transaction here ends in a COMMIT or a ROLLBACK
    )


def _postgres() -> dict[str, Any]:
    # A prepared statement belongs to a server connection, which pgbouncer changes under us, and
    # the driver's names for them mean something else there. Those of a batch: see pipeline.py.
    return {
        "prepare_threshold": None,
        "connect_timeout": CONNECT_SECONDS,
        "client_encoding": "utf8",
    }


def _mysql() -> dict[str, Any]:
    return {
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": ANSWER_SECONDS,
        "write_timeout": ANSWER_SECONDS,
        "local_infile": False,
        "sql_mode": "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",  # too long a text is no short one
        "init_command": f"SET SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}",
    }


def _sqlite(url: URL) -> sa.Engine:
    """Set up SQLite: write-ahead log, every commit on disk, the write lock taken at BEGIN."""
    if url.database in (None, "", ":memory:"):
        raise ConfigurationError(
            "a SQLite database in memory is a new one for each connection; "
            "write sqlite:////path/to/watchword.db",
            name=VARIABLE,
        )
    make_private(Path(url.database))
    engine = sa.create_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "isolation_level": None},
        poolclass=sa.QueuePool,
    )

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        use_wal(connection, synchronous="FULL")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that begins by reading and writes later fails at once when another wrote
        # in between; one that takes the write lock first waits its turn.
        if not connection.get_execution_options().get(READING):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
