"""Run the migrations on the connection that `store/migrate.py` hands over, or write their SQL."""

from typing import Any

from alembic import context
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.compiler import DDLCompiler

from watchword.store.tables import exact_collation, metadata


@compiles(CreateTable, "mysql", "mariadb")
def _create_exact_table(create: CreateTable, compiler: DDLCompiler, **options: Any) -> str:
    """Make tables that compare texts byte for byte, whatever the database's default is."""
    text = compiler.visit_create_table(create, **options)  # type: ignore[no-untyped-call]
    return f"{text.rstrip()} CHARSET=utf8mb4 COLLATE={exact_collation(compiler.dialect)}"


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction is the one that counts
    literal_binds=context.is_offline_mode(),
    output_buffer=context.config.output_buffer,
)
context.run_migrations()
