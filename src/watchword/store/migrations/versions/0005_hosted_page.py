"""Make the tables of the hosted page."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "page_sessions",
        sa.Column("sid", sa.String(34), primary_key=True),
        sa.Column("service_sid", sa.String(34), nullable=False),
        sa.Column("account_sid", sa.String(34), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_page_sessions_created_at", "page_sessions", ["created_at"])
    op.create_table(
        "visitors",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("sends", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_visitors_since", "visitors", ["since"])
