"""Find attempts by recipient and prefix, keep safe numbers and rate windows."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("attempts", sa.Column("recipient", sa.String(32)))
    op.add_column("attempts", sa.Column("prefix", sa.String(8)))
    op.create_index("ix_attempts_recipient", "attempts", ["recipient"])
    op.create_index("ix_attempts_account", "attempts", ["account_sid", "created_at"])
    op.create_table(
        "safe_numbers",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("sid", sa.String(34), nullable=False),
        sa.Column("account_sid", sa.String(34), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "rate_windows",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("service_sid", sa.String(34), nullable=False),
        sa.Column("tallies", sa.Text, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_rate_windows_ends_at", "rate_windows", ["ends_at"])
