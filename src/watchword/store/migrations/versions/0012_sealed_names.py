"""Keep, sealed, what a row is named for, so that a newer key can name it again."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    for table in ("subjects", "safe_numbers", "rate_windows"):
        op.add_column(table, sa.Column("sealed_name", sa.Text))
