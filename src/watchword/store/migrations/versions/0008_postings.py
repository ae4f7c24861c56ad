"""Keep events in an outbox until their webhooks took them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "postings",
        sa.Column("sid", sa.String(34), primary_key=True),
        sa.Column("account_sid", sa.String(34), nullable=False),
        sa.Column("service_sid", sa.String(34), nullable=False),
        sa.Column("webhook_sid", sa.String(34), nullable=False),
        sa.Column("verification_sid", sa.String(34), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("sealed_fields", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_postings_due_at", "postings", ["due_at"])
