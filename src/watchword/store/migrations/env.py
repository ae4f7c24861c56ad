"""Run the migrations on the connection that `store/migrate.py` hands over."""

from alembic import context

from watchword.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction is the one that counts
)
context.run_migrations()
