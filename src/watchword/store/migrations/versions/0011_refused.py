"""Make the table of what was refused."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "refused",
        sa.Column("key", sa.String(96), primary_key=True),
        sa.Column("account_sid", sa.String(34), nullable=False),
        sa.Column("service_sid", sa.String(34), nullable=False),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("country", sa.String(3), nullable=False),
        sa.Column("prefix", sa.String(8), nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_refused_account", "refused", ["account_sid", "created_at"])
