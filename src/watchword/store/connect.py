"""Connections: one SQLAlchemy engine per database URL, set up for durable, short transactions."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from watchword.errors import ConfigurationError
from watchword.sqlite import BUSY_SECONDS, make_private, use_wal

READING = "watchword_reading"  # the option of a connection that will not write: it needs no lock


def connect(url: str) -> sa.Engine:
    """Return an engine for a SQLAlchemy URL; nothing is opened before the first use."""
    try:
        parsed = make_url(url)
    except ArgumentError as fault:
        raise ConfigurationError(
            "this is not a database URL; write sqlite:////path/to/watchword.db",
            name="WATCHWORD_DATABASE_URL",
        ) from fault
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    try:
        return sa.create_engine(parsed, isolation_level="READ COMMITTED", pool_pre_ping=True)
    except (NoSuchModuleError, ModuleNotFoundError) as fault:
        raise ConfigurationError(
            f"there is no driver for {parsed.drivername}", name="WATCHWORD_DATABASE_URL"
        ) from fault


def _sqlite(url: URL) -> sa.Engine:
    """Set up SQLite: write-ahead log, every commit on disk, the write lock taken at BEGIN."""
    if url.database and url.database != ":memory:":
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
