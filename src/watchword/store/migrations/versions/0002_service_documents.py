"""Give services their settings, rate limits, messaging configurations and webhooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"

DOCUMENT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    op.add_column("services", sa.Column("document", DOCUMENT))
    op.drop_index("ix_services_account_sid", "services")
    op.create_index("ix_services_account", "services", ["account_sid", "created_at"])
