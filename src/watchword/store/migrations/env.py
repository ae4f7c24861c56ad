"""Run the migrations on the connection that `store/migrate.py` hands over, or write their SQL."""

from alembic import context

from watchword.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction is the one that counts
    literal_binds=context.is_offline_mode(),
    output_buffer=context.config.output_buffer,
)
context.run_migrations()
