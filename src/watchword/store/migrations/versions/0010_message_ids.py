"""Find an attempt by the provider's id of its message, as reports name it."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index("ix_attempts_message_id", "attempts", ["message_id"])
