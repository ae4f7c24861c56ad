"""The schema: made on first use, brought to head by Alembic, refused when it is from the future."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from watchword.errors import StoreError
from watchword.store.tables import SCHEMA_HEAD

MIGRATIONS = Path(__file__).parent / "migrations"


def schema_version(connection: Connection) -> str | None:
    """Return the migration the database is at, or None when it holds no schema yet."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version


def ensure_schema(engine: sa.Engine) -> bool:
    """Bring the database to head; return whether anything was to be done.

    Raises StoreError when the schema was made by a newer release.
    """
    with engine.connect() as connection:
        if schema_version(connection) == SCHEMA_HEAD:
            return False
    with engine.begin() as connection:  # on SQLite this takes the write lock: one process migrates
        version = schema_version(connection)
        if version == SCHEMA_HEAD:
            return False
        if version is not None and version > SCHEMA_HEAD:
            raise StoreError(
                f"the database has schema {version}, this release knows {SCHEMA_HEAD}; "
                "upgrade watchword"
            )
        _upgrade(connection)
    return True


def _upgrade(connection: Connection) -> None:
    # Half a second to import, and needed once in a database's life.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
