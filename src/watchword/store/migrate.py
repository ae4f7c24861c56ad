"""The schema: made on first use, brought to head by Alembic, refused when it does not fit."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from watchword.errors import StoreError
from watchword.store.connect import READING, is_networked
from watchword.store.faults import faults_named
from watchword.store.patience import patiently, waiting_briefly
from watchword.store.tables import SCHEMA_HEAD

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_NUMBER = 0x77617463  # of the advisory lock: "watc"
LOCK_NAME = "watchword.migrate"
LOCK_SECONDS = 600


def schema_version(connection: Connection) -> str | None:
    """Return the migration the database is at, or None when it holds no schema yet."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version


def ensure_schema(engine: sa.Engine) -> bool:
    """Make the schema where there is none, bring SQLite's to head; return whether that was done.

    Raises StoreError when the schema was made by a newer release, and on a database server when
    it was made by an older one: there somebody decides when to migrate.
    """
    with engine.connect() as connection:
        version = schema_version(connection)
    if version == SCHEMA_HEAD:
        return False
    if version is not None and version < SCHEMA_HEAD and is_networked(engine):
        raise StoreError(
            f"the database has schema {version}, this release needs {SCHEMA_HEAD}; "
            "run: watchword migrate"
        )
    return migrate(engine)


def migrate(engine: sa.Engine) -> bool:
    """Bring the database to head, one process at a time; return whether anything was to be done."""
    with faults_named(engine), engine.connect() as connection:
        if schema_version(connection.execution_options(**{READING: True})) == SCHEMA_HEAD:
            return False
    _get_ready()
    with faults_named(engine):
        return patiently(lambda: _migrated(engine))


def _migrated(engine: sa.Engine) -> bool:
    with engine.connect() as connection, _alone(connection):
        version = schema_version(connection)
        if version == SCHEMA_HEAD:
            return False
        _check(connection, version)
        with waiting_briefly(connection, is_ours=version is not None):
            _upgrade(connection)
        connection.commit()  # while the lock is held: the next one must see it
    return True


def migration_sql(engine: sa.Engine) -> str:
    """Return the SQL that `migrate` would run, for somebody who is allowed to."""
    from alembic import command

    with faults_named(engine), engine.connect() as connection:
        version = schema_version(connection)
        if version == SCHEMA_HEAD:
            return ""
        _check(connection, version)
        written = io.StringIO()
        config = _config(connection, written)
        command.upgrade(config, f"{version}:head" if version else "head", sql=True)
    return written.getvalue()


def _check(connection: Connection, version: str | None) -> None:
    if version is not None and version > SCHEMA_HEAD:
        raise StoreError(
            f"the database has schema {version}, this release knows {SCHEMA_HEAD}; "
            "upgrade watchword"
        )
    if version is None and sa.inspect(connection).has_table("svretries"):
        raise StoreError(
            "the database holds a svretries table of another program; take it over with: "
            "watchword import svretries --in-place"
        )


def _get_ready() -> None:
    """Load Alembic and every migration while nothing is locked: that takes half a second."""
    import alembic.command  # noqa: F401
    from alembic.script import ScriptDirectory

    list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def _upgrade(connection: Connection) -> None:
    from alembic import command

    command.upgrade(_config(connection), "head")


def _config(connection: Connection, output: io.StringIO | None = None) -> "Config":
    from alembic.config import Config

    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the lock of migrations; SQLite's transaction is one by itself."""
    name = connection.dialect.name
    if name == "postgresql":  # released with the transaction, so a proxy may stand in between
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_NUMBER)))
        yield
    elif name in ("mysql", "mariadb"):
        if connection.scalar(sa.select(sa.func.get_lock(LOCK_NAME, LOCK_SECONDS))) != 1:
            raise StoreError("another process has been migrating for ten minutes; look at it")
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.release_lock(LOCK_NAME)))
    else:
        yield
