"""Keep what providers report of a message: error code, price, network."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("attempts", sa.Column("error_code", sa.Integer))
    op.add_column("attempts", sa.Column("price", sa.String(16)))
    op.add_column("attempts", sa.Column("currency", sa.String(3)))
    op.add_column("attempts", sa.Column("mcc", sa.String(3)))
    op.add_column("attempts", sa.Column("mnc", sa.String(3)))
