"""What a database must be set to for the promise to hold, read back from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from watchword.store.clock import measure_skew
from watchword.store.connect import OVERFLOW, POOL_SIZE

MAX_SKEW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """One thing looked at: what was found, and how to mend it when it is not right."""

    check: str
    ok: bool
    found: str
    mend: str = ""


def examine_database(connection: Connection) -> Iterator[Health]:
    """Look at durability, isolation, the clock, the pool, a proxy and the connection's secrecy."""
    name = connection.dialect.name
    if name == "sqlite":
        yield _sqlite(connection)
        return
    yield from _postgres(connection) if name == "postgresql" else _mysql(connection)
    yield _clock(connection)
    yield _room(connection)
    yield _secrecy(connection)
    if name == "postgresql":
        yield _proxy(connection)


def _sqlite(connection: Connection) -> Health:
    full = connection.exec_driver_sql("PRAGMA synchronous").scalar_one() >= 2
    return Health(
        "durability",
        ok=full,
        found="every commit is on disk" if full else "commits may be lost",
        mend="let watchword set PRAGMA synchronous itself",
    )


def _postgres(connection: Connection) -> Iterator[Health]:
    for setting, wrong in (("fsync", ("off",)), ("synchronous_commit", ("off", "local"))):
        value = str(connection.exec_driver_sql(f"SHOW {setting}").scalar_one())
        has_standby = connection.exec_driver_sql("SHOW synchronous_standby_names").scalar_one()
        lossy = value == "off" or (value in wrong and bool(has_standby))
        yield Health(
            "durability",
            ok=not lossy,
            found=f"{setting} = {value}" + (": a crash can bring used codes back" if lossy else ""),
            mend=f"set {setting} = on in postgresql.conf",
        )
    isolation = str(connection.exec_driver_sql("SHOW transaction_isolation").scalar_one())
    yield _isolation(isolation.upper())


def _mysql(connection: Connection) -> Iterator[Health]:
    flush = connection.exec_driver_sql("SELECT @@innodb_flush_log_at_trx_commit").scalar_one()
    yield Health(
        "durability",
        ok=int(flush) == 1,
        found=f"innodb_flush_log_at_trx_commit = {flush}",
        mend="SET GLOBAL innodb_flush_log_at_trx_commit = 1, and in my.cnf",
    )
    engines = connection.execute(
        sa.text(
            "SELECT table_name AS name FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND engine <> 'InnoDB' AND table_type = 'BASE TABLE'"
        )
    )
    others = [str(row.name) for row in engines]
    yield Health(
        "transactions",
        ok=not others,
        found=f"{others[0]} is not InnoDB" if others else "every table is InnoDB",
        mend=f"ALTER TABLE {others[0] if others else ''} ENGINE = InnoDB",
    )
    variable = "transaction_isolation"
    if getattr(connection.dialect, "is_mariadb", False):
        variable = "tx_isolation"
    value = str(connection.exec_driver_sql(f"SELECT @@{variable}").scalar_one())
    yield _isolation(value.replace("-", " ").upper())


def _isolation(level: str) -> Health:
    return Health(
        "isolation",
        ok=level == "READ COMMITTED",
        found=level.lower(),
        mend="let no proxy or init_connect change the isolation level that watchword sets",
    )


def _clock(connection: Connection) -> Health:
    """Compare this machine's clock with the database's, which all machines share."""
    skew = measure_skew(connection)
    return Health(
        "clock",
        ok=abs(skew) <= MAX_SKEW_SECONDS,
        found=f"the database's is {abs(skew):.1f} s {'ahead' if skew > 0 else 'behind'}",
        mend="run an NTP client, such as systemd-timesyncd, on both machines",
    )


def _room(connection: Connection) -> Health:
    """Compare the connections the server allows with what one process of ours may open."""
    ask = "SELECT @@max_connections"
    if connection.dialect.name == "postgresql":
        ask = "SHOW max_connections"
    allowed = int(connection.exec_driver_sql(ask).scalar_one())
    most = POOL_SIZE + OVERFLOW
    return Health(
        "connections",
        ok=allowed >= most,
        found=f"the server allows {allowed}; a process opens {most} at most",
        mend=f"raise max_connections above {most} for each process, or put pgbouncer in front",
    )


def _secrecy(connection: Connection) -> Health:
    """Say whether the connection is encrypted; within one machine it need not be."""
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.dbapi_connection
        encrypted = bool(driver.pgconn.ssl_in_use)
        mend = "?sslmode=verify-full&sslrootcert=/path/to/ca.pem"
    else:
        row = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Ssl_cipher'").one()
        encrypted = bool(row[1])
        mend = "?ssl_ca=/path/to/ca.pem"
    host = str(connection.engine.url.query.get("host", connection.engine.url.host or ""))
    is_near = host in ("", "localhost", "127.0.0.1", "::1") or host.startswith("/")
    return Health(
        "encryption",
        ok=encrypted or is_near,
        found=("on" if encrypted else "off") + (", within this machine" if is_near else ""),
        mend=f"add {mend} to WATCHWORD_DATABASE_URL",
    )


def _proxy(connection: Connection) -> Health:
    """Find out whether a proxy lends server connections by the transaction.

    While another client's transaction holds the server connection that ours had, ours is given a
    second one; without such a proxy a client keeps its own.
    """
    connection.rollback()
    before = _backend(connection)
    connection.rollback()
    with connection.engine.connect() as other:
        theirs = _backend(other)
        after = _backend(connection)
        connection.rollback()
    lends = theirs == before or after != before
    return Health(
        "proxy",
        ok=True,
        found="one that lends connections by the transaction, which is served as well"
        if lends
        else "none that lends connections by the transaction",
    )


def _backend(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
