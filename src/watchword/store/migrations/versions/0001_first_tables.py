"""Make the first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

# MySQL's plain DATETIME rounds to whole seconds.
DATETIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "services",
        sa.Column("sid", sa.String(34), primary_key=True),
        sa.Column("account_sid", sa.String(34), nullable=False),
        sa.Column("friendly_name", sa.String(64), nullable=False),
        sa.Column("code_length", sa.Integer, nullable=False),
        sa.Column("custom_code_enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_services_account_sid", "services", ["account_sid"])
    op.create_table(
        "subjects",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("service_sid", sa.String(34), nullable=False),
        sa.Column("verification_sid", sa.String(34), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "verifications",
        sa.Column("sid", sa.String(34), primary_key=True),
        sa.Column("service_sid", sa.String(34), nullable=False),
        sa.Column("account_sid", sa.String(34), nullable=False),
        sa.Column("subject", sa.String(32), nullable=False),
        sa.Column("sealed_to", sa.Text, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("code_length", sa.Integer, nullable=False),
        sa.Column("key_id", sa.String(8), nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("custom_code_mac", sa.String(64)),
        sa.Column("checks", sa.Integer, nullable=False),
        sa.Column("sends", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_verifications_created_at", "verifications", ["created_at"])
    op.create_table(
        "attempts",
        sa.Column("sid", sa.String(34), primary_key=True),
        sa.Column("verification_sid", sa.String(34), nullable=False),
        sa.Column("service_sid", sa.String(34), nullable=False),
        sa.Column("account_sid", sa.String(34), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("country", sa.String(3), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("sender", sa.String(64)),
        sa.Column("message_id", sa.String(128)),
        sa.Column("reason", sa.String(255)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_attempts_verification_sid", "attempts", ["verification_sid"])
    op.create_index("ix_attempts_created_at", "attempts", ["created_at"])
    op.create_table(
        "svretries",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("userId", sa.String(255)),
        sa.Column("uniqueId", sa.String(255)),
        sa.Column("count", sa.Integer),
        sa.Column("expires", DATETIME),
        sa.Column("createdAt", DATETIME, nullable=False),
        sa.UniqueConstraint("uniqueId", "userId", name="svretries_pair"),
        sqlite_autoincrement=True,
    )
